"""Tables larger than memory: only the rows of a batch are read, and training on them works."""

import os
import subprocess
import sys
import textwrap
import tracemalloc

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.utils.data import DataLoader, MappedDataset, random_split


@pytest.fixture
def tables(tmp_path):
    """Paths of x (100 × 3, float64) and labels (100, int16, most significant byte first)."""
    np.save(tmp_path / "x.npy", np.arange(300.0).reshape(100, 3))
    np.save(tmp_path / "labels.npy", (np.arange(100) % 7).astype(">i2"))
    return tmp_path / "x.npy", tmp_path / "labels.npy"


def test_batches_are_the_tables_rows_in_a_networks_type(tables):
    data = MappedDataset(*tables)
    x, labels = data.take(np.array([5, 99, 5]))
    assert len(data) == 100 and x.dtype == np.float32 and labels.dtype == np.int16 and labels.dtype.isnative
    assert x.tolist() == [[15.0, 16.0, 17.0], [297.0, 298.0, 299.0], [15.0, 16.0, 17.0]] and labels.tolist() == [
        5,
        1,
        5,
    ]
    x, label = data[-1]
    assert x.tolist() == [297.0, 298.0, 299.0] and label.item() == 1 and x.dtype == np.float32
    assert data[2:4][0].shape == (2, 3)
    batches = list(DataLoader(data, batch_size=32, shuffle=True, generator=np.random.default_rng(1)))
    seen = np.concatenate([x.data[:, 0] for x, _ in batches])
    assert sorted(seen.tolist()) == np.arange(0.0, 300, 3).tolist() and seen.tolist() != sorted(seen.tolist())
    part, _ = random_split(data, [0.5, 0.5], generator=np.random.default_rng(1))
    assert part.take(np.arange(3))[0].shape == (3, 3)


def test_the_type_can_be_chosen(tables):
    assert MappedDataset(*tables, dtype=tn.float64)[0][0].dtype == np.float64
    assert MappedDataset(str(tables[0]), dtype="f2").take(np.array([0]))[0].dtype == np.float16


def test_batches_are_in_memory_of_their_own_and_the_file_cannot_be_changed(tables):
    before = tables[0].read_bytes()
    data = MappedDataset(*tables, dtype=tn.float64)
    for x in (data[3][0], data[3:5][0], data.take(np.array([3, 4]))[0]):
        x.zero_()
        assert x.sum().item() == 0
    assert tables[0].read_bytes() == before and data[3][0].tolist() == [9.0, 10.0, 11.0]


def test_parts_of_a_mapped_array_and_arrays_in_memory(tables):
    table = np.load(tables[0], mmap_mode="r")
    x, y, z = MappedDataset(table[:, :-1], table[:, -1:], np.arange(100)).take(np.array([1]))
    assert x.tolist() == [[3.0, 4.0]] and y.tolist() == [[5.0]] and z.tolist() == [1]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda p: MappedDataset(p / "x.npy", np.zeros(3)),
            ValueError,
            r"same length, and these have the shapes \[\(4, 2\), \(3,\)\]",
        ),
        (lambda p: MappedDataset(np.array(1.0)), ValueError, r"have the shapes \[\(\)\]"),
        (lambda p: MappedDataset(), ValueError, "at least one table"),
        (lambda p: MappedDataset(p / "x.npy", dtype=int), TypeError, "dtype must be a floating-point type, not int64"),
        (
            lambda p: MappedDataset(p / "names.npy"),
            TypeError,
            "a table holds floating-point numbers, integers or booleans, not <U3",
        ),
        (lambda p: MappedDataset(p / "objects.npy"), ValueError, "objects.npy: cannot be mapped as an .npy file"),
        (lambda p: MappedDataset(p / "cut.npy"), ValueError, "cut.npy: cannot be mapped as an .npy file"),
        (lambda p: MappedDataset(p / "text.npy"), ValueError, "text.npy: cannot be mapped"),
        (
            lambda p: MappedDataset(p / "two.npz"),
            ValueError,
            "two.npz: an .npz file cannot be mapped; save each of its arrays with np.save",
        ),
        (lambda p: MappedDataset(p / "missing.npy"), FileNotFoundError, "missing.npy"),
    ],
)
def test_what_cannot_be_mapped_is_refused(make, kind, message, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 2)))
    np.save(tmp_path / "names.npy", np.array(["eta"]))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "two.npz", a=np.zeros(2))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-1])
    (tmp_path / "text.npy").write_text("pt,eta")
    with pytest.raises(kind, match=message):
        make(tmp_path)


@pytest.fixture
def large(tmp_path):
    """A table of 300 MB: 24 columns of numbers, and y = Σ i xᵢ in the last one."""
    block = np.random.default_rng(1).normal(size=(5000, 25)).astype(np.float32)
    block[:, -1] = block[:, :-1] @ np.arange(24, dtype=np.float32)
    table = np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.float32, (3_000_000, 25))
    for i in range(0, len(table), len(block)):
        table[i : i + len(block)] = block
    del table
    yield tmp_path / "large.npy"
    (tmp_path / "large.npy").unlink()  # pytest keeps its folders for a while


TRAINING = """
    import sys
    import numpy as np, tinygrad_nuc as tn
    from tinygrad_nuc.utils.data import DataLoader, MappedDataset

    def train(path):
        table = np.load(path, mmap_mode="r")
        tn.manual_seed(1)
        model = tn.nn.Linear(24, 1)
        optimizer = tn.optim.SGD(model.parameters(), lr=0.3)
        for x, y in DataLoader(MappedDataset(table[:, :-1], table[:, -1:]), batch_size=10_000):
            optimizer.zero_grad()
            tn.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
        return model.weight.detach().numpy().ravel()
"""
LIMITED = """
    import resource
    kilobytes = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1])
    limit = 1024 * kilobytes + 150_000_000          # half of what the table takes
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        np.load(sys.argv[1])
    except MemoryError:
        print("too large for memory")
    print(abs(train(sys.argv[1]) - np.arange(24)).max() < 1e-3)
"""


def test_training_touches_a_batch_at_a_time(large):
    namespace = {}
    exec(textwrap.dedent(TRAINING), namespace)
    tracemalloc.start()
    weight = namespace["train"](large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_allclose(weight, np.arange(24), atol=1e-3)
    assert peak < 40_000_000, "a batch takes 1 MB, the order of the samples 24 MB, the table 300 MB"


if sys.platform == "linux":  # where a process can be denied memory

    def test_a_table_larger_than_memory_trains(large):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(TRAINING + LIMITED), str(large)],
            capture_output=True,
            text=True,
            env={"OMP_NUM_THREADS": "1", "PATH": "", "PYTHONPATH": ":".join(sys.path)},
            timeout=120,
        )
        assert done.stdout.split("\n")[:2] == ["too large for memory", "True"], done.stderr


def test_a_number_is_no_path_and_its_file_stays_open(write):
    number = os.open(write("0123"), os.O_RDONLY)
    for wrong in (number, True, None):
        with pytest.raises(TypeError, match=rf"MappedDataset: the path must be a text or a pathlib.Path, not a {type(wrong).__name__}"):
            MappedDataset(wrong)
    assert os.read(number, 3)
    os.close(number)
