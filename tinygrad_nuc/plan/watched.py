"""An ordinary step, watched for what it uses: what has to be stood in for when the step is recorded."""

import weakref
from typing import Any

from ..engine.tensor import Tensor
from ..engine.watching import Watcher, watchers
from .calls import CannotCompile

busy = 0                            # how many steps are being watched or recorded


class Uses(Watcher):
    """What an ordinary step uses that it has not made itself: parameters, buffers, optimizers, layers.

    Attributes
    ----------
    tensors : dict
        By their ids, in order, as long as anybody else has them: what the step makes for itself goes with it.
    fresh : set of Tensor
        Those whose gradient the step forgets before it adds to it.
    modules : dict
        Module → whether it was in training mode.
    optimizers : dict
        Optimizer → the settings of its groups when it began its step.
    """

    def __init__(self) -> None:
        self.tensors: weakref.WeakValueDictionary[int, Tensor] = weakref.WeakValueDictionary()
        self.fresh: set[Tensor] = set()
        self.modules: dict[Any, bool] = {}
        self.changed_ones: dict[Tensor, None] = {}
        self.optimizers: dict[Any, list[dict]] = {}
        self.made: weakref.WeakValueDictionary[int, Tensor] = weakref.WeakValueDictionary()

    def __enter__(self) -> "Uses":
        global busy
        busy += 1
        watchers.append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        global busy
        busy -= 1
        watchers.remove(self)

    def uses(self, x: Any) -> None:
        if isinstance(x, Tensor) and self.made.get(id(x)) is not x:
            self.tensors[id(x)] = x

    def computed(self, y: Tensor, operation: Any, inputs: tuple) -> None:
        for x in inputs:
            self.uses(x)
        self.made[id(y)] = y

    def seen(self, x: Tensor) -> None:
        self.uses(x)

    def changed(self, x: Tensor) -> None:
        self.uses(x)
        self.changed_ones[x] = None

    def forgotten(self, x: Tensor) -> None:
        self.uses(x)
        self.fresh.add(x)

    def called(self, module: Any) -> None:
        self.modules.setdefault(module, module.training)

    def updating(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            for p in group["params"]:
                self.uses(p)
        self.optimizers.setdefault(optimizer, copied(optimizer.param_groups))

    def trained(self) -> set[Tensor]:
        """The parameters of all optimizers: given as an input, such a one is used itself, and not its numbers alone."""
        return {p for optimizer in self.optimizers for group in optimizer.param_groups for p in group["params"]}

    def refuse_new_settings(self) -> None:
        """What the step itself does to an optimizer's settings would not be done again."""
        for optimizer, before in self.optimizers.items():
            if copied(optimizer.param_groups) != before:
                raise CannotCompile(f"the step changes a setting of {type(optimizer).__name__}, which a replay would "
                                    "not do: let the schedule make its step after this one", line="")


def copied(groups: list[dict]) -> list[dict]:
    """The settings of every group, as they are now."""
    return [dict(group) for group in groups]
