"""Data sets: numbered samples, one or many at a time."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...engine.arrays import as_array
from ...engine.generator import default_generator
from ...engine.tensor import Tensor, value


class Dataset:
    """Samples numbered from 0: a subclass has ``__len__`` and ``__getitem__``.

    A sample is a tensor, an array or a number, or a tuple, list or dict of samples; samples of one data set are alike.
    Where many can be fetched at once, a subclass overrides `take` too.

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
        """The samples with these numbers as one batch: a tensor for each part of a sample.

        Raises
        ------
        TypeError, ValueError
            If a part of a sample cannot become a tensor, or samples have different shapes, dtypes, lengths or keys.
        """
        return collated([self[int(i)] for i in indices], type(self).__name__)


def batch_of(dataset: Any, indices: np.ndarray) -> Any:
    """The samples with these numbers of anything that has samples, as one batch."""
    if isinstance(dataset, Dataset):
        return dataset.take(indices)
    # Not another thing's own take: a tensor's picks from the flattened values, as in PyTorch.
    return collated([dataset[int(i)] for i in indices], type(dataset).__name__)


def collated(samples: Sequence[Any], name: str) -> Any:
    """Several samples of the data set called `name` as one: their tensors along a new first dimension.

    Examples
    --------
    >>> collated([{"x": 1.0, "label": [0, 1]}, {"x": 2.0, "label": [1, 1]}], "list")
    {'x': tensor([1., 2.]), 'label': (tensor([0, 1]), tensor([1, 1]))}
    """
    first = samples[0]
    if isinstance(first, (tuple, list)):
        require_alike(name, "lengths", [len(x) if isinstance(x, (tuple, list)) else None for x in samples])
        return tuple(collated(part, name) for part in zip(*samples, strict=True))
    if isinstance(first, Mapping):
        require_alike(name, "keys", [set(x) if isinstance(x, Mapping) else None for x in samples])
        return {key: collated([x[key] for x in samples], name) for key in first}
    for x in samples:
        if isinstance(x, (str, bytes, Mapping, tuple, list)) or x is None:
            raise TypeError(unfit(name, x))
    try:
        arrays = [as_array(value(x)) for x in samples]
    except (TypeError, ValueError):
        raise TypeError(unfit(name, first)) from None
    require_alike(name, "shapes", [array.shape for array in arrays])
    require_alike(name, "dtypes", [array.dtype for array in arrays])
    return Tensor(np.stack(arrays))


def unfit(name: str, part: Any) -> str:
    return (f"DataLoader: a sample of {name}, or a part of one, is a {type(part).__name__}; in a batch go numbers, "
            "arrays and tensors, and tuples, lists and dicts of them, alike in all samples")


def require_alike(name: str, what: str, found: list) -> None:
    """An error unless all are equal."""
    other = next((x for x in found if x != found[0]), found[0])
    if other != found[0]:
        raise ValueError(f"DataLoader: the samples of {name} in a batch must have equal {what}, and these have "
                         f"{found[0]} and {other}; make them alike in __getitem__, or take batch_size=1")


def require_samples(who: str, dataset: Any) -> None:
    """An error unless it has numbered samples."""
    by_name = isinstance(dataset, Mapping) and len(dataset) > 0 and 0 not in dataset
    if by_name or not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise TypeError(f"{who}: a data set has a length and numbered samples, as TensorDataset(x, y) or a list of "
                        f"samples; a {type(dataset).__name__} has not")


def require_generator(who: str, generator: Any) -> None:
    """An error unless it is a generator of random numbers, or None."""
    if not (generator is None or isinstance(generator, np.random.Generator)):
        raise TypeError(f"{who}: generator must be a numpy.random.Generator, such as np.random.default_rng(1), "
                        f"not {generator!r}")


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

    def __init__(self, dataset: Any, indices: Any) -> None:
        require_samples("Subset", dataset)
        self.dataset, self.indices = dataset, np.asarray(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def take(self, indices: np.ndarray) -> Any:
        """The samples with these numbers of the subset, as one batch."""
        return batch_of(self.dataset, self.indices[indices])


def random_split(dataset: Any, lengths: Sequence[float],
                 generator: np.random.Generator | None = None) -> list[Subset]:
    """Cut a data set at random into parts that share no sample.

    Parameters
    ----------
    dataset : Dataset, or anything with ``__len__`` and ``__getitem__``
        As for `DataLoader`.
    lengths : sequence of int, or of float
        How many samples each part gets; fractions that add up to 1 are shares (what rounding leaves over goes
        to the first parts, one each).
    generator : numpy.random.Generator, optional
        Instead of the library's own.

    Raises
    ------
    TypeError
        If `dataset` or `generator` is something else.
    ValueError
        If the lengths do not add up.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> data = tn.utils.data.TensorDataset(tn.arange(10))
    >>> [len(part) for part in tn.utils.data.random_split(data, [0.75, 0.25])]
    [8, 2]
    """
    require_samples("random_split", dataset)
    require_generator("random_split", generator)
    if not isinstance(lengths, (Sequence, np.ndarray)) or isinstance(lengths, str):
        raise TypeError(f"random_split: lengths must be a list such as [0.8, 0.2], not {lengths!r}")
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
