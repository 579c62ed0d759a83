"""Hooks: functions that see, and may replace, the gradient of a tensor as soon as it is complete."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .tensor import Tensor, method
from .watching import watchers

_keys = itertools.count()


class RemovableHandle:
    """What `register_hook` returns: ``handle.remove()`` takes the hook away again, as does leaving ``with handle:``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor(1.0, requires_grad=True)
    >>> handle = x.register_hook(print)
    >>> handle.remove()
    >>> x.backward()                # prints nothing
    """

    def __init__(self, hooks: dict[int, Callable], hook: Callable) -> None:
        self.hooks, self.key = hooks, next(_keys)
        hooks[self.key] = hook

    def remove(self) -> None:
        """Take the hook away; doing so twice does no harm."""
        self.hooks.pop(self.key, None)

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(self, *error: Any) -> None:
        self.remove()


@method
def register_hook(self: Tensor, hook: Callable) -> RemovableHandle:
    """Call ``hook(gradient)`` in every backward pass, once the gradient of this tensor is complete.

    What the hook returns takes the gradient's place: for the tensors behind this one, and, on a leaf, in what is
    added to `grad`. Returning None leaves it as it is. Several hooks are called in the order they came.

    Parameters
    ----------
    hook : function
        Of a Tensor with this tensor's shape and dtype; returns such a Tensor, or None.

    Returns
    -------
    RemovableHandle

    Raises
    ------
    RuntimeError
        If this tensor does not require a gradient.
    TypeError
        In the backward pass, if the hook returns something else.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
    >>> y = x * x
    >>> handle = y.register_hook(lambda g: g.clamp(-1, 1))      # ∂L/∂y is 10 for both elements
    >>> (10 * y).sum().backward()
    >>> x.grad                                                  # 1 · 2x instead of 10 · 2x
    tensor([2., 4.])
    """
    if not self.requires_grad:
        raise RuntimeError("register_hook: no gradient will ever reach this tensor, since it requires none")
    if not callable(hook):
        raise TypeError(f"register_hook: a hook is a function of the gradient, not a {type(hook).__name__}")
    if self.hooks is None:
        self.hooks = {}
    return RemovableHandle(self.hooks, hook)


def after_hooks(x: Tensor, g: Any) -> Any:
    """The complete gradient `g` of `x`, as its hooks leave it."""
    before = g
    for hook in list((x.hooks or {}).values()):
        given = g if isinstance(g, Tensor) else Tensor(np.copy(g))
        answer = hook(given)
        answer = given if answer is None else answer
        if not isinstance(answer, Tensor) or (answer.shape, answer.dtype) != (x.shape, x.dtype):
            what = f"shape {answer.shape}, {answer.dtype}" if isinstance(answer, Tensor) else type(answer).__name__
            raise TypeError(f"a hook returned {what}; the gradient is a Tensor of shape {x.shape}, {x.dtype} "
                            "(or return None, to leave it as it is)")
        g = answer if isinstance(g, Tensor) else answer.data
    for watcher in watchers:
        watcher.hooked(x, before, g)
    return g
