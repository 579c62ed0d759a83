"""What a training step does, watched before it is recorded: whether anything in it could not be replayed."""

from typing import Any

from ..engine import accelerator, arrays
from ..engine.origins import user_line
from ..engine.tensor import Tensor
from ..engine.watching import Watcher, watchers


class Rehearsal(Watcher):
    """A context in which one ordinary step is made.

    """

    def __init__(self) -> None:
        self.fresh: dict[Tensor, bool] = {}             # leaf → whether it starts anew, without an earlier gradient
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
        for optimizer, before in self.settings.items():
            if settings_of(optimizer) != before:
                return (f"it changes a setting of {type(optimizer).__name__}, which would not be done again: let the "
                        "schedule make its step after this one")
        return ""


def settings_of(optimizer: Any) -> list[dict[str, Any]]:
    """The settings of every group."""
    return [{name: x for name, x in group.items() if name != "params"} for group in optimizer.param_groups]
