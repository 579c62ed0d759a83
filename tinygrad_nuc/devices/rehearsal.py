"""What a training step does, watched before it is recorded: whether anything in it could not be replayed."""

import weakref
from typing import Any

from ..engine import accelerator, arrays
from ..engine.origins import user_line
from ..engine.tensor import Tensor
from ..engine.watching import Watcher, watchers
from .kernels.matmul import get_float32_matmul_precision
from .kernels.registry import kernels_in_use


class Results:
    """A set of tensors that lets go of them: by identity, since ``==`` compares their numbers."""

    def __init__(self) -> None:
        self.by_id: weakref.WeakValueDictionary[int, Tensor] = weakref.WeakValueDictionary()

    def add(self, x: Tensor) -> None:
        self.by_id[id(x)] = x

    def __contains__(self, x: Tensor) -> bool:
        return self.by_id.get(id(x)) is x


class Rehearsal(Watcher):
    """A context in which one ordinary step is made.

    Parameters
    ----------
    earlier : list of Results
        What the steps before have computed.
    """

    def __init__(self, earlier: list[Results]) -> None:
        self.earlier = earlier
        self.carried: list[Tensor] = []                 # what was among that, and is used again
        self.fresh: dict[Tensor, bool] = {}             # leaf → whether it starts anew, without an earlier gradient
        self.made = Results()                           # what of its results is still there
        self.settings: dict[Any, list] = {}             # of each optimizer, when it began its step
        self.reads: list[str] = []                      # the lines that read a value

    def __enter__(self) -> "Rehearsal":
        watchers.append(self)
        accelerator.rehearsing = True           # so that everything a record needs is loaded and compiled
        arrays.reads.append(self.note_read)
        return self

    def __exit__(self, *error: Any) -> None:
        watchers.remove(self)
        accelerator.rehearsing = False
        arrays.reads.remove(self.note_read)

    # ------------------------------------------------------------------ what the engine tells

    def computed(self, y: Tensor, operation: Any, inputs: tuple) -> None:
        self.made.add(y)
        self.carried += [x for x in inputs if isinstance(x, Tensor) and any(x in made for made in self.earlier)]

    def note_read(self) -> None:
        self.reads.append(user_line())

    def sent(self, y: Any, x: Tensor, *shares: Any) -> None:
        if x.operation is None and x.requires_grad:
            self.fresh.setdefault(x, x._grad is None)

    def forgotten(self, x: Tensor) -> None:
        self.fresh.setdefault(x, True)

    def updating(self, optimizer: Any) -> None:
        self.settings[optimizer] = settings_of(optimizer)

    # ------------------------------------------------------------------ what follows from it

    def surroundings(self) -> tuple:
        """What a record depends on, besides the tensors that it uses."""
        trained = [tuple(map(id, group["params"])) for optimizer in self.settings for group in optimizer.param_groups]
        return trained, get_float32_matmul_precision(), kernels_in_use()

    @property
    def leaves(self) -> list[Tensor]:
        """The tensors that get a gradient."""
        return list(self.fresh)

    def obstacle(self) -> str:
        """Why the step cannot be recorded; "" if nothing is in the way."""
        if self.reads:
            return (f"it reads a value, for which the GPU would have to be waited for: {self.reads[0]}. Read values "
                    "after the step, from what it returns")
        older = [x for x, fresh in self.fresh.items() if not fresh]
        if older:
            return (f"it adds to the gradient of an earlier step, of a tensor of shape {older[0].shape}: call "
                    "zero_grad() in the step")
        if self.carried:
            return (f"it goes on from a value that the step before has computed, of shape {self.carried[0].shape}: "
                    "give it as an input, and return the new one")
        for optimizer, before in self.settings.items():
            if settings_of(optimizer) != before:
                return (f"it changes a setting of {type(optimizer).__name__}, which would not be done again: let the "
                        "schedule make its step after this one")
        return ""


def settings_of(optimizer: Any) -> list[dict[str, Any]]:
    """The settings of every group."""
    return [{name: x for name, x in group.items() if name != "params"} for group in optimizer.param_groups]
