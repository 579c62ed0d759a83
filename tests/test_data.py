"""Data sets and loaders: every sample once in each epoch, in an order that only the seed decides."""

import threading
import time

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.operations.indexing import Index
from tinygrad_nuc.utils.data import (
    DataLoader,
    Dataset,
    Subset,
    TensorDataset,
    random_split,
)


def numbers(n):
    """A data set of the pairs (i, 10 i)."""
    return TensorDataset(tn.arange(n), tn.arange(n) * 10)


def order(loader):
    """The sample numbers of one epoch, batch after batch."""
    return [i for x, _ in loader for i in x.tolist()]


def rng(seed=0):
    return np.random.default_rng(seed)


# --- data sets ----------------------------------------------------------------------------------------


def test_a_tensor_dataset_gives_samples_as_tuples():
    data = TensorDataset(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), tn.tensor([5, 6]))
    x, y = data[1]
    assert len(data) == 2
    assert (x.tolist(), y.item()) == ([3.0, 4.0], 6)


def test_a_tensor_dataset_takes_arrays_without_changing_their_dtype():
    x, y = TensorDataset(np.zeros((3, 2), np.float32), np.array([1.5, 2.5, 3.5]))[1]
    assert (x.dtype, y.dtype, y.item()) == (np.float32, np.float64, 2.5)


@pytest.mark.parametrize(("tensors", "message"), [
    ((tn.zeros(2, 2), tn.zeros(3)), r"same length, and these have \[2, 3\]"),
    ((), "give at least one tensor"),
])
def test_a_tensor_dataset_refuses_tensors_that_do_not_pair(tensors, message):
    with pytest.raises(ValueError, match=message):
        TensorDataset(*tensors)


class Squares(Dataset):
    """A data set that computes its samples one at a time."""

    def __len__(self):
        return 5

    def __getitem__(self, i):
        return np.array([i, i * i], np.float32), i


class Cubes(Squares):
    """The same with one tensor as its sample."""

    def __getitem__(self, i):
        return tn.tensor([float(i), float(i**3)])


def test_any_dataset_with_a_length_and_items_can_be_loaded():
    batches = [(x.tolist(), y.tolist()) for x, y in DataLoader(Squares(), batch_size=2)]
    assert batches == [([[0, 0], [1, 1]], [0, 1]), ([[2, 4], [3, 9]], [2, 3]), ([[4, 16]], [4])]


def test_a_batch_of_arrays_keeps_their_dtype():
    x, y = next(iter(DataLoader(Squares(), batch_size=2)))
    assert (x.dtype, y.dtype) == (np.float32, np.int64)


def test_samples_that_are_single_tensors_make_single_batches():
    batches = [x.tolist() for x in DataLoader(Cubes(), batch_size=3)]
    assert batches == [[[0, 0], [1, 1], [2, 8]], [[3, 27], [4, 64]]]


@pytest.mark.parametrize(("use", "missing"), [(len, "__len__"), (lambda data: data[0], "__getitem__")])
def test_a_dataset_without_its_methods_says_which(use, missing):
    with pytest.raises(TypeError, match=f"Dataset has no {missing} method"):
        use(Dataset())


def test_a_subset_numbers_its_samples_anew():
    part = Subset(numbers(10), [7, 2, 2])
    assert len(part) == 3
    assert [part[i][1].item() for i in range(3)] == [70, 20, 20]


def test_a_subset_of_a_subset_is_a_subset():
    part = Subset(Subset(numbers(10), [9, 8, 7, 6]), [3, 0])
    assert order(DataLoader(part, batch_size=2)) == [6, 9]


# --- data sets of other kinds -------------------------------------------------------------------------


class Plain:
    """No Dataset, and its `take` is about something else."""

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        return self.samples[i]

    def take(self, what):
        raise AssertionError


def shown(batch):
    """A batch with lists for its tensors."""
    if isinstance(batch, dict):
        return {key: shown(part) for key, part in batch.items()}
    return tuple(map(shown, batch)) if isinstance(batch, tuple) else batch.tolist()


