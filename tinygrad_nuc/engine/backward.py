"""The chain rule, applied from the newest value back to the oldest.

Every value y that was computed from x sends x its share of the gradient, ∂L/∂x = ∂L/∂y · ∂y/∂x, and x adds up
what all its uses send. The order matters: x may pass its own gradient on only when the sum is complete. Since
inputs are always older than results, it is enough to visit the newest waiting value first. No recursion, so
the depth of a graph is limited by memory alone.
"""

import operator
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from . import accelerator
from .arrays import as_array
from .clock import Changes
from .explain import device_clash
from .grad_mode import set_grad_enabled
from .hooks import after_hooks
from .origins import changed_at, computed_at
from .ownership import belongs_to
from .tensor import Tensor, method
from .watching import watchers


@method
def backward(self: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
             inputs: Tensor | Iterable[Tensor] | None = None) -> None:
    """Fill in `grad` of every leaf that this tensor was computed from: grad ← grad + ∂(self)/∂leaf.

    Parameters
    ----------
    gradient : Tensor or array_like, optional
        ∂L/∂(self), of this tensor's shape; 1 by default, which only a single number allows.
    retain_graph : bool, optional
        Keep the graph for another backward pass; by default it is freed unless `create_graph` is true.
    create_graph : bool
        Record the backward pass too, so that the gradients can be differentiated again. A leaf and its `grad`
        then refer to each other until ``grad`` is set to None; `tinygrad_nuc.grad` has no such circle.
    inputs : Tensor or several, optional
        Fill in `grad` of these only, and visit only what lies between.

    Raises
    ------
    RuntimeError
        If nothing here was recorded, if the graph was freed by an earlier pass, or if a value that a
        derivative needs was changed in place since.
    ValueError
        If `gradient` is missing for a tensor with several elements, or has another shape.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad                              # d Σx² / dx = 2x
    tensor([2., 4.])
    """
    targets = set(() if inputs is None else as_sequence(inputs))
    needed = None if inputs is None else between([self], targets)
    with set_grad_enabled(create_graph):
        gradients = propagate([self], [starting_gradient(self, gradient)], create_graph, retain_graph, targets, needed)
        with _one_at_a_time:
            sums = {x: own_tensor(gradients, x) if x._grad is None else x._grad + gradients[x] for x in gradients}
            for x, total in sums.items():
                x.check_gradient(total)         # of all of them, before any of them changes
            for x, total in sums.items():
                x._grad = total
    for watcher in watchers:
        watcher.ended(stored=True)


_one_at_a_time = threading.Lock()               # two threads may add to the gradient of the same parameter


def as_sequence(x: Any) -> list:
    """One tensor or array, or several, as a list."""
    return [x] if hasattr(x, "dtype") or not isinstance(x, Iterable) else list(x)


def own_tensor(gradients: dict[Tensor, Any], x: Tensor) -> Tensor:
    """The gradient of `x` as a Tensor with memory of its own: never the buffer of another tensor's gradient."""
    g = gradients[x] if belongs_to(gradients, x) else np.copy(gradients[x])
    return g if isinstance(g, Tensor) else Tensor(g)


def propagate(outputs: Sequence[Tensor], seeds: Sequence[Tensor], create_graph: bool = False,
              retain_graph: bool | None = None, targets: Collection[Tensor] = (),
              needed: Collection[Tensor] | None = None) -> dict[Tensor, Any]:
    """Return {x: ∂L/∂x}, where `seeds` are the ∂L/∂output.

    x is every leaf that is reached, every tensor that retains its gradient, and each of the `targets`. Only the
    `needed` tensors get a gradient at all, if they are given. The rules run on arrays, which records nothing; with
    `create_graph` they run on Tensors and so are recorded themselves.
    """
    retain_graph = create_graph if retain_graph is None else retain_graph
    gradients: dict[Tensor, Any] = {}           # for each value, the sum of what its uses have sent so far
    waiting: list[tuple[int, Tensor]] = []      # a heap: the newest value comes out first
    finished: dict[Tensor, Any] = {}
    of = accelerator.version_of

    def send(x: Tensor, g: Any) -> None:
        if x not in gradients:
            gradients[x] = g
            if x.operation is not None:
                heappush(waiting, (-x.number, x))           # no two have the same number
        elif belongs_to(gradients, x):
            gradients[x] += g
        else:
            gradients[x] = gradients[x] + g

    for watcher in watchers:
        watcher.started(outputs, seeds)
    for output, seed in zip(outputs, seeds, strict=True):
        send(output, seed if create_graph else seed.data)

    while waiting:
        y = heappop(waiting)[1]
        g = gradients.pop(y)                    # complete: everything computed from y is newer than y
        if y.hooks:
            g = after_hooks(y, g)
        if y.retains_grad or y in targets:
            finished[y] = g
        if y in targets and needed is not None and not any(x in needed for x, _ in y.receivers or ()):
            continue                            # nothing behind it is asked for, and that part of the graph stays
        if y.inputs is None or Changes.latest > y.number:       # otherwise nothing at all was changed since
            check_usable(y)
        inputs, result = (y.inputs, y) if create_graph else (y.values, y._data)
        for x, derivative in y.receivers:
            if x._requires_grad and (needed is None or x in needed):
                rule = derivative if create_graph or of is None else of(derivative)     # of arrays on a GPU: its kernel
                try:
                    share = rule(g, result, *inputs, **y.settings)
                except Exception as error:
                    error.add_note(f"in the derivative {rule_name(y, derivative)}; {computed_at(y)}".rstrip("; "))
                    raise
                # mostly it fits: then this is all that fit_to would look at
                fits = type(share) is np.ndarray and share.shape == x._data.shape and share.dtype == x._data.dtype
                fitted = share if fits else fit_to(x, share, y, derivative)
                send(x, fitted)
                for watcher in watchers:
                    watcher.sent(y, x, derivative, g, share, fitted, gradients[x])
        if not retain_graph:
            free(y)
    for x, g in gradients.items():              # what is left in the table belongs to leaves
        finished[x] = after_hooks(x, g) if x.hooks else g
    for watcher in watchers:
        watcher.ended(stored=False)
    return finished


