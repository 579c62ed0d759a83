"""Parameter: a tensor that is trained."""

from typing import Any

from ..engine.tensor import Tensor, value


class Parameter(Tensor):
    """A tensor that a module trains: it requires a gradient, and modules list it under its name.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Parameter(tn.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(value(data), requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
