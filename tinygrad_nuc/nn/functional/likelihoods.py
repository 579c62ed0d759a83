"""Negative log-likelihoods of measured numbers: normal with an uncertainty of its own each, and counts."""

import math
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...operations.exponential import exp, log
from ...operations.selection import where
from .loss_parts import matching, of_same_dtype, reduced, require_not_negative, require_number


def gaussian_nll_loss(input: Tensor, target: Any, var: Any, full: bool = False, eps: float = 1e-6,
                      reduction: str = "mean") -> Tensor:
    """½ (ln σ² + (t − μ)²/σ²): the negative log-likelihood of targets t with mean μ and variance σ², both predicted.

    Parameters
    ----------
    input : Tensor
        The means μ.
    target : Tensor of the same shape
    var : Tensor or number
        The variances σ² ≥ 0: one for each element, or of the shape of `input` without its last dimension, or with
        a 1 in place of one dimension, or one number for all.
    full : bool
        Add the constant ½ ln 2π as well.
    eps : float
        A smaller variance counts as this one. Its slope is that at `eps`, so that it can still grow.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes do not fit, or a variance is negative (looked at on the CPU only).

    Source: D. A. Nix and A. S. Weigend, "Estimating the mean and variance of the target probability distribution",
    ICNN 1994.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> mu, t = tn.tensor([1.0, 2.0]), tn.tensor([1.5, 2.0])
    >>> tn.nn.functional.gaussian_nll_loss(mu, t, tn.tensor([0.25, 1.0]), reduction="none")
    tensor([-0.1931,  0.0000])
    """
    target = matching("gaussian_nll_loss", input, target)
    var = variances(input, var)
    eps = require_number("gaussian_nll_loss", "eps", eps)
    var = var + np.maximum(eps - var.data, 0)               # the larger of both, with the slope of var itself
    loss = 0.5 * (log(var) + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced("gaussian_nll_loss", loss, reduction)


def variances(input: Tensor, var: Any) -> Tensor:
    """The variances as a tensor that broadcasts to the shape of `input`."""
    if isinstance(var, (int, float, np.number)):
        require_number("gaussian_nll_loss", "var", var)
        return Tensor(np.full_like(input.data, var))
    var = of_same_dtype("gaussian_nll_loss", input, "var", var)
    if input.ndim and var.shape == input.shape[:-1]:        # one for each row
        var = var.unsqueeze(-1)
    differing = [n for n, m in zip(var.shape, input.shape, strict=False) if n != m]
    if var.ndim != input.ndim or differing not in ([], [1]):
        raise ValueError(f"gaussian_nll_loss: a var of shape {var.shape} does not fit an input of shape {input.shape}; "
                         "it must have that shape, or lack the last dimension, or have a 1 in place of one dimension")
    require_not_negative("gaussian_nll_loss", "var", var)
    return var


def poisson_nll_loss(input: Tensor, target: Any, log_input: bool = True, full: bool = False, *, eps: float = 1e-8,
                     reduction: str = "mean") -> Tensor:
    """λ − n ln λ: the negative log-likelihood of counts n where λ are expected, up to the constant ln n!.

    Parameters
    ----------
    input : Tensor
        ln λ, which may be any number; or the expected counts λ themselves.
    target : Tensor of the same shape
        The counts n.
    log_input : bool
        Whether `input` is ln λ; the loss is then exp(x) − n x. Otherwise it is x − n ln(x + eps).
    full : bool
        Add Stirling's approximation of ln n!, which is n ln n − n + ½ ln 2πn, for n > 1.
    eps : float
        Keeps ln λ finite at λ = 0.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, or a count or λ is negative (looked at on the CPU only).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> expected, counted = tn.tensor([2.0, 5.0]), tn.tensor([3, 5])
    >>> tn.nn.functional.poisson_nll_loss(expected.log(), counted, reduction="none")
    tensor([-0.0794, -3.0472])
    """
    target = matching("poisson_nll_loss", input, target)
    require_not_negative("poisson_nll_loss", "target", target)
    if log_input:
        loss = exp(input) - target * input
    else:
        require_not_negative("poisson_nll_loss", "input (with log_input=False the expected count)", input)
        loss = input - target * log(input + require_number("poisson_nll_loss", "eps", eps))
    if full:
        several = target > 1
        n = where(several, target, 1.0)
        loss = loss + where(several, n * log(n) - n + 0.5 * log(2 * math.pi * n), 0.0)
    return reduced("poisson_nll_loss", loss, reduction)
