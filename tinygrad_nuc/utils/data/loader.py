"""DataLoader: a data set in batches, in a seeded order."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...engine.generator import default_generator
from .dataset import Dataset


class DataLoader:
    """Go through a data set in batches; each ``for`` loop is one epoch.

    Parameters
    ----------
    dataset : Dataset
    batch_size : int
        Samples in a batch; at most the number of samples there are.
    shuffle : bool
        A new random order for every epoch.
    drop_last : bool
        Leave out the last batch if it is smaller than the others.
    generator : numpy.random.Generator, optional
        Where the order comes from, instead of the library's own. It is the same for any batch size.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
    >>> x, y = tn.arange(5), tn.arange(5) * 10
    >>> for batch_x, batch_y in DataLoader(TensorDataset(x, y), batch_size=2):
    ...     print(batch_x, batch_y)
    tensor([0, 1]) tensor([ 0, 10])
    tensor([2, 3]) tensor([20, 30])
    tensor([4]) tensor([40])
    """

    def __init__(self, dataset: Dataset, batch_size: int = 1, shuffle: bool = False, drop_last: bool = False,
                 generator: np.random.Generator | None = None) -> None:
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"DataLoader: batch_size must be a whole number of at least 1, not {batch_size!r}")
        if batch_size > len(dataset):
            raise ValueError(f"DataLoader: a batch of {batch_size} is larger than the {len(dataset)} samples there are")
        self.dataset, self.batch_size = dataset, int(batch_size)
        self.shuffle, self.drop_last, self.generator = shuffle, drop_last, generator

    def __len__(self) -> int:
        batches = len(self.dataset) / self.batch_size
        return math.floor(batches) if self.drop_last else math.ceil(batches)

    def __iter__(self) -> Iterator[Any]:
        n = len(self.dataset)
        order = (self.generator or default_generator()).permutation(n) if self.shuffle else np.arange(n)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield self.dataset.take(order[start:start + self.batch_size])
