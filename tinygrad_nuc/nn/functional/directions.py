"""The negative log-likelihood of directions in space: the von Mises-Fisher distribution."""

import math
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...operations.exponential import exp, log, log1p, sqrt
from ...operations.norms import norm
from ...operations.selection import where
from ...operations.special import polynomial
from .loss_parts import matching, of_same_dtype, reduced, require_not_negative, require_number

# ln(sinh κ / κ) / κ² as a Taylor series in κ², with coefficients 4ⁿ B₂ₙ / (2n (2n)!) made of Bernoulli numbers; up to
# κ = 1/2 what is left out is below 1e-19
SERIES = (1 / 6, -1 / 180, 1 / 2835, -1 / 37800, 1 / 467775, -691 / 3831077250, 2 / 127702575, -3617 / 2605132530000,
          43867 / 350813659321125, -174611 / 15313294652906250, 155366 / 147926426347074375)
NEAR = 0.5


def von_mises_fisher_nll_loss(input: Tensor, target: Any, kappa: Any = None, *, reduction: str = "mean") -> Tensor:
    """−ln C(κ) − κ μ·x: the negative log-likelihood of directions x, with C(κ) = κ / (4π sinh κ).

    The von Mises-Fisher distribution is to directions what the normal distribution is to numbers: around the mean
    direction μ they scatter by about 1/√κ (in radians) to either side, and for κ = 0 all are equally likely. The usual
    network predicts a vector v in space without constraints, whose direction is μ and whose length is κ: how far
    it trusts itself. Then the loss is −ln C(|v|) − v·x, smooth also at v = 0, where its gradient is −x.

    Values and derivatives keep their digits, from κ = 0 to 10⁴ and beyond.

    Parameters
    ----------
    input : Tensor, shape (…, 3)
        The vectors v = κμ; with `kappa`, vectors of which only the direction μ counts.
    target : Tensor, shape (…, 3)
        The directions x, as vectors of length 1. Where rounding has left another length, they are divided by it.
    kappa : Tensor or number, optional
        The concentrations κ ≥ 0, of shape (…) or (…, 1), or one for all.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes do not fit, and (looked at on the CPU only) if the length of a target differs from 1 by more
        than 0.001 or a κ is negative.

    Source: K. V. Mardia and P. E. Jupp, *Directional Statistics*, Wiley 2000, section 9.3; as a loss: S. Kumar and
    Y. Tsvetkov, "Von Mises-Fisher loss for training sequence to sequence models with continuous outputs", ICLR 2019.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([[0.0, 0.0, 1.0]])
    >>> v = tn.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 20.0], [0.0, 20.0, 0.0]])      # nothing known, right, wrong
    >>> tn.nn.functional.von_mises_fisher_nll_loss(v, x.expand(3, 3), reduction="none")
    tensor([ 2.5310, -1.1579, 18.8421])
    """
    name = "von_mises_fisher_nll_loss"
    x = unit_vectors(name, matching(name, input, target))
    if kappa is None:
        square = (input * input).sum(-1)
        near = square < NEAR ** 2
        kappa = sqrt(where(near, 1.0, square))              # for small |v| only κμ = v is needed, and 1 · v is that
        mu = input / kappa.unsqueeze(-1)
    else:
        kappa = concentrations(name, input, kappa)
        square = kappa * kappa
        near = kappa < NEAR
        length = norm(input, dim=-1, keepdim=True)
        mu = input / where(length == 0, 1.0, length)

    small = where(near, square, 0.0)                        # κ² = v·v is smooth at v = 0, where κ = |v| has a tip
    close = small * polynomial(SERIES, small) - kappa * (mu * x).sum(-1)
    # ln(sinh κ/κ) − κ μ·x = ln((1 − exp(−2κ))/(2κ)) + κ (1 − μ·x), and 1 − μ·x is |μ − x|²/2 without cancellation
    large = where(near, 1.0, kappa)
    far = log1p(-exp(-2 * large)) - log(2 * large) + large * ((mu - x) ** 2).sum(-1) / 2
    return reduced(name, math.log(4 * math.pi) + where(near, close, far), reduction)


def unit_vectors(name: str, x: Tensor) -> Tensor:
    """The vectors, which must have length 1, without what rounding has added."""
    if x.ndim == 0 or x.shape[-1] != 3:
        raise ValueError(f"{name}: directions are vectors of three components in the last dimension, "
                         f"and the shape is {x.shape}")
    length = norm(x, dim=-1, keepdim=True)
    if type(x.data) is np.ndarray and x.numel():            # a device would have to wait for the answer
        worst = length.data.flat[abs(length.data - 1).argmax()]
        if not abs(worst - 1) <= 1e-3:
            raise ValueError(f"{name}: the targets must be directions, vectors of length 1, and one has length "
                             f"{worst:g}; divide them by x.norm(dim=-1, keepdim=True)")
    return x / length


def concentrations(name: str, input: Tensor, kappa: Any) -> Tensor:
    """κ as a tensor that broadcasts against one number for each vector."""
    if isinstance(kappa, (int, float, np.number)):
        return Tensor(np.full_like(input.data[..., 0], require_number(name, "kappa", kappa)))
    kappa = of_same_dtype(name, input, "kappa", kappa)
    rows = input.shape[:-1]
    if kappa.shape == (*rows, 1):
        kappa = kappa.squeeze(-1)
    if kappa.shape not in ((), rows):
        raise ValueError(f"{name}: a kappa of shape {kappa.shape} does not fit vectors of shape {input.shape}; "
                         f"it must have shape {rows} or {(*rows, 1)}, or be one number")
    require_not_negative(name, "kappa", kappa)
    return kappa
