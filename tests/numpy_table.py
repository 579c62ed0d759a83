"""What NumPy's functions do with Tensors, as a page: ``python tests/numpy_table.py`` writes docs/numpy.md anew.

The page lists the functions of the NumPy it was written with; the newest should be taken.
"""

import operator
import re
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import tinygrad_nuc  # noqa: F401  fills the registry
from tinygrad_nuc.engine.registry import numpy_functions, numpy_hints
from tinygrad_nuc.operations.logic import PIECEWISE_CONSTANT

PAGE = Path(__file__).parents[1] / "docs" / "numpy.md"
NUMPY_VERSION = tuple(map(int, np.__version__.split(".")[:2]))
MODULES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}

RECORDS, NO_GRADIENT, REFUSED, NOT_ASKED = "records", "no gradient", "refused", "not asked"
WITHOUT_GRADIENT = {operator.attrgetter(name)(np) for name in (*PIECEWISE_CONSTANT, "shape", "ndim", "size")}
CONVERTING = ("np.array np.asanyarray np.asarray np.asarray_chkfinite np.ascontiguousarray np.asfortranarray np.asmatrix "
              "np.require").split()
NOTES = {
    "np.bincount": "the weights; the positions have no gradient",
    "np.histogram": "the weights; the values that are counted have no gradient, nor have the edges",
    "np.divmod": "the remainder; the quotient is a whole number",
    "np.copysign": "its first argument",
    "np.linalg.slogdet": "the logarithm; the sign has no gradient",
    "np.unique": "the values; of equal ones the first gets the gradient",
    "np.linalg.norm": "norms of vectors, and of matrices 'fro', 1, -1, inf and -inf",
    "np.from_dlpack": "a BufferError if the tensor requires a gradient, otherwise its array, without a copy",
    **dict.fromkeys(CONVERTING, "a RuntimeError if the tensor requires a gradient, otherwise its array"),
}

HEAD = """# NumPy's functions

A Tensor may be given to NumPy's own functions, so that a formula written for arrays can be differentiated as it stands:

```python
import numpy as np
import tinygrad_nuc as tn

def invariant_mass(e, p):
    return np.sqrt(e ** 2 - np.sum(p * p, axis=-1))

e = tn.tensor([2.0, 3.0], requires_grad=True)
p = tn.tensor([[1.0, 0.5, 0.0], [0.0, 2.0, 1.0]])
m = invariant_mass(e, p)
print(m)
print(np.interp(2.5, e, m))                     # records, too

slopes, = tn.grad(m.sum(), e)
print(slopes)                                   # dm/dE = E/m
```

```text
tensor([1.6583, 2.0000], grad_fn=<Sqrt>)
tensor(1.8292, grad_fn=<Reshape>)
tensor([1.2060, 1.5000])
```

Functions and ufuncs (`np.sum(t)`, `np.exp(t)`, `np.linalg.solve(a, b)`) record, and so do operators between arrays and tensors
(`array @ t`), whichever comes first. It is enough if one of the arguments is a Tensor. Methods of a Tensor and functions of `tn` are
something else: they keep to PyTorch's conventions, where the two differ.

| | NumPy, `np.f(t)` | PyTorch, `tn.f(t)` and `t.f()` |
|---|---|---|
| an axis | `axis`, `keepdims` | `dim`, `keepdim` (functions that reduce or scan take `axis` and `keepdims`, too) |
| `var`, `std`, `cov` | `var` and `std` divide by n, `cov` by n − 1 | all divide by n − 1 |
| `max`, `min` along an axis | the values | values and indices |
| `median` of an even number of values | the mean of the two in the middle | the lower of the two |
| `sort` | the values | values and indices |
| `transpose(t, …)` | all axes in a given order (reversed, if none is given) | two dimensions, swapped |
| `cumsum`, `cumprod` without an axis | of all values in one row | the dimension must be given |
| `repeat` | every value several times | the whole tensor several times |
| `split(t, 3)` | three pieces | pieces of length 3 |
| `cross` | along the last axis | along the first dimension of length 3 |

What becomes of a Tensor:

* *records*: the result is a Tensor, through which gradients pass.
* *no gradient*: the result is constant almost everywhere (a comparison, a position, a count), or tells something other than
  values (a shape, a dtype). It is a Tensor without a history, or a Python object where NumPy gives one.
* *refused*: a TypeError, which names what comes closest. Nothing is converted silently. If only the value is wanted,
  say so: `np.linalg.svd(t.numpy())`.
* *not asked*: NumPy does not ask its arguments whether they know better. These functions convert (which is an error for a tensor
  that requires a gradient), make new arrays from shapes and numbers, or have to do with files, text and settings. What is
  always taken for a request of the value is `float(t)`, `int(t)` and `t.item()`, also when NumPy itself asks for a Python
  number: for a length, an axis, or one value after another in `np.fromiter`.

Options that make no sense for a Tensor (`out=`, `where=`, `order=`, `dtype=` of a ufunc …) are refused; the error says what
the function takes. So are the methods of ufuncs: instead of `np.add.reduce`, `np.add.accumulate` and `np.multiply.outer` write
`np.sum`, `np.cumsum` and `np.outer`. Some functions take a list beside a Tensor, others want `tn.tensor([1.0, 2.0])` and say
so. Functions that change an array in place are refused, since what is recorded must not change. A Tensor holds real
numbers: `np.conj` has nothing to do, and `np.fft.fft` nothing that it could return.

A result of float32 stays float32, also where NumPy computes in float64 (`np.interp`, `np.float_power`, `np.histogram` with
`density`).

"""


