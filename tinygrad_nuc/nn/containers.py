"""Modules that hold modules: one after another, in a list, by name."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from ..engine.tensor import Tensor
from .module import Module, framed


def checked_module(container: str, module: Any) -> Module:
    """A module, or an error that knows the usual slips."""
    if isinstance(module, Module):
        return module
    if isinstance(module, type):
        raise TypeError(f"{container}: {module.__name__} is a class; write {module.__name__}(), with parentheses")
    if isinstance(module, (list, tuple)):
        raise TypeError(f"{container}: a {type(module).__name__} is not a Module; write {container}(*layers)")
    raise TypeError(f"{container}: a {type(module).__name__} is not a Module")


class ModuleSequence(Module):
    """What `Sequential` and `ModuleList` have in common: modules in order, named "0", "1", …"""

    def append(self, module: Module) -> Any:
        """Add one module at the end."""
        self.add_module(str(len(self)), checked_module(type(self).__name__, module))
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, list(self._modules)[index], checked_module(type(self).__name__, module))


class Sequential(ModuleSequence):
    """Modules one after another: each gets what the one before returns.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import nn
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> model(tn.zeros(5, 3)).shape
    (5, 1)
    >>> model[0]
    Linear(in_features=3, out_features=4, bias=True)
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], OrderedDict):
            for name, module in modules[0].items():
                self.add_module(name, checked_module("Sequential", module))
        else:
            self.extend(modules)

    def forward(self, x: Tensor) -> Tensor:
        for module in self._modules.values():
            x = module(x)
        return x

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Sequential(OrderedDict(list(self._modules.items())[index]))
        return list(self)[index]


class ModuleList(ModuleSequence):
    """A list of modules whose parameters are found.

    Examples
    --------
    >>> from tinygrad_nuc import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        modules = list(self)[index]
        return ModuleList(modules) if isinstance(modules, list) else modules

    def __repr__(self) -> str:
        # Equal neighbours share a line, as in PyTorch: (0-2): 3 x Linear(...)
        children, first = [], 0
        for text, group in groupby(map(repr, self)):
            n = len(list(group))
            children.append((f"({first}): ", text) if n == 1 else (f"({first}-{first + n - 1}): ", f"{n} x {text}"))
            first += n
        return framed("ModuleList", "", children)


class ModuleDict(Module):
    """Modules by name, whose parameters are found.

    Examples
    --------
    >>> from tinygrad_nuc import nn
    >>> heads = nn.ModuleDict({"energy": nn.Linear(8, 1), "direction": nn.Linear(8, 3)})
    >>> heads["energy"], "mass" in heads
    (Linear(in_features=8, out_features=1, bias=True), False)
    >>> [name for name, _ in heads.named_parameters()]
    ['energy.weight', 'energy.bias', 'direction.weight', 'direction.bias']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        super().__init__()
        self.update(modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, or put them in the place of others of the same name."""
        for name, module in dict(modules).items():
            self[name] = module

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """(name, module) in order."""
        return self._modules.items()

    def pop(self, name: str) -> Module:
        """Take a module out."""
        return self._modules.pop(name)

    def __getitem__(self, name: str) -> Module:
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, checked_module("ModuleDict", module))

    def __delitem__(self, name: str) -> None:
        del self._modules[name]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, name: str) -> bool:
        return name in self._modules