@pytest.mark.parametrize("kind", [list, tuple, Plain, lambda samples: dict(enumerate(samples)), lambda samples: Subset(Plain(samples), [0, 1, 2])])
@pytest.mark.parametrize(("samples", "batches"), [
    ([(1, 10), (2, 20), (3, 30)], [([1, 2], [10, 20]), ([3], [30])]),
    ([[1, [10.5, 0]], [2, [20.5, 1]], [3, [30.5, 2]]], [([1, 2], ([10.5, 20.5], [0, 1])), ([3], ([30.5], [2]))]),
    ([{"x": 1, "y": (2, 3)}, {"y": (5, 6), "x": 4}, {"x": 7, "y": (8, 9)}], [{"x": [1, 4], "y": ([2, 5], [3, 6])}, {"x": [7], "y": ([8], [9])}]),
    ([np.ones(2), np.zeros(2), np.ones(2)], [[[1, 1], [0, 0]], [[1, 1]]]),
])
def test_anything_with_a_length_and_items_is_a_data_set(kind, samples, batches):
    assert [shown(batch) for batch in DataLoader(kind(samples), batch_size=2)] == batches


@pytest.mark.parametrize("rows", [tn.arange(6).reshape(3, 2), np.arange(6).reshape(3, 2)])
def test_a_tensors_or_arrays_samples_are_its_rows(rows):
    assert [batch.tolist() for batch in DataLoader(rows, batch_size=2)] == [[[0, 1], [2, 3]], [[4, 5]]]
    parts = random_split(rows, [2, 1], generator=rng())
    assert sorted(x for part in parts for batch in DataLoader(part) for x in batch.tolist()) == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("make", [DataLoader, lambda data: random_split(data, [1.0]), lambda data: Subset(data, [0])])
@pytest.mark.parametrize("data", [{"x": [1, 2], "y": [3, 4]}, (x for x in range(3)), 5, None, {1, 2}])
def test_what_has_no_numbered_samples_is_refused_at_once(make, data):
    with pytest.raises(TypeError, match=rf"(DataLoader|random_split|Subset): a data set has .* TensorDataset\(x, y\) .*; a {type(data).__name__} has not"):
        make(data)


@pytest.mark.parametrize("make", [lambda g: DataLoader(numbers(4), generator=g), lambda g: random_split(numbers(4), [2, 2], generator=g)])
@pytest.mark.parametrize("generator", [1, np.random.RandomState(1)])
def test_a_seed_is_no_generator(make, generator):
    with pytest.raises(TypeError, match=r"(DataLoader|random_split): generator must be a numpy.random.Generator, such as np.random.default_rng\(1\), not"):
        make(generator)


@pytest.mark.parametrize(("samples", "kind", "message"), [
    ([np.zeros(2), np.zeros(3)], ValueError, r"of list in a batch must have equal shapes, and these have \(2,\) and \(3,\); make them alike"),
    ([1, 2.5], ValueError, "must have equal dtypes, and these have int64 and float32"),
    ([(1, 2), (1,)], ValueError, "must have equal lengths, and these have 2 and 1"),
    ([(1, 2), 1], ValueError, "must have equal lengths, and these have 2 and None"),
    ([{"x": 1}, {"y": 1}], ValueError, "must have equal keys, and these have {'x'} and {'y'}"),
    ([{"x": 1}, 2], ValueError, "must have equal keys, and these have {'x'} and None"),
    ([1, {"x": 1}], TypeError, "a sample of list, or a part of one, is a dict; in a batch go numbers"),
    ([(1, "gamma"), (2, "hadron")], TypeError, "is a str; in a batch go numbers"),
    ([(1, None), (2, None)], TypeError, "is a NoneType; in a batch go numbers"),
    ([nothing := object(), nothing], TypeError, "is a object; in a batch go numbers"),
])
def test_samples_that_make_no_batch_are_named(samples, kind, message):
    with pytest.raises(kind, match=f"DataLoader: .*{message}"):
        list(DataLoader(samples, batch_size=2))


