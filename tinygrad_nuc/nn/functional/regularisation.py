"""Random gaps in training, so that no unit comes to rely on a single other one."""

from typing import Any

import numpy as np

from ...devices.moving import placed_like
from ...engine import accelerator
from ...engine.generator import default_generator
from ...engine.tensor import Tensor
from .checks import require_float


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, each value becomes 0 with probability p, and x / (1 − p) otherwise, so that the mean stays.

    Outside of training, the input itself. The gaps come from the seeded generator (`tinygrad_nuc.manual_seed`); on a
    GPU they are others than on the CPU, since it makes them itself, from one number of that generator.

    Parameters
    ----------
    p : float
        From 0 to 1, which drops everything.
    inplace : bool
        For PyTorch's sake only: the result is always a new tensor.

    Raises
    ------
    TypeError
        If `input` is not a tensor of floating-point numbers.
    ValueError
        If p is not a probability.

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(1)
    >>> tn.nn.functional.dropout(tn.ones(5))
    tensor([0., 2., 2., 2., 0.])
    """
    return dropped("dropout", input, p, training, input.shape)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels, since the neighbours of a pixel know its value nearly as well.

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W)

    Raises
    ------
    TypeError
        If `input` is not a tensor of floating-point numbers.
    ValueError
        If p is not a probability, or `input` has another number of dimensions.

    Source: Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(1)
    >>> tn.nn.functional.dropout2d(tn.ones(1, 2, 1, 3))
    tensor([[[[0., 0., 0.]],
    <BLANKLINE>
             [[2., 2., 2.]]]])
    """
    require_float("dropout2d", input)
    if input.ndim != 4:
        raise ValueError(f"dropout2d: expects images of shape (N, C, H, W), not {input.shape}")
    return dropped("dropout2d", input, p, training, (*input.shape[:2], 1, 1))


def dropped(name: str, input: Tensor, p: float, training: bool, shape: tuple[int, ...]) -> Tensor:
    """The input times 0 or 1 / (1 − p), drawn for each element of an array of this shape."""
    require_float(name, input)
    check_probability(name, p)
    if not training or p == 0:
        return input
    return input * accelerator.of(gaps)(input.data, p, shape)


def gaps(x: Any, p: float, shape: tuple[int, ...]) -> Any:
    """0 with probability p, and 1 / (1 − p) otherwise, in an array of this shape like x."""
    kept = placed_like(x, default_generator().random(shape, np.float32) >= p)
    return kept.astype(x.dtype) * (1 / (1 - p) if p < 1 else 0)


def check_probability(name: str, p: float) -> None:
    """Refuse what is not a probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p is the probability that a value is dropped, from 0 to 1, not {p}")
