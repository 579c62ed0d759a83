"""Watchers: who is told what the engine does while it does it, such as debug mode, and the recorder of `inspect`.

Most of the time nobody watches: all that remains then is a look at an empty list for each operation.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:                       # tensor.py imports debugging.py, which imports this file
    from .tensor import Tensor


class Watcher:
    """What a watcher is told; it overrides what it wants to know. It must not change anything it is shown."""

    def computed(self, y: "Tensor", operation: Any, inputs: tuple) -> None:
        """The operation has computed y."""

    def started(self, outputs: Any, seeds: Any) -> None:
        """A backward pass starts from these tensors, with these gradients."""

    def hooked(self, x: "Tensor", before: Any, after: Any) -> None:
        """The hooks of x have seen its complete gradient, and left this in its place."""

    def sent(self, y: "Tensor", x: "Tensor", derivative: Any, g: Any, share: Any, fitted: Any, total: Any) -> None:
        """The derivative made, of the gradient g of y, a share for its input x.

        Fitted to the shape and dtype of x, it was added to what x had received before, which makes `total`.
        """

    def forgotten(self, x: "Tensor") -> None:
        """The gradient of x is about to be forgotten, by ``zero_grad``."""

    def seen(self, x: "Tensor") -> None:
        """The values of x are used without an operation: in a detached twin, or a copy without history."""

    def changed(self, x: "Tensor") -> None:
        """The values of x have been changed in place, or it has been given another array."""

    def called(self, module: Any) -> None:
        """A module of a network is about to compute."""

    def released(self, y: "Tensor") -> None:
        """The history of y is about to be freed."""

    def ended(self, stored: bool) -> None:
        """The backward pass met no error; told once more, with `stored`, when the leaves have their gradients."""

    def updating(self, optimizer: Any) -> None:
        """The optimizer is about to change its parameters."""

    def updated(self, optimizer: Any) -> None:
        """The optimizer has changed its parameters."""


watchers: list[Watcher] = []            # they come when a block such as ``with tn.debug()`` opens, and go when it ends