# --- loaders: lengths ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("samples", "batch_size", "drop_last", "sizes"), [
    (7, 3, False, [3, 3, 1]),
    (7, 3, True, [3, 3]),
    (6, 3, False, [3, 3]),
    (6, 3, True, [3, 3]),
    (4, 4, True, [4]),
    (3, 1, False, [1, 1, 1]),
])
def test_batches_have_the_promised_sizes(samples, batch_size, drop_last, sizes):
    loader = DataLoader(numbers(samples), batch_size=batch_size, drop_last=drop_last)
    assert [len(x) for x, _ in loader] == sizes
    assert len(loader) == len(sizes)


def test_parts_of_a_sample_stay_together():
    for x, y in DataLoader(numbers(50), batch_size=7, shuffle=True, generator=rng()):
        assert np.array_equal(10 * x.data, y.data)


@pytest.mark.parametrize(("batch_size", "message"), [
    (6, "a batch of 6 is larger than the 5 samples there are"),
    (0, "batch_size must be a whole number of at least 1, not 0"),
    (-1, "not -1"),
    (2.0, "not 2.0"),
])
def test_a_batch_size_that_cannot_be_is_refused(batch_size, message):
    with pytest.raises(ValueError, match=f"DataLoader: .*{message}"):
        DataLoader(numbers(5), batch_size=batch_size)


# --- loaders: order -----------------------------------------------------------------------------------


def test_without_shuffling_the_order_is_the_datas():
    loader = DataLoader(numbers(10), batch_size=3)
    assert order(loader) == order(loader) == list(range(10))


@pytest.mark.parametrize("batch_size", [1, 3, 8, 20])
def test_the_shuffled_order_does_not_depend_on_the_batch_size(batch_size):
    loader = DataLoader(numbers(20), batch_size=batch_size, shuffle=True, generator=rng(3))
    assert order(loader) == rng(3).permutation(20).tolist()


def test_every_epoch_has_a_new_order_of_the_same_samples():
    loader = DataLoader(numbers(20), batch_size=6, shuffle=True, generator=rng())
    epochs = [order(loader) for _ in range(5)]
    assert len({tuple(epoch) for epoch in epochs}) == 5
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)


def test_the_same_seed_gives_the_same_epochs():
    def three_epochs(seed):
        tn.manual_seed(seed)
        loader = DataLoader(numbers(20), batch_size=6, shuffle=True)
        return [order(loader) for _ in range(3)]

    assert three_epochs(1) == three_epochs(1)
    assert three_epochs(1) != three_epochs(2)


def test_a_seed_set_after_the_loader_was_made_counts():
    loader = DataLoader(numbers(20), batch_size=6, shuffle=True)
    tn.manual_seed(8)
    assert order(loader) == rng(8).permutation(20).tolist()


def test_shuffling_puts_every_sample_everywhere_equally_often():
    loader, n, epochs = DataLoader(numbers(5), batch_size=5, shuffle=True, generator=rng()), 5, 5000
    counts = np.zeros((n, n))
    for _ in range(epochs):
        counts[np.arange(n), order(loader)] += 1
    deviation = (counts / epochs - 1 / n) / np.sqrt((1 / n) * (1 - 1 / n) / epochs)
    assert np.abs(deviation).max() < 4.5                        # 25 counts: chance 2e-4, and the seed is fixed


@pytest.mark.parametrize("view", [lambda data: data, lambda data: Subset(data, np.arange(12))])
def test_a_batch_is_gathered_by_one_indexing_operation_for_each_tensor(monkeypatch, view):
    loader, gathered, forward = DataLoader(view(numbers(12)), batch_size=4, shuffle=True), [], Index.forward

    def counting(a, *, index):
        gathered.append(index[0].size)
        return forward(a, index=index)

    monkeypatch.setattr(Index, "forward", counting)
    assert len(list(loader)) == 3
    assert gathered == [4] * 6                                  # 3 batches of 2 tensors, 4 samples at a time


def test_changing_a_batch_leaves_the_data_alone():
    x = tn.zeros(4)
    (batch,) = next(iter(DataLoader(TensorDataset(x), batch_size=4)))
    batch.data += 1
    assert x.tolist() == [0, 0, 0, 0]


# --- loaders: reading ahead ---------------------------------------------------------------------------


