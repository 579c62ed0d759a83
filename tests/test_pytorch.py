"""The same lines with PyTorch and here give the same numbers: those stored, and PyTorch's own where it is installed.

`python tests/pytorch_numbers.py` writes the stored ones anew, with PyTorch.
"""

import functools
import importlib.util

import numpy as np
import pytest
from pytorch_cases import NUMBERS, OURS, all_cases, run

CASES = all_cases()
WITH = ["stored numbers", *(["PyTorch itself"] if importlib.util.find_spec("torch") else [])]


@functools.cache
def stored(file):
    with np.load(NUMBERS / f"{file}.npz") as arrays:
        return dict(arrays)


def expected(name, source):
    if source == "PyTorch itself":
        import torch
        return run(CASES[name], torch)
    file, case = name.split(".")
    return {path.removeprefix(case): a for path, a in stored(file).items() if path.split("/")[0] == case}


@pytest.mark.parametrize("source", WITH)
@pytest.mark.parametrize("name", CASES)
def test_the_same_lines_give_pytorchs_numbers(name, source):
    found, theirs = run(CASES[name], OURS), expected(name, source)
    assert list(found) == list(theirs) != []
    for path, array in found.items():
        assert array.shape == theirs[path].shape, path
        if array.dtype.kind in "fiub":
            np.testing.assert_allclose(array, theirs[path], rtol=1e-9, atol=1e-9, err_msg=path)
        else:
            assert array == theirs[path]