def functions() -> Iterator[tuple[str, Callable]]:
    """The public functions of NumPy with their names, as np.linalg.norm."""
    for prefix, module in MODULES.items():
        for name in sorted(dir(module)):
            function = getattr(module, name)
            if not name.startswith("_") and callable(function) and not isinstance(function, (type, types.ModuleType)):
                yield f"{prefix}.{name}", function


def asks(function: Callable) -> bool:
    """Whether NumPy lets a Tensor among the arguments decide what the function does."""
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation")


def hint(function: Callable) -> str:
    """What the error of a refused function names ('' if no hint was chosen for it)."""
    module = getattr(function, "__module__", None) or "numpy"
    return numpy_hints.get(f"{module}.{function.__name__}") or numpy_hints.get(module, "")


def row(name: str, function: Callable) -> tuple[str, str]:
    """What becomes of a Tensor, and a note: what records, or what comes closest."""
    if function in WITHOUT_GRADIENT:
        return NO_GRADIENT, ""
    if function in numpy_functions:
        return RECORDS, NOTES.get(name, "")
    return (REFUSED, hint(function)) if asks(function) else (NOT_ASKED, NOTES.get(name, ""))


def rows() -> dict[str, tuple[str, str]]:
    return {name: row(name, function) for name, function in functions()}


def page() -> str:
    """The whole page as text."""
    found = rows()
    records, without, refused, not_asked = (sum(status == s for s, _ in found.values())
                                            for status in (RECORDS, NO_GRADIENT, REFUSED, NOT_ASKED))
    text = HEAD + f"""## The functions of NumPy {'.'.join(map(str, NUMPY_VERSION))}

Of {len(found)} functions {records} record, {without} have no gradient, {refused} are refused, and {not_asked} are not asked.
(`np.abs` and `np.absolute` are one function with two names, and there are more such pairs.) This page is written by
`python tests/numpy_table.py`; a test compares it with what happens.

| function | a Tensor | what records, or comes closest |
|---|---|---|
"""
    for name, (status, note) in found.items():
        text += f"| {name} | {status} | {note} |\n"
    return text


def rows_of(text: str) -> dict[str, tuple[str, str]]:
    """The rows of a page, as `rows` gives them."""
    return {name: (status, note) for name, status, note in re.findall(r"^\| (np\.\S+) \| ([\w ]+) \| (.*) \|$", text, re.MULTILINE)}


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
