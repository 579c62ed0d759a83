"""The tree that modules make, one inside another, and the walks through it that give everything its name."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..engine.tensor import Tensor
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module


class Tree:
    """The part of a `Module` that finds what is inside it.

    Names are joined with dots. With ``recurse=False`` only what belongs to the module itself is listed, and not what
    belongs to those inside it.

    Examples
    --------
    >>> from tinygrad_nuc import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh(), nn.Linear(3, 1, bias=False)))
    >>> [name for name, _ in model.named_modules()]
    ['', '0', '1', '1.0', '1.1']
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '1.1.weight']
    >>> model.get_submodule("1.1")
    Linear(in_features=3, out_features=1, bias=False)
    """

    _parameters: dict[str, Any]             # each a Parameter, or None where a module does without one
    _buffers: dict[str, Any]                # each a Tensor, or None
    _modules: dict[str, Any]                # each a Module, or None

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """(name, module) for what is directly inside this one, each once."""
        return each_once((name, child) for name, child in self._modules.items() if child is not None)

    def children(self) -> Iterator["Module"]:
        """The modules directly inside this one, each once."""
        return (module for _, module in self.named_children())

    def _walk(self, prefix: str, recurse: bool = True) -> Iterator[tuple[str, Any]]:
        """(name, module) along every path; what is shared comes once for each of its names."""
        yield prefix, self
        for name, child in self._modules.items() if recurse else ():
            if child is not None:
                yield from child._walk(f"{prefix}.{name}" if prefix else name)

    def _walk_values(self, prefix: str, *tables: str, recurse: bool = True) -> Iterator[tuple[str, Any]]:
        """(name, tensor) along every path, from the given tables of each module."""
        for module_name, module in self._walk(prefix, recurse):
            for table in tables:
                for name, tensor in getattr(module, table).items():
                    if tensor is not None:
                        yield (f"{module_name}.{name}" if module_name else name), tensor

    def _values(self) -> Iterator[Tensor]:
        """Every parameter and buffer."""
        return (tensor for _, tensor in self._walk_values("", "_parameters", "_buffers"))

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """(name, module) for this module and all inside it, each once."""
        return each_once(self._walk(prefix))

    def modules(self) -> Iterator["Module"]:
        """This module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> "Module":
        """The module of that name, such as ``"encoder.0"``; of the name "", this one."""
        named = dict(self._walk(""))
        if target not in named:
            inside = ", ".join(name for name in named if name) or "nothing"
            raise AttributeError(f"{type(self).__name__} has no module {target!r} inside, but {inside}")
        return named[target]

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter) for this module and all inside it; a shared parameter comes once."""
        return each_once(self._walk_values(prefix, "_parameters", recurse=recurse))

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters of this module and those inside it."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """(name, buffer) for this module and all inside it."""
        return each_once(self._walk_values(prefix, "_buffers", recurse=recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers of this module and those inside it."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def apply(self, function: Callable) -> Any:
        """Call `function` on every module inside and then on this one, for instance to initialise weights."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self


def each_once(named: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Leave out what came before under another name."""
    seen: set[int] = set()
    for name, thing in named:
        if id(thing) not in seen:
            seen.add(id(thing))
            yield name, thing
