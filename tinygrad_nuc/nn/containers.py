"""Modules that hold modules."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
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


class Sequential(Module):
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
        named = modules[0].items() if len(modules) == 1 and isinstance(modules[0], OrderedDict) else \
            ((str(i), module) for i, module in enumerate(modules))
        for name, module in named:
            self.add_module(name, checked_module("Sequential", module))

    def append(self, module: Module) -> "Sequential":
        """Add one module at the end."""
        self.add_module(str(len(self)), checked_module("Sequential", module))
        return self

    def forward(self, x: Tensor) -> Tensor:
        for module in self._modules.values():
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        items = list(self._modules.items())[index]
        return Sequential(OrderedDict(items)) if isinstance(index, slice) else items[1]


class ModuleList(Module):
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

    def append(self, module: Module) -> "ModuleList":
        """Add one module at the end."""
        self.add_module(str(len(self)), checked_module("ModuleList", module))
        return self

    def extend(self, modules: Iterable[Module]) -> "ModuleList":
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        modules = list(self._modules.values())[index]
        return ModuleList(modules) if isinstance(index, slice) else modules

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, list(self._modules)[index], module)

    def __repr__(self) -> str:
        # Equal neighbours share a line, as in PyTorch: (0-2): 3 x Linear(...)
        children, first = [], 0
        for text, group in groupby(map(repr, self)):
            n = len(list(group))
            children.append((f"({first}): ", text) if n == 1 else (f"({first}-{first + n - 1}): ", f"{n} x {text}"))
            first += n
        return framed("ModuleList", "", children)
