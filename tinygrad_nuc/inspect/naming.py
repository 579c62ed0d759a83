"""The program's own names for its tensors and modules: those of the variables in the functions that are running."""

from typing import Any

from ..engine.origins import in_user_code
from ..engine.tensor import Tensor
from ..nn.module import Module

DEPTH = 6           # how many functions out we look


class Names:
    """What is known so far of modules and their parameters.

    Attributes
    ----------
    modules : dict
        By its id: each module (kept, so that no other gets its id) and its name, ``model.0`` say.
    parameters : dict
        By its id: the name of each parameter and buffer, ``model.0.weight`` say.
    """

    def __init__(self) -> None:
        self.modules: dict[int, tuple[Module, str]] = {}
        self.parameters: dict[int, str] = {}

    def learn(self, frame: Any) -> list[tuple[str, Tensor]]:
        """The variables that hold tensors, from the innermost function out; modules in variables are remembered."""
        variables, functions = [], 0
        while frame is not None and functions < DEPTH:
            if in_user_code(frame):
                functions += 1
                for name, x in list(frame.f_locals.items()):
                    if isinstance(x, Tensor) and not name.startswith("_"):
                        variables.append((name, x))
                    elif isinstance(x, Module) and not name.startswith("_"):
                        self.learn_module(x, "" if name == "self" else name)
            frame = frame.f_back
        return variables

    def learn_module(self, module: Module, name: str) -> None:
        """The names of a module, its parts and its parameters; without `name`, parts are named as the module does."""
        _, known = self.modules.get(id(module), (module, None))
        if known or known == name:
            return
        for path, part in module.named_modules():
            self.modules[id(part)] = (part, ".".join(filter(None, (name, path))))
        for path, x in [*module.named_parameters(), *module.named_buffers()]:
            self.parameters[id(x)] = ".".join(filter(None, (name, path)))
