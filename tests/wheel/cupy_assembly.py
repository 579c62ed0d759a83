"""An ElementwiseKernel as CuPy itself writes it down for the compiler, through names of CuPy that are private."""

import numpy as np
from cupy_wheel import cupy

MISSING = ""                                # why that cannot be had of this CuPy

try:
    from cupy._core import _carray, _kernel, _scalar
    ARRAY, INDEXER, SCALAR = 1, 2, 3        # how CuPy tells arguments apart
    _kernel._ArgInfo, _kernel._TypeMap, _kernel._get_elementwise_kernel_code, _carray.Indexer, _scalar.CScalar
    _kernel._ArgInfo(INDEXER, _carray.Indexer, None, 1, True, True)
except (ImportError, AttributeError, TypeError) as error:
    MISSING = f"CuPy {cupy.__version__} has no such way to the text of its kernels any more: {error}"


def text(kernel, name, kinds, ndim, contiguous):
    """The source of a kernel for arguments of these types: arrays for dtypes, numbers for bool, int and float."""
    arguments = [argument(kind, ndim, contiguous) for kind in (*kinds, *(p.dtype for p in kernel.out_params))]
    arguments.append(_kernel._ArgInfo(INDEXER, _carray.Indexer, None, ndim, True, True))
    return _kernel._get_elementwise_kernel_code(tuple(arguments), _kernel._TypeMap(()), kernel.params,
                                                kernel.operation, name, kernel.preamble)


def argument(kind, ndim, contiguous):
    if isinstance(kind, type):
        return _kernel._ArgInfo(SCALAR, _scalar.CScalar, np.dtype({int: np.int64}.get(kind, kind)), 0, True, True)
    return _kernel._ArgInfo(ARRAY, cupy.ndarray, np.dtype(kind), ndim, contiguous, True)
