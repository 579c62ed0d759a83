"""Layers that only rearrange."""

from ..engine.tensor import Tensor
from .module import Module


class Flatten(Module):
    """Several dimensions as one: by default all but the first, so that every sample becomes a vector.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Flatten()(tn.zeros(5, 32, 7, 7)).shape
    (5, 1568)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One dimension as several; one of their lengths may be −1 and follows from the others.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Unflatten(1, (32, 7, 7))(tn.zeros(5, 1568)).shape
    (5, 32, 7, 7)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of lengths, not {unflattened_size!r}")
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