class Noting(Dataset):
    """Notes who asks for which samples, and fails at sample 13."""

    def __init__(self, n):
        self.n, self.asked = n, []

    def __len__(self):
        return self.n

    def take(self, indices):
        self.asked.append((threading.current_thread() is threading.main_thread(), indices.tolist()))
        if 13 in indices:
            raise OSError("sample 13 cannot be read")
        return tn.tensor(indices)


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_neither_order_nor_batches(workers):
    def epochs(**options):
        tn.manual_seed(4)
        loader = DataLoader(numbers(23), batch_size=4, shuffle=True, **options)
        return [[x.tolist() for x, _ in loader] for _ in range(3)], tn.rand(1).item()
    assert epochs(num_workers=workers) == epochs()


def test_a_thread_is_ahead_by_as_many_batches_as_asked():
    data = Noting(12)
    batches = iter(DataLoader(data, batch_size=2, num_workers=1, prefetch_factor=3))
    assert next(batches).tolist() == [0, 1]
    while len(data.asked) < 4:                                  # the thread is at it
        time.sleep(0.001)
    assert data.asked == [(False, [2 * i, 2 * i + 1]) for i in range(4)]
    batches.close()                                             # left early: nothing more is fetched
    assert len(data.asked) <= 5 and not any(t.name.startswith("DataLoader") for t in threading.enumerate())


def test_an_error_in_a_thread_comes_when_its_batch_would():
    batches = iter(DataLoader(Noting(20), batch_size=4, num_workers=2))
    assert [next(batches).tolist()[0] for _ in range(3)] == [0, 4, 8]
    with pytest.raises(OSError, match="sample 13 cannot be read"):
        next(batches)


def test_a_loader_that_reads_ahead_knows_what_it_gave_out():
    loader = DataLoader(numbers(12), batch_size=2, shuffle=True, generator=rng(), num_workers=1, prefetch_factor=4)
    epoch = iter(loader)
    next(epoch)
    state = loader.state_dict()
    assert state["position"] == 1
    other = DataLoader(numbers(12), batch_size=2, shuffle=True, generator=rng(9))
    other.load_state_dict(state)
    assert order(other) == [i for x, _ in epoch for i in x.tolist()]


@pytest.mark.parametrize(("options", "message"), [
    ({"num_workers": -1}, "num_workers must be a whole number of at least 0, not -1"),
    ({"prefetch_factor": 0}, "prefetch_factor must be a whole number of at least 1, not 0")])
def test_threads_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=f"DataLoader: {message}"):
        DataLoader(numbers(5), **options)


# --- splitting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "lengths", "sizes"), [
    (10, [7, 3], [7, 3]),
    (10, [0.75, 0.25], [8, 2]),                                 # 7.5 and 2.5: the one left over goes to the first
    (11, [0.5, 0.25, 0.25], [6, 3, 2]),                         # 5.5, 2.75, 2.75: two left over
    (5, [5, 0], [5, 0]),
    (8, [1.0], [8]),
])
def test_a_split_has_the_lengths_asked_for(n, lengths, sizes):
    assert [len(part) for part in random_split(numbers(n), lengths)] == sizes


def test_a_split_shares_no_sample_and_loses_none():
    parts = random_split(numbers(100), [0.6, 0.3, 0.1], generator=rng())
    found = [i for part in parts for i in order(DataLoader(part, batch_size=10))]
    assert len(found) == 100
    assert set(found) == set(range(100))


def test_a_split_is_random_and_seeded():
    def first(seed):
        tn.manual_seed(seed)
        return random_split(numbers(100), [50, 50])[0].indices.tolist()

    assert first(1) == first(1)
    assert first(1) != first(2)
    assert first(1) != sorted(first(1))


@pytest.mark.parametrize("lengths", [[5, 6], [12, -2], [0.5, 0.6], [0.5, 0.4], []])
def test_lengths_that_do_not_add_up_are_refused(lengths):
    with pytest.raises(ValueError, match="random_split: the lengths .* add up to the 10 samples, or shares that add up to 1"):
        random_split(numbers(10), lengths)


def test_lengths_are_a_list():
    for lengths in (10, "10", None):
        with pytest.raises(TypeError, match=r"random_split: lengths must be a list such as \[0.8, 0.2\], not"):
            random_split(numbers(10), lengths)