def free(y: Tensor) -> None:
    """Let go of everything that only this graph kept alive."""
    for watcher in watchers:
        watcher.released(y)
    y.inputs = y.values = y.receivers = None


def rule_name(y: Tensor, derivative: Callable) -> str:
    """Multiply.grad_a, say."""
    return f"{y.operation.__name__}.{getattr(derivative, 'func', derivative).__name__}"


def fit_to(x: Tensor, g: Any, y: Tensor, derivative: Callable) -> Any:
    """Give the gradient the shape and dtype of `x`: undo broadcasting and dtype promotion."""
    if getattr(g, "shape", None) != x._data.shape:
        refuse_unless_broadcast(x, g, y, derivative)
        g = accelerator.of(sum_over_copies)(g, x.shape)
    return g if g.dtype == x._data.dtype else g.astype(x.dtype)


def sum_over_copies(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: where x was repeated along an axis, each copy had its own effect on L, and they add up."""
    extra = g.ndim - len(shape)
    repeated = tuple(i for i in range(g.ndim) if i < extra or (shape[i - extra] == 1 and g.shape[i] != 1))
    return np.reshape(np.sum(g, axis=repeated), shape)


def refuse_unless_broadcast(x: Tensor, g: Any, y: Tensor, derivative: Callable) -> None:
    """An error for whoever writes a new operation, if its rule returned what cannot be a gradient of `x`."""
    if hasattr(g, "shape") and g.ndim >= x.ndim:
        if all(n in (1, m) for n, m in zip(reversed(x.shape), reversed(g.shape), strict=False)):
            return
    returned = f"shape {g.shape}" if hasattr(g, "shape") else repr(g)
    raise TypeError(f"{rule_name(y, derivative)} returned {returned} for an argument of shape {x.shape}")


def check_usable(y: Tensor) -> None:
    """Refuse a result whose history is gone, or whose values are no longer those that were recorded.

    All inputs count, also where the rule would not look at them: that is easier to predict than to be lucky.
    """
    name = y.operation.__name__
    if y.inputs is None:
        raise RuntimeError(f"backward through {name} a second time: the first backward freed the graph. Compute the "
                           f"result again, or keep the graph with backward(retain_graph=True){lines(y)}")
    for x in (*y.inputs, y):
        if isinstance(x, Tensor) and x.changes is not None and x.changes.last > y.number:
            what = "its result" if x is y else f"an input of shape {x.shape}"
            raise RuntimeError(f"backward through {name}: {what} was changed in place after {name} was computed, so "
                               "its derivative would be wrong. Change a copy, made with .clone(), instead, and compute "
                               f"the result again{lines(y, x.changes)}")


def lines(y: Tensor, changes: Any = None) -> str:
    """Where a result was computed, and where a value was changed since; or how to find out."""
    known = [line for line in (computed_at(y), changed_at(changes)) if line]
    return "".join(f"\n    {line}" for line in known) or "; inside `with tn.debug():` this error names your lines"


def between(outputs: Sequence[Tensor], targets: Collection[Tensor]) -> set[Tensor]:
    """The tensors through which `targets` influence `outputs`, themselves included: no others need a gradient."""
    reached, stack = set(outputs), list(outputs)
    while stack:                                                # from the outputs back: everything behind them
        y = stack.pop()
        if y.inputs is None and (y not in targets or any(x.number < y.number for x in targets)):
            check_usable(y)                                     # freed: what lay behind it is no longer known
        for x, _ in y.receivers or ():
            if x._requires_grad and x not in reached:
                reached.add(x)
                stack.append(x)
    needed = reached.intersection(targets)
    for y in sorted(reached, key=operator.attrgetter("number")):        # and forward again: what a target has gone into
        for x, _ in y.receivers or ():
            if x in needed:
                needed.add(y)
                break
    return needed


def starting_gradient(output: Tensor, gradient: Any) -> Tensor:
    """∂L/∂output: what the user gave, or 1 for a single number."""
    if not output.requires_grad:
        raise RuntimeError("backward: this tensor has no history, since nothing it was computed from has "
                           "requires_grad=True (or it was computed under no_grad, or detached)")
    if gradient is None:
        if output.numel() != 1:
            raise ValueError(f"backward: a tensor of shape {output.shape} has no single gradient; reduce it to one "
                             f"number first, with .sum() or .mean(), or give ∂L/∂output of shape {output.shape}")
        return Tensor(np.ones_like(output.data))
    if not isinstance(gradient, Tensor):
        gradient = Tensor(np.asarray(as_array(gradient), like=output.data))
    clash = device_clash(("gradient", "tensor"), (gradient.data, output.data))
    if clash:
        raise ValueError(f"backward: {clash}")
    if gradient.shape != output.shape:
        raise ValueError(f"backward: the gradient has shape {gradient.shape}, but the tensor has {output.shape}; "
                         "they must be equal")
    return gradient.to(output.dtype)


def forget_gradient(t: Tensor, set_to_none: bool = True) -> None:
    """Start anew before the next ``backward`` adds to it: no gradient, or one of zeros."""
    for watcher in watchers:
        watcher.forgotten(t)
    t._grad = None if set_to_none or t._grad is None else Tensor(np.zeros_like(t.data))
