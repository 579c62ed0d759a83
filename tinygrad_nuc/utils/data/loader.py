"""DataLoader: a data set in batches, in a seeded order."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from ...engine.generator import default_generator, generator_at
from ..arguments import whole_number
from .dataset import batch_of, require_generator, require_samples


class DataLoader:
    """Go through a data set in batches; each ``for`` loop is one epoch.

    Parameters
    ----------
    dataset : Dataset, or anything with ``__len__`` and ``__getitem__``
        A list of samples will do, and a tensor or an array, whose samples are its rows. A batch has a tensor for each
        part of a sample: samples ``(x, y)`` or ``[x, y]`` give a tuple, samples ``{"x": x, "y": y}`` a dict.
    batch_size : int
        Samples in a batch; at most the number of samples there are.
    shuffle : bool
        A new random order for every epoch.
    drop_last : bool
        Leave out the last batch if it is smaller than the others.
    generator : numpy.random.Generator, optional
        Where the order comes from, instead of the library's own. It is the same for any batch size.
    num_workers : int
        Threads that fetch the next batches while the present one is used: worth it for data on a disk. They change
        neither the order nor the batches (unless the data set itself draws random numbers).
    prefetch_factor : int
        How many batches each thread may be ahead.

    Raises
    ------
    TypeError
        If `dataset` has no length or no numbered samples, or `generator` is no generator. In the ``for`` loop: if a
        part of a sample cannot become a tensor.
    ValueError
        If a number is too small, or a batch larger than the data set. In the ``for`` loop: if the samples of a batch
        have different shapes, dtypes, lengths or keys.

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

    def __init__(self, dataset: Any, batch_size: int = 1, shuffle: bool = False, drop_last: bool = False,
                 generator: np.random.Generator | None = None, num_workers: int = 0, prefetch_factor: int = 2) -> None:
        self.batch_size = whole_number("DataLoader", "batch_size", batch_size)
        self.num_workers = whole_number("DataLoader", "num_workers", num_workers, least=0)
        self.prefetch_factor = whole_number("DataLoader", "prefetch_factor", prefetch_factor)
        require_samples("DataLoader", dataset)
        require_generator("DataLoader", generator)
        if batch_size > len(dataset):
            raise ValueError(f"DataLoader: a batch of {batch_size} is larger than the {len(dataset)} samples there are")
        self.dataset, self.generator = dataset, generator
        self.shuffle, self.drop_last = shuffle, drop_last
        self._position = 0                              # how many batches of this epoch have been given out
        self._drawn_at: dict[str, Any] = {}             # where the generator stood before the order was drawn
        self._goes_on = False                           # whether the next loop is the rest of an epoch

    def __len__(self) -> int:
        batches = len(self.dataset) / self.batch_size
        return math.floor(batches) if self.drop_last else math.ceil(batches)

    def __iter__(self) -> Iterator[Any]:
        if self._goes_on:
            order, self._goes_on = self._order(generator_at(self._drawn_at) if self.shuffle else None), False
        else:
            generator = self.generator or default_generator()
            self._position, self._drawn_at = 0, dict(generator.bit_generator.state)
            order = self._order(generator)
        starts = range(self._position * self.batch_size, len(self) * self.batch_size, self.batch_size)
        parts = [order[start:start + self.batch_size] for start in starts]
        take = partial(batch_of, self.dataset)
        for batch in fetched(take, parts, self.num_workers, self.num_workers * self.prefetch_factor):
            self._position += 1
            yield batch
        self._position = 0

    def _order(self, generator: np.random.Generator | None) -> np.ndarray:
        """The samples' numbers in the order of one epoch."""
        n = len(self.dataset)
        return generator.permutation(n) if self.shuffle and generator else np.arange(n)

    def state_dict(self) -> dict[str, Any]:
        """How far this epoch has got, and in which order: enough to go on from here in another process.

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
        >>> loader = DataLoader(TensorDataset(tn.arange(6)), batch_size=2, shuffle=True)
        >>> epoch = iter(loader)
        >>> first, state = next(epoch), loader.state_dict()
        >>> second = DataLoader(TensorDataset(tn.arange(6)), batch_size=2, shuffle=True)
        >>> second.load_state_dict(state)
        >>> [t.tolist() for t, in second] == [t.tolist() for t, in epoch]
        True
        """
        own = None if self.generator is None else self.generator.bit_generator.state
        return {"position": self._position, "drawn_at": self._drawn_at, "generator": own,
                "samples": len(self.dataset), "batch_size": self.batch_size, "shuffle": self.shuffle}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Make the next loop the rest of the epoch that `state_dict` was asked in.

        Raises
        ------
        ValueError
            If that loader had other samples, batches or shuffling: its order would mean nothing here.
        """
        mine = self.state_dict()
        for name in ("samples", "batch_size", "shuffle"):
            if state[name] != mine[name]:
                raise ValueError(f"DataLoader.load_state_dict: {name} was {state[name]} and is {mine[name]} here")
        if self.generator is not None and state["generator"] is not None:
            self.generator.bit_generator.state = generator_at(state["generator"]).bit_generator.state
        self._position, self._drawn_at = state["position"], state["drawn_at"]
        self._goes_on = self._position > 0


def fetched(take: Callable, parts: Sequence[np.ndarray], workers: int, ahead: int) -> Iterator[Any]:
    """``take(part)`` for each part, in their order, with up to `ahead` of them under way in other threads."""
    if not workers:
        yield from map(take, parts)
        return
    under_way: deque[Future] = deque()
    pool = ThreadPoolExecutor(workers, "DataLoader")
    try:
        for part in parts:
            under_way.append(pool.submit(take, part))
            if len(under_way) > ahead:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:                                            # also when the loop is left early
        pool.shutdown(cancel_futures=True)
