"""tn.save and tn.load: what comes back is what was saved, and files of other libraries are understood."""

import importlib.util
import io
import os
import struct
import sys

import numpy as np
import pytest
from device_guard import GuardArray
from gpu_helpers import is_there, start
from state_helpers import checkpoint, same, state

import tinygrad_nuc as tn
from tinygrad_nuc import nn

ENDINGS = [".npz", ".safetensors"]
BY_PYTORCH = [True] if importlib.util.find_spec("torch") else []


@pytest.fixture(params=ENDINGS)
def path(request, tmp_path):
    return tmp_path / f"state{request.param}"


def listing(folder):
    return sorted(p.name for p in folder.iterdir())


# ---------------------------------------------------------------------- there and back


@pytest.mark.parametrize(
    "make",
    [
        checkpoint,
        state,
        dict,
        lambda: tn.tensor([1.5, 2.5]),
        lambda: 2.5,
        lambda: [None, "text"],
        lambda: {"a/b": tn.ones(1), "a": {"b": tn.zeros(2)}, "..": {"x": tn.ones(3)}, "0": {0: tn.ones(4)}},
        lambda: {"w": tn.ones(1), "array1": tn.ones(2), "": tn.ones(3), "__metadata__": tn.ones(4)},
    ],
)
def test_everything_comes_back_as_it_was(make, path):
    tn.save(make(), path)
    assert same(tn.load(path), make())
    assert listing(path.parent) == [path.name], "no ending is added"


def test_arrays_come_back_as_tensors_and_scalars_of_numpy_as_numbers(path):
    tn.save(
        {
            "a": np.arange(3),
            "big-endian": np.arange(3, dtype=">f4"),
            "x": np.float32(0.1),
            "n": np.uint8(200),
            "s": np.str_("pt"),
        },
        path,
    )
    assert same(
        tn.load(path),
        {
            "a": tn.tensor([0, 1, 2]),
            "big-endian": tn.tensor([0.0, 1.0, 2.0]),
            "x": float(np.float32(0.1)),
            "n": 200,
            "s": "pt",
        },
    )


def test_only_values_are_saved(path):
    w = tn.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    tn.save({"w": w, "y": w * 3}, path)
    loaded = tn.load(path)
    assert not loaded["w"].requires_grad and loaded["w"].grad is None and loaded["y"].tolist() == [3.0, 6.0]
    loaded["w"].zero_()
    assert w.tolist() == [1.0, 2.0]


def test_what_was_loaded_can_be_changed_in_place(path):
    tn.save({"w": tn.ones(3), "nested": [tn.ones(2)]}, path)
    loaded = tn.load(path)
    loaded["w"] += 1
    loaded["nested"][0][0] = 5.0
    assert loaded["w"].tolist() == [2.0, 2.0, 2.0] and loaded["nested"][0].tolist() == [5.0, 1.0]


def test_a_network_goes_on_where_it_was(path):
    tn.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    tn.save({"model": model.state_dict(), "generator": tn.default_generator().bit_generator.state}, path)
    expected = tn.default_generator().random()
    twin = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    loaded = tn.load(path, map_location="cpu", weights_only=True)
    twin.load_state_dict(loaded["model"])
    x = tn.rand(5, 3)
    np.testing.assert_array_equal(twin(x).detach().data, model(x).detach().data)
    tn.default_generator().bit_generator.state = loaded["generator"]
    assert tn.default_generator().random() == expected
    with pytest.raises(ValueError, match=r"0.weight has shape \(4, 3\), but this module's has \(2, 3\)"):
        nn.Sequential(nn.Linear(3, 2)).load_state_dict(loaded["model"], strict=False)


def test_tensors_travel_through_the_computers_memory_to_any_device(path, one_gpu):
    tn.save({"w": tn.ones(2).to("cuda"), "nested": [tn.zeros(1)]}, path)
    assert same(tn.load(path), {"w": tn.ones(2), "nested": [tn.zeros(1)]})
    for where in ("cuda", tn.device("gpu:0")):
        there = tn.load(path, map_location=where)
        assert isinstance(there["w"].data, GuardArray) and isinstance(there["nested"][0].data, GuardArray)
    with pytest.raises(ValueError, match="unknown device 'magnetic tape'; there are 'cpu', 'cuda'"):
        tn.load(path, map_location="magnetic tape")


def test_a_file_from_a_gpu_is_loaded_where_there_is_none(path, monkeypatch):
    model = nn.Linear(3, 2)
    with pytest.MonkeyPatch.context() as with_gpu:
        gpu = start(with_gpu)
        next(gpu)
        tn.save({"model": model.to("gpu").state_dict()}, path)
        assert is_there(model.weight)
        expected = model.to("cpu").weight.tolist()
        next(gpu, None)
    monkeypatch.setitem(sys.modules, "cupy", None)
    loaded = tn.load(path)["model"]
    assert loaded["weight"].tolist() == expected and not loaded["weight"].is_cuda
    twin = nn.Linear(3, 2)
    twin.load_state_dict(loaded)
    assert twin.weight.tolist() == expected
    with pytest.raises(RuntimeError, match="a GPU needs CuPy"):
        tn.load(path, map_location="cuda")


@pytest.mark.parametrize("make", [checkpoint, state])
def test_the_same_values_give_the_same_bytes(make, path, monkeypatch):
    tn.save(make(), path)
    monkeypatch.setattr("time.time", lambda: 2e9)
    twin = path.with_name(f"twin{path.suffix}")
    tn.save(make(), twin)
    assert path.read_bytes() == twin.read_bytes()


