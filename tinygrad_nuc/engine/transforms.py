"""Derivatives as values: `grad` returns what ``backward`` would store."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .backward import as_sequence, between, own_tensor, propagate, starting_gradient
from .grad_mode import set_grad_enabled
from .tensor import Tensor


def grad(outputs: Tensor | Iterable[Tensor], inputs: Tensor | Iterable[Tensor], grad_outputs: Any = None,
         retain_graph: bool | None = None, create_graph: bool = False,
         allow_unused: bool = False, materialize_grads: bool = False) -> tuple[Tensor | None, ...]:
    """Return ∂(Σ outputs · grad_outputs)/∂input for each of the `inputs`; no tensor's ``grad`` changes.

    Only what lies between `inputs` and `outputs` is visited.

    Parameters
    ----------
    outputs, inputs : Tensor or several
    grad_outputs : Tensor or sequence, optional
        ∂L/∂output for each output, of its shape; 1 by default, which only single numbers allow.
    retain_graph : bool, optional
        Keep the graph for another pass; by default it is freed unless `create_graph` is true.
    create_graph : bool
        Record this pass too, so that its results can be differentiated again.
    allow_unused : bool
        Give None for an input that the outputs do not depend on, instead of an error.
    materialize_grads : bool
        Give zeros for such an input.

    Raises
    ------
    RuntimeError
        If an input does not require a gradient or does not influence the outputs; as ``backward`` otherwise.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor(2.0, requires_grad=True)
    >>> slope, = tn.grad(x ** 3, x, create_graph=True)          # 3x²
    >>> bend, = tn.grad(slope, x)                               # 6x
    >>> slope.item(), bend.item()
    (12.0, 12.0)
    """
    outputs, inputs = as_sequence(outputs), as_sequence(inputs)
    for x in (*outputs, *inputs):
        if not isinstance(x, Tensor):
            raise TypeError(f"grad: outputs and inputs are tensors, not a {type(x).__name__}")
    grad_outputs = [None] * len(outputs) if grad_outputs is None else as_sequence(grad_outputs)
    if len(grad_outputs) != len(outputs):
        raise ValueError(f"grad: {len(outputs)} outputs need as many grad_outputs, not {len(grad_outputs)}")
    for i, x in enumerate(inputs):
        if not x.requires_grad:
            raise RuntimeError(f"grad: input {i}, of shape {x.shape}, does not require a gradient")

    needed = between(outputs, set(inputs))
    for i, x in enumerate(inputs):
        if x not in needed and not allow_unused and not materialize_grads:
            raise RuntimeError(f"grad: the outputs do not depend on input {i}, of shape {x.shape}; "
                               "allow_unused=True gives None for it, materialize_grads=True zeros")

    with set_grad_enabled(create_graph):
        seeds = [starting_gradient(y, g) for y, g in zip(outputs, grad_outputs, strict=True)]
        found = propagate(outputs, seeds, create_graph, retain_graph, set(inputs), needed)
        if materialize_grads:
            found = {x: np.zeros_like(x.data) for x in inputs} | found
        return tuple(own_tensor(found, x) if x in found else None for x in inputs)
