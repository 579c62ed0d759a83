"""The gaps of dropout, made on the GPU from one number of the seeded generator: element i hashes that number and i.

So there is no generator on the GPU whose state would have to be saved, and a step that is replayed
(`tinygrad_nuc.cuda.capture`) gets new gaps from a new number.
"""

from typing import Any

import numpy as np

from ...engine.generator import default_generator
from ...nn.functional.regularisation import gaps
from ..gpu import import_cupy
from .numbers import Numbers
from .raw import RawKernel, one_for_each
from .registry import computes

# Element i of the generator SplitMix64 that starts at the key: Steele, Lea and Flood, "Fast splittable pseudorandom
# number generators", OOPSLA 2014.
GAPS = RawKernel("gaps", """
extern "C" __global__ void gaps(const long long* key, T* y, double p, double scale, long long size) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= size) return;
    unsigned long long z = (unsigned long long)key[0] + (i + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    float u = (z >> 40) * 5.9604644775390625e-8f;       // the first 24 bits, times 2⁻²⁴: from 0 to below 1
    y[i] = u >= p ? (T)scale : (T)0;
}
""")


def key() -> list[int]:
    """63 random bits."""
    return [int(default_generator().integers(0, 2 ** 63))]


@computes(gaps)
def gaps_on_gpu(x: Any, p: float, shape: tuple[int, ...]) -> Any:
    if x.dtype.char not in "fd":
        return NotImplemented
    y = import_cupy().empty(shape, x.dtype)
    if y.size:
        scale = 1 / (1 - p) if p < 1 else 0.0
        read = Numbers(1, key, dtype=np.int64).prepare()
        GAPS(x.dtype, *one_for_each(y.size), (read, y, float(p), float(scale), y.size))
    return y
