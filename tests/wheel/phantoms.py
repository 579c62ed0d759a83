"""CuPy's arrays without a GPU: calls reach CuPy, and stop at the first thing that they ask of CUDA.

The memory behind them is the computer's. So nothing may ever be launched on them, and where there is a GPU they are not
made.
"""

import traceback

import numpy as np
from cupy_wheel import cupy
from recorded_calls import Array

PRINTED = {"__repr__", "__str__", "__format__"}


def phantom(array):
    """A CuPy array of this shape, dtype and way through memory."""
    assert not cupy.cuda.is_available()
    steps = [(n - 1) * stride for n, stride in zip(array.shape, array.strides, strict=True) if n]
    before = -sum(s for s in steps if s < 0)
    host = np.zeros(before + sum(s for s in steps if s > 0) + array.dtype.itemsize, np.uint8)
    memory = cupy.cuda.UnownedMemory(host.ctypes.data, host.nbytes, host, device_id=0)
    return cupy.ndarray(array.shape, array.dtype, memptr=cupy.cuda.MemoryPointer(memory, before), strides=array.strides)


def made_of(x):
    """Arguments as recorded, with phantoms for arrays."""
    if isinstance(x, Array):
        return phantom(x)
    if isinstance(x, dict):
        return {key: made_of(value) for key, value in x.items()}
    return type(x)(map(made_of, x)) if type(x) in (tuple, list) else x


def objection(call):
    """Why CuPy cannot do what a call asks for, or does not do what NumPy does; "" if it begins to do that."""
    return refusal(call) or other_types(call)


def refusal(call):
    """What CuPy says against a call."""
    if call.kind == "ufunc" and ufunc_of_cupy(call.function.__name__) is None:
        return f"CuPy has no ufunc {call.function.__name__}"
    try:
        args, options = made_of(call.args), made_of(call.options)
        if call.kind == "ufunc":
            result = getattr(call.function, call.method)(*args, **options)
        elif call.kind == "function":
            result = call.function(*args, **options)
        elif call.kind == "cupy":
            result = getattr(cupy, call.function)(*args, **options)
        elif call.kind == "attribute":
            result = getattr(args[0], call.function)
        else:
            result = getattr(args[0], call.function)(*args[1:], **options)
    except cupy.cuda.runtime.CUDARuntimeError as error:
        # NumPy's refusal of a call shows the arrays in its message, which have to be fetched from the GPU for it
        names = {frame.name.rpartition(".")[2] for frame in traceback.extract_tb(error.__traceback__)}
        return "CuPy does not take part in this call, and NumPy refuses it" if names & PRINTED else ""
    except ImportError as error:                                # libcublas and the like, which the wheel comes without
        return "" if "lib" in str(error) else f"ImportError: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    if result is NotImplemented:
        return "CuPy answers NotImplemented"
    return "" if call.dtypes == () or not isinstance(result, np.ndarray) else "the result is an array of the host"


def ufunc_of_cupy(name):
    from cupyx.scipy import special
    return getattr(cupy, name, None) or getattr(special, name, None)


def other_types(call):
    """Whether a ufunc of CuPy has no loop for these types, or one whose result has another dtype than NumPy's."""
    name = call.method if call.kind == "method" else ""
    if call.kind == "ufunc" and call.method == "__call__":
        name = call.function.__name__
    loops = getattr(ufunc_of_cupy(name), "types", None) if name and not call.options else None
    if loops is None:                                           # matmul, say, finds its types in another way
        return ""
    given = [x.dtype if isinstance(x, (Array, np.generic)) else type(x) for x in call.args]
    for inputs, _, results in (loop.partition("->") for loop in loops):
        if len(inputs) == len(given) and all(map(takes, inputs, given)):
            found = tuple(map(np.dtype, results))
            return "" if found == call.dtypes else f"CuPy gives {found[0]}, NumPy {call.dtypes[0]}"
    names = ", ".join(x.name if isinstance(x, np.dtype) else x.__name__ for x in given)
    return f"CuPy's {name} has no loop for {names}"


def takes(letter, given):
    """Whether a loop takes such an input: a dtype of which nothing is lost, or a Python number of that kind."""
    if isinstance(given, np.dtype):
        return np.can_cast(given, letter, "safe")
    return np.dtype(letter).kind in {bool: "biufc", int: "iufc", float: "fc"}[given]
