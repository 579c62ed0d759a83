"""Data sets: numbered samples, one or many at a time."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.arrays import as_array
from ...engine.generator import default_generator
from ...engine.tensor import Tensor, value


class Dataset:
    """Samples numbered from 0: a subclass has ``__len__`` and ``__getitem__``.

    Where many samples can be fetched at once, it overrides `take` too.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> class Squares(tn.utils.data.Dataset):
    ...     def __len__(self):
    ...         return 10
    ...     def __getitem__(self, index):
    ...         return float(index), float(index ** 2)
    >>> next(iter(tn.utils.data.DataLoader(Squares(), batch_size=3)))
    (tensor([0., 1., 2.]), tensor([0., 1., 4.]))
    """

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} has no __len__ method")

    def __getitem__(self, index: int) -> Any:
        raise TypeError(f"{type(self).__name__} has no __getitem__ method")

    def take(self, indices: np.ndarray) -> Any:
        """The samples with these numbers as one batch: a tensor for each part of a sample."""
        samples = [self[int(i)] for i in indices]
        if isinstance(samples[0], tuple):
            return tuple(as_batch(part) for part in zip(*samples, strict=True))
        return as_batch(samples)


def as_batch(parts: Sequence[Any]) -> Tensor:
    """Equal parts of several samples along a new first dimension."""
    return Tensor(np.stack([as_array(value(part)) for part in parts]))


class TensorDataset(Dataset):
    """Tensors (or arrays) whose first dimension counts the samples.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> data = tn.utils.data.TensorDataset(tn.zeros(5, 3), tn.arange(5))
    >>> len(data), data[4]
    (5, (tensor([0., 0., 0.]), tensor(4)))
    """

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(t if isinstance(t, Tensor) else Tensor(t) for t in tensors)
        lengths = [len(t) for t in self.tensors]
        if len(set(lengths)) != 1:
            raise ValueError(f"TensorDataset: all tensors must have the same length, and these have {lengths}"
                             if lengths else "TensorDataset: give at least one tensor")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def take(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        """The samples with these numbers, by one indexing operation for each tensor."""
        return self[indices]


class Subset(Dataset):
    """The samples of another data set that have the given numbers.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> data = tn.utils.data.TensorDataset(tn.arange(5))
    >>> tn.utils.data.Subset(data, [4, 0])[0]
    (tensor(4),)
    """

    def __init__(self, dataset: Dataset, indices: Any) -> None:
        self.dataset, self.indices = dataset, np.asarray(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def take(self, indices: np.ndarray) -> Any:
        """The samples with these numbers of the subset, as one batch."""
        return self.dataset.take(self.indices[indices])


def random_split(dataset: Dataset, lengths: Sequence[float],
                 generator: np.random.Generator | None = None) -> list[Subset]:
    """Cut a data set at random into parts that share no sample.

    Parameters
    ----------
    lengths : sequence of int, or of float
        How many samples each part gets; fractions that add up to 1 are shares (what rounding leaves over goes
        to the first parts, one each).
    generator : numpy.random.Generator, optional
        Instead of the library's own.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> data = tn.utils.data.TensorDataset(tn.arange(10))
    >>> [len(part) for part in tn.utils.data.random_split(data, [0.75, 0.25])]
    [8, 2]
    """
    n = len(dataset)
    if math.isclose(sum(lengths), 1) and all(0 <= x <= 1 for x in lengths):        # shares
        sizes = [math.floor(n * x) for x in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    elif sum(lengths) == n and all(x >= 0 and x == int(x) for x in lengths):        # numbers of samples
        sizes = [int(x) for x in lengths]
    else:
        raise ValueError(f"random_split: the lengths {list(lengths)} must be whole numbers that add up to the "
                         f"{n} samples, or shares that add up to 1")
    order = (generator or default_generator()).permutation(n)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(sizes)[:-1])]
