"""The program's own names for its tensors and modules: those of the variables in the functions that are running."""

from collections.abc import Iterator
from typing import Any

from ...engine.origins import in_user_code
from ...engine.tensor import Tensor
from ...nn.module import Module

DEPTH = 6           # how many functions out we look
MOST = 100          # how many things in a list we look at


class Names:
    """What is known so far of modules and their parameters.

    Attributes
    ----------
    modules : dict
        By its id: each module (kept, so that no other gets its id) and its name, ``model.0`` say.
    parameters : dict
        By its id: each parameter and buffer (kept as well) and its name, ``model.0.weight`` say.
    """

    def __init__(self) -> None:
        self.modules: dict[int, tuple[Module, str]] = {}
        self.parameters: dict[int, tuple[Tensor, str]] = {}

    def learn(self, frame: Any) -> list[tuple[str, Tensor]]:
        """The variables that hold tensors, the best name of each first; modules in variables are remembered.

        Best is a variable of an inner function. But a function's arguments have been named by who calls it, so they
        come after all of these, and what is in a list last.
        """
        variables: list[tuple[str, Tensor]] = []
        arguments: list[tuple[str, Tensor]] = []
        parts: list[tuple[str, Any]] = []
        functions = 0
        while frame is not None and functions < DEPTH:
            if in_user_code(frame):
                functions += 1
                code = frame.f_code
                taken = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
                for name, x in list(frame.f_locals.items()):
                    if name.startswith("_"):
                        continue
                    if isinstance(x, Tensor):
                        (arguments if name in taken else variables).append((name, x))
                    elif isinstance(x, Module):
                        self.learn_module(x, "" if name == "self" else name)
                    elif name == "self" or isinstance(x, (list, tuple, dict)):
                        parts += inside(name, x)
            frame = frame.f_back
        for path, x in parts:
            if isinstance(x, Module) and id(x) not in self.modules:
                self.learn_module(x, path)
        return variables + arguments + [(path, x) for path, x in parts if isinstance(x, Tensor)]

    def learn_module(self, module: Module, name: str) -> None:
        """The names of a module, its parts and its parameters; without `name`, parts are named as the module does."""
        _, known = self.modules.get(id(module), (module, None))
        if known or known == name:
            return
        for path, part in module.named_modules():
            self.modules[id(part)] = (part, joined(name, path))
        for path, x in [*module.named_parameters(), *module.named_buffers()]:
            self.parameters[id(x)] = (x, joined(name, path))

    def look_again(self) -> None:
        """Names for parameters that modules have got since they became known."""
        for module, name in list(self.modules.values()):
            for path, x in module.named_parameters():
                self.parameters.setdefault(id(x), (x, joined(name, path)))


def inside(name: str, x: Any) -> Iterator[tuple[str, Any]]:
    """What a variable holds that is a list, a tuple, a dictionary, or ``self`` of a class of the program's own."""
    if isinstance(x, (list, tuple)):
        yield from ((f"{name}[{i}]", part) for i, part in enumerate(x[:MOST]))
    elif isinstance(x, dict):
        yield from ((f"{name}[{key!r}]", x[key]) for key in list(x)[:MOST] if isinstance(key, (str, int)))
    else:
        yield from ((key, part) for key, part in list(getattr(x, "__dict__", {}).items()))


def joined(name: str, path: str) -> str:
    """``model`` and ``0.weight`` → ``model.0.weight``; either may be empty."""
    return ".".join(filter(None, (name, path)))
