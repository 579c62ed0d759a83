"""tn.save and tn.load with the files of others: NumPy's, PyTorch's, and those that are of another kind altogether."""

import gzip
import importlib.util
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from state_helpers import checkpoint, same, state

import tinygrad_nuc as tn
from tinygrad_nuc import nn

BY_PYTORCH = [True] if importlib.util.find_spec("torch") else []


# ---------------------------------------------------------------------- with NumPy


def test_numpy_reads_a_state_dict_under_its_own_names(tmp_path):
    tn.save(state(), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        assert same({name: tn.Tensor(archive[name]) for name in archive.files}, state())


def test_numpy_reads_the_arrays_of_a_checkpoint_under_their_places(tmp_path):
    tn.save(checkpoint(), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        names = ["model/fc1.weight", "model/bn.num_batches_tracked", "optimizer/state/0/exp_avg", "empty/2", "mask"]
        assert archive.files == [*names, "tinygrad_nuc.json"]
        assert archive["model/bn.num_batches_tracked"] == 7
        assert json.loads(archive["tinygrad_nuc.json"])["numbers"][1:3] == [2**53 - 1, ["int", "-0x20000000000000"]]


def test_files_of_numpy_are_read(tmp_path):
    arrays = {name: t.data for name, t in state().items() if name != "file"}
    np.savez(tmp_path / "a.npz", **arrays)
    assert same(tn.load(tmp_path / "a.npz"), {name: tn.Tensor(a) for name, a in arrays.items()})
    np.savez(tmp_path / "b.npz", np.ones(2), np.zeros(1))
    assert list(tn.load(tmp_path / "b.npz")) == ["arr_0", "arr_1"]


def test_a_file_of_zip_programs_is_read(tmp_path):
    np.save(tmp_path / "w.npy", np.arange(3))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:  # as zip -0 does: sizes in 32 bits, times, permissions
        archive.write(tmp_path / "w.npy", "w.npy")
    assert tn.load(tmp_path / "a.npz")["w"].tolist() == [0, 1, 2]


def test_a_file_with_64_bit_sizes_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)  # as if 32 bits ended there
    tn.save(checkpoint(), tmp_path / "a.npz")
    assert b"PK\6\6" in (tmp_path / "a.npz").read_bytes()
    assert same(tn.load(tmp_path / "a.npz"), checkpoint())


# ---------------------------------------------------------------------- with the package safetensors, and PyTorch


def test_the_package_reads_a_state_dict_under_its_own_names(tmp_path):
    tn.save(state(), tmp_path / "a.safetensors")
    found = load_file(tmp_path / "a.safetensors")
    assert same({name: tn.Tensor(found[name]) for name in state()}, state()) and len(found) == len(state())


def test_files_of_the_package_are_read(tmp_path):
    save_file(
        {name: np.asarray(t.data, order="C") for name, t in state().items()},
        tmp_path / "a.safetensors",
        {"format": "pt", "by": "us"},
    )
    loaded = tn.load(tmp_path / "a.safetensors")
    assert same({name: loaded[name] for name in state()}, state()) and list(loaded) == sorted(state())


@pytest.mark.parametrize("by_pytorch", [False, *BY_PYTORCH])
def test_bfloat16_becomes_float32(by_pytorch, tmp_path):
    values = [1.0, -2.5, 3.140625, float("inf"), 2.0**-120]
    bits = (np.array(values, "<f4").view("<u4") >> 16).astype("<u2")
    path = tmp_path / "a.safetensors"
    if by_pytorch:
        import torch
        from safetensors.torch import save_file

        save_file({"w": torch.tensor(values).bfloat16().reshape(5, 1)}, path)
    else:
        header = b'{"w":{"dtype":"BF16","shape":[5,1],"data_offsets":[0,10]}}'
        path.write_bytes(struct.pack("<Q", len(header)) + header + bits.tobytes())
    w = tn.load(path)["w"]
    assert w.dtype == np.float32 and w.shape == (5, 1) and w.flatten().tolist() == values


def test_other_types_of_numbers_are_refused(tmp_path):
    header = b'{"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}'
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"12")
    with pytest.raises(
        ValueError,
        match="a.safetensors: cannot be loaded: ('w' holds numbers of the type F8_E4M3; only BOOL|cut off or damaged)",
    ):
        tn.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("by_pytorch", [False, *BY_PYTORCH])
