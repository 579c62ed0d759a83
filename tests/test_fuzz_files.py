"""Randomly damaged files: tn.load refuses them with ValueError, or gives exactly what was saved. Nothing else."""

import os
import struct

import numpy as np
import pytest
from state_helpers import checkpoint, load_within_bounds, same, state

import tinygrad_nuc as tn

FILES = 10_000 if os.environ.get("TINYGRAD_NUC_THOROUGH") else 300


def mutated(content, rng):
    """One of a dozen kinds of damage, half of the time near the beginning or the end, where headers are."""
    data, n = bytearray(content), len(content)
    near = rng.choice([n, n, min(n, 300), min(n, 1500)])
    at = int(rng.integers(near)) if rng.random() < 0.7 else n - 1 - int(rng.integers(near))
    size = int(rng.choice([1, 2, 4, 8, 30, 64, 200, 1000]))
    other = int(rng.integers(n))
    match rng.integers(12):
        case 0 | 1:
            data[at] ^= 1 << int(rng.integers(8))
        case 2:
            data[at] = int(rng.integers(256))
        case 3:
            del data[at:]
        case 4:
            del data[at : at + size]
        case 5:
            data[at:at] = rng.bytes(size)
        case 6:
            data[at:at] = data[other : other + size]  # a block twice
        case 7:
            data[at : at + size] = data[other : other + size]  # a block instead of another
        case 8:
            data[at : at + size] = bytes(len(data[at : at + size]))
        case 9:
            extreme = int(rng.choice([0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, n, n + 1, n - 1]))
            data[at : at + 4] = struct.pack("<I", extreme)
        case 10:
            data[at : at + 8] = struct.pack("<Q", int(rng.choice([0, 1, 2**62, 2**63 - 1, n])))
        case 11:
            digits = [i for i, byte in enumerate(content) if chr(byte) in "0123456789{}[],:'\"()TrueFalse<|"]
            data[int(rng.choice(digits))] = ord(rng.choice(list("0123456789{}[],:'\"()<>|fiubO")))
    return bytes(data)


@pytest.mark.parametrize("make", [checkpoint, state])
@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_damage_is_refused_or_changes_nothing(make, ending, tmp_path):
    path = tmp_path / f"a{ending}"
    tn.save(make(), path)
    content, rng, unharmed = path.read_bytes(), np.random.default_rng(5), 0
    for i in range(FILES // 4):
        damaged = mutated(content, rng)
        path.write_bytes(damaged)
        found = load_within_bounds(path)
        if not isinstance(found, ValueError):
            assert same(found, make()), f"file {i} is loaded wrongly"
            unharmed += 1
    assert unharmed < FILES // 8, "most damage is damage"


@pytest.mark.parametrize("make", [checkpoint, state])
@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_no_part_of_a_file_is_enough(make, ending, tmp_path):
    path = tmp_path / f"a{ending}"
    tn.save(make(), path)
    content = path.read_bytes()
    for n in {*range(0, len(content), 97), *range(len(content) - 40, len(content))}:
        for part in (content[:n], content[:n] + bytes(len(content) - n)):
            if part != content:
                path.write_bytes(part)
                assert isinstance(load_within_bounds(path), ValueError), n
