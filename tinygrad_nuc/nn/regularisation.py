"""Layers that leave out a random part of their input while a model is trained."""

from ..engine.tensor import Tensor
from . import functional as F
from .functional.regularisation import check_probability
from .module import Module


class Dropout(Module):
    """In training, each value becomes 0 with probability p, and x / (1 − p) otherwise; nothing in evaluation.

    `inplace` is taken and printed for PyTorch's sake only: the result is a new tensor. See
    `tinygrad_nuc.nn.functional.dropout`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(1)
    >>> layer = tn.nn.Dropout(0.5)
    >>> layer(tn.ones(5))
    tensor([0., 2., 2., 2., 0.])
    >>> layer.eval()(tn.ones(5))
    tensor([1., 1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p, self.inplace = p, inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout2d(Dropout):
    """`Dropout` of whole channels of images (N, C, H, W).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(1)
    >>> tn.nn.Dropout2d(0.5)(tn.ones(1, 2, 1, 3)).sum((2, 3))
    tensor([[0., 6.]])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout2d(x, self.p, self.training)