def test_state_dicts_travel_both_ways(by_pytorch, tmp_path):
    if by_pytorch:
        from safetensors.torch import load_file, save_file
    else:
        from safetensors.numpy import load_file, save_file
    model = nn.Linear(3, 2)
    tn.save(model.state_dict(), tmp_path / "a.safetensors")
    found = load_file(tmp_path / "a.safetensors")
    assert found["weight"].tolist() == model.weight.tolist() and found["bias"].tolist() == model.bias.tolist()
    save_file({name: x * 2 for name, x in found.items()}, tmp_path / "b.safetensors")
    model.load_state_dict(tn.load(tmp_path / "b.safetensors"))
    assert (found["bias"] * 2).tolist() == model.bias.tolist()


# ---------------------------------------------------------------------- files of other kinds


def zipped(**entries):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in entries.items():
                archive.writestr(name.replace("__", "/"), content)

    return write


OTHERS = {
    "it is a PyTorch file.*safetensors.torch.save_file": lambda p: p.write_bytes(
        pickle.dumps({"w": [1.0]}, protocol=2)
    ),
    "it is a PyTorch file, which only pickle": zipped(
        **{"archive__data.pkl": b"\x80\x02}q\x00.", "archive__data__0": b"1234"}
    ),
    "it is an HDF5 file|it is a Keras model.*np.savez": lambda p: p.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)),
    "it is a Keras model; in Keras": zipped(**{"model.weights.h5": b"\x89HDF"}),
    "'config.json' in it is not an array": zipped(**{"config.json": b"{}"}),
    "it is a single array: np.load reads it": lambda p: p.write_bytes(b"\x93NUMPY\1\0" + bytes(50)),
    "it is packed with gzip": lambda p: p.write_bytes(gzip.compress(b"pt,eta")),
    "it is text; tinygrad_nuc.utils.tables.read_table": lambda p: p.write_text("pt,eta\n0.5,1.2\n0.4,1.1\n"),
    "it is a ROOT file.*read_table": lambda p: p.write_bytes(b"root\0\0" + bytes(50)),
    "it is empty": lambda p: p.write_bytes(b""),
    "it is neither an .npz nor a .safetensors file": lambda p: p.write_bytes(b"\xff\xd8\xff\xe0 a picture"),
    "perhaps a .safetensors file: give it that ending": lambda p: (
        tn.save(state(), p.with_suffix(".safetensors")),
        p.with_suffix(".safetensors").rename(p),
    ),
}


@pytest.mark.parametrize("message", OTHERS)
def test_files_of_other_kinds_are_named(message, tmp_path):
    OTHERS[message](tmp_path / "model.pth")
    with pytest.raises(ValueError, match=rf"model.pth: cannot be loaded: .*({message})"):
        tn.load(tmp_path / "model.pth")


if BY_PYTORCH:

    def test_pytorchs_own_files_are_named(tmp_path):
        import torch

        for zipped in (True, False):
            torch.save({"w": torch.ones(2)}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
            with pytest.raises(
                ValueError, match="a.pt: cannot be loaded: it is a PyTorch file.*safetensors.torch.save_file"
            ):
                tn.load(tmp_path / "a.pt")


def test_compressed_arrays_are_refused_with_a_way_out(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", w=np.ones(2))
    with pytest.raises(
        ValueError, match=r"'w' is compressed; np.load reads it, and tn.save\(dict\(np.load\(path\)\), path\)"
    ):
        tn.load(tmp_path / "a.npz")
    tn.save(dict(np.load(tmp_path / "a.npz")), tmp_path / "a.npz")
    assert tn.load(tmp_path / "a.npz")["w"].tolist() == [1.0, 1.0]