# ---------------------------------------------------------------------- what cannot be saved


def itself():
    loop = {"a": [1]}
    loop["a"].append(loop)
    return loop


@pytest.mark.parametrize(
    ("obj", "kind", "message"),
    [
        (
            {"model": {"w": tn.ones(1), "names": {"pt", "eta"}}},
            TypeError,
            "save: at model/names: a set cannot be saved; tensors",
        ),
        ([nn.Linear(1, 1)], TypeError, r"save: at 0: a Linear cannot be saved; its \.state_dict\(\) can"),
        ({"a": {1.5: tn.ones(1)}}, TypeError, "save: at a: the key 1.5 cannot be saved"),
        ({True: 1}, TypeError, "the key True"),
        ({"z": np.ones(2, complex)}, TypeError, "save: at z: an array of complex128"),
        (1j, TypeError, "a complex cannot"),
        ({"t": np.array(["pt"])}, TypeError, "at t: an array of <U2"),
        ({"o": np.array([{}])}, TypeError, "at o: an array of object"),
        ({"r": np.zeros(2, "f4,i4")}, TypeError, "at r: an array of"),
        ({"d": np.array("2024-01-01", "M8[D]")}, TypeError, "at d: an array of datetime64"),
        ({"l": np.zeros(2, np.longdouble)}, TypeError, "at l: an array of float128")
        if np.longdouble(0).nbytes > 8
        else (b"bytes", TypeError, "a bytes"),
        (itself(), ValueError, "save: at a/1/a: it is nested more than 100 deep, or inside itself"),
        ({"losses": [0.123456789] * 400_000}, ValueError, "save: what is not in tensors takes .* bytes.*make tensors"),
    ],
)
def test_what_cannot_be_saved_is_named_and_the_old_file_stays(obj, kind, message, path):
    tn.save({"w": tn.ones(2)}, path)
    with pytest.raises(kind, match=message):
        tn.save(obj, path)
    assert tn.load(path)["w"].tolist() == [1.0, 1.0] and listing(path.parent) == [path.name]


def test_a_file_that_could_not_be_loaded_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr("tinygrad_nuc.utils.safetensors_files.LONGEST_HEADER", 1000)
    with pytest.raises(ValueError, match="a.safetensors: its header would take .* bytes.*or choose .npz"):
        tn.save({str(i): tn.zeros(1) for i in range(20)}, tmp_path / "a.safetensors")
    assert listing(tmp_path) == []


def test_a_failing_disk_leaves_the_old_file(path, monkeypatch):
    tn.save({"w": tn.ones(2)}, path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        tn.save({"w": tn.zeros(2)}, path)
    assert tn.load(path)["w"].tolist() == [1.0, 1.0] and listing(path.parent) == [path.name]


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    for use in (lambda: tn.save({}, tmp_path / "b.safetensors"), lambda: tn.load(tmp_path / "a.safetensors")):
        with pytest.raises(ImportError, match=r'pip install "tinygrad_nuc\[files\]"'):
            use()
    assert listing(tmp_path) == ["a.safetensors"]


def test_a_missing_file_or_a_folder_is_an_oserror(path):
    with pytest.raises(FileNotFoundError, match=path.name):
        tn.load(path)
    path.mkdir()
    with pytest.raises(OSError, match=path.name):
        tn.load(path)
    with pytest.raises(OSError, match="is a folder"):
        tn.save({}, path)
    with pytest.raises(ValueError, match="perhaps .npz: give it that ending"):
        tn.save({}, path.with_name("b.npz"))
        tn.load(path.with_name("b.npz").rename(path.with_name("b.safetensors")))


# ---------------------------------------------------------------------- paths


def test_a_number_is_no_path_and_its_file_stays_open(tmp_path):
    (tmp_path / "a").write_bytes(b"PK")
    number = os.open(tmp_path / "a", os.O_RDONLY)
    for wrong in (number, True, None):
        for use in (lambda x: tn.load(x), lambda x: tn.save({}, x)):
            with pytest.raises(TypeError, match=rf"path\): the path must be a text or a pathlib.Path, not a {type(wrong).__name__}"):
                use(wrong)
    assert os.read(number, 2) == b"PK"
    os.close(number)


def test_swapped_arguments_and_open_files_are_refused_by_name(path):
    with pytest.raises(TypeError, match=r"save\(obj, path\): the path must be a text or a pathlib.Path, not a dict"):
        tn.save(str(path), {"w": tn.ones(1)})
    with pytest.raises(TypeError, match=r"save\(obj, path\): .* not a BytesIO"):
        tn.save({"w": tn.ones(1)}, io.BytesIO())
    with pytest.raises(TypeError, match=r"load\(path\): .* not a BytesIO"):
        tn.load(io.BytesIO())
    assert listing(path.parent) == []


def test_a_path_may_be_bytes(path):
    tn.save({"w": tn.ones(2)}, os.fsencode(path))
    assert listing(path.parent) == [path.name] and tn.load(os.fsencode(path))["w"].tolist() == [1.0, 1.0]


def test_numpys_whole_numbers_are_keys_too(path):
    tn.save({np.int64(3): 1.5, np.uint8(200): tn.ones(1), "a": {np.str_("pt"): 2}}, path)
    loaded = tn.load(path)
    assert same(loaded, {3: 1.5, 200: tn.ones(1), "a": {"pt": 2}}) and [type(key) for key in loaded] == [int, int, str]
    for key in (np.bool_(True), np.float64(1.0)):
        with pytest.raises(TypeError, match="only texts and whole numbers can"):
            tn.save({key: 1}, path)
