"""A tensor made longer at both ends of its dimensions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, value
from .axes import along
from .joining import cat


def reflected(p: Any, n: int) -> Any:
    """… 2 1 | 0 1 2 … n−1 | n−2 …: the positions repeat after 2(n − 1)."""
    p = p % max(2 * (n - 1), 1)
    return np.minimum(p, 2 * (n - 1) - p) if n > 1 else p


def mirrored(p: Any, n: int) -> Any:
    """… 1 0 | 0 1 2 … n−1 | n−1 n−2 …: the positions repeat after 2n."""
    p = p % (2 * n)
    return np.minimum(p, 2 * n - 1 - p)


# mode → which of the positions 0 … n−1 stands at position p, where p may lie outside
POSITIONS: dict[str, Callable] = {
    "edge": lambda p, n: np.clip(p, 0, n - 1),
    "wrap": lambda p, n: p % n,
    "reflect": reflected,
    "symmetric": mirrored,
}
NUMPY_NAMES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Longer by ``pad[0]`` at the beginning and ``pad[1]`` at the end of the last dimension, and so on backwards.

    Parameters
    ----------
    pad : sequence of int
        Two numbers for the last dimension, two for the one before it … Negative ones cut values off.
    mode : str
        What stands there: "constant", the number `value`; "reflect", the values mirrored at the first and the
        last of them, which is not repeated; "replicate", the first and the last value; "circular", the values
        from the other end.
    value : float, optional
        The constant: 0 if it is not given.

    Raises
    ------
    ValueError
        If there are not two numbers per dimension, or too many; if more is cut off than there is, or anything by
        "circular"; if "reflect" would add n or more, or "circular" more than n values to a dimension of length n; if
        another mode than "constant" gets a `value`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([[1.0, 2.0, 3.0]])
    >>> tn.nn.functional.pad(x, (1, 2))
    tensor([[0., 1., 2., 3., 0., 0.]])
    >>> tn.nn.functional.pad(x, (1, 2), mode="reflect")
    tensor([[2., 1., 2., 3., 2., 1.]])
    """
    if mode not in ("constant", *NUMPY_NAMES):
        raise ValueError(f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(f"pad: needs two numbers for each padded dimension of the shape {input.shape}, not {len(pad)}")
    if mode != "constant" and value not in (None, 0):
        raise ValueError(f"pad: a value belongs to mode 'constant', not {mode!r}")
    pairs = list(zip(pad[::2], pad[1::2], strict=True))[::-1]           # PyTorch begins with the last dimension
    widths = [(0, 0)] * (input.ndim - len(pairs)) + pairs
    for n, width in zip(input.shape, widths, strict=True):
        if n + min(width) < 0 or n + sum(width) < 0:
            raise ValueError(f"pad: {width} cuts off more than the {n} values there are")
        if mode == "circular" and min(width) < 0:
            raise ValueError(f"pad: {width} cuts values off, which mode 'circular' cannot; take a slice first")
        most = {"reflect": n - 1, "circular": n}.get(mode)
        if most is not None and max(width) > max(most, 0):
            raise ValueError(f"pad: mode {mode!r} adds at most {most} to a dimension of length {n}, not {max(width)}")
    if mode == "constant":
        constant = 0 if value is None else value
        return with_constants(input, widths, [(constant, constant)] * input.ndim)
    return with_positions(input, widths, NUMPY_NAMES[mode])


def with_constants(x: Tensor, widths: Sequence, constants: Sequence) -> Tensor:
    """Constants before and after the values, axis by axis."""
    y = x.clone()
    for axis, ((before, after), (first, last)) in enumerate(zip(widths, constants, strict=True)):
        if (before, after) == (0, 0):
            continue
        n = y.shape[axis]
        kept = y[along(axis, slice(max(0, -before), n - max(0, -after)))]
        y = cat([constant_block(kept, axis, before, first), kept, constant_block(kept, axis, after, last)], axis)
    return y


def constant_block(x: Tensor, axis: int, length: int, constant: float) -> Any:
    """An array of one number that fits `x` in everything but the length of an axis."""
    return np.full_like(value(x), constant, shape=(*x.shape[:axis], max(0, length), *x.shape[axis + 1:]))


def with_positions(x: Tensor, widths: Sequence, mode: str) -> Tensor:
    """Values of `x` itself before and after its values, axis by axis."""
    y = x.clone()
    for axis, (before, after) in enumerate(widths):
        n = y.shape[axis]
        if (before, after) == (0, 0):
            continue
        if n == 0:
            raise ValueError(f"pad: mode {mode!r} has nothing to repeat along axis {axis} of the shape {x.shape}")
        y = y[along(axis, POSITIONS[mode](np.arange(-before, n + after, like=value(x)), n))]
    return y


# ---------------------------------------------------------------------- as a NumPy call, with NumPy's conventions

@implements(np.pad)
def _np_pad(array: Tensor, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Tensor:
    if mode not in ("constant", *POSITIONS):
        raise ValueError(f"pad: mode must be one of {['constant', *POSITIONS]}, not {mode!r}")
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    if any(type(n) is not int or n < 0 for pair in widths for n in pair):
        raise ValueError(f"pad: pad_width holds whole numbers that are not negative, not {pad_width}")
    widths = [tuple(pair) for pair in widths]
    if isinstance(constant_values, Tensor):
        raise TypeError("pad: constant_values is a setting without a derivative; give its value, with .item()")
    if mode == "constant":
        return with_constants(array, widths, np.broadcast_to(constant_values, (array.ndim, 2)).tolist())
    return with_positions(array, widths, mode)
