"""GuardArray: a NumPy-backed array with the manners of a GPU array, to prove that code stays on its device.

It refuses what CuPy refuses (implicit conversion to NumPy, mixing with host arrays, functions and keywords that
CuPy lacks) and logs every read that would make a GPU wait. Measured with CuPy 14.2.
"""

import numpy as np

MISSING = set("block insert unstack geomspace nanquantile nanpercentile vector_norm matrix_norm multi_dot svdvals "
              "einsum_path vecdot matvec vecmat spacing isnat histogram_bin_edges".split())
REDUCIBLE = {"add", "multiply"}
AT = {"add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"}
REFUSED_OPTIONS = {**dict.fromkeys("sum prod max min amax amin".split(), {"initial", "where"}),
                   **dict.fromkeys("mean std var any all".split(), {"where", "correction"}),
                   "clip": {"min", "max"}, "sort": {"stable"}, "argsort": {"stable"}}
waits = []                                      # every read from device to host


class GuardArray(np.lib.mixins.NDArrayOperatorsMixin):
    __slots__ = ("_host",)
    __array_priority__ = 100

    def __init__(self, host):
        self._host = np.asarray(host)           # the one sanctioned upload

    def get(self):
        waits.append("get")
        return self._host.copy()                # the one sanctioned download

    def __array__(self, *args, **options):
        raise TypeError("implicit conversion of a device array to NumPy")

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        name = ufunc.__name__
        if name in MISSING or (method in ("reduce", "accumulate") and name not in REDUCIBLE) or \
                (method == "at" and name not in AT):
            raise NotImplementedError(f"the device has no {name}.{method}")
        result = getattr(ufunc, method)(*down(inputs), **down(options))
        return options["out"][0] if options.get("out") else up(result)

    def __array_function__(self, function, types, args, options):
        if function is np.asarray:
            return GuardArray(*args, **options)     # np.asarray(host array, like=device array): an upload on purpose
        if function.__name__ in MISSING or REFUSED_OPTIONS.get(function.__name__, set()) & set(options):
            raise TypeError(f"the device cannot run numpy.{function.__name__}({', '.join(options)})")
        return up(function(*down(args), **down(options)))

    def __getitem__(self, index):
        assert not isinstance(index, list), "a list as an index is uploaded silently"
        return up(self._host[down(index)])

    def __setitem__(self, index, values):
        index = down(index)
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, np.ndarray) and part.dtype != bool and np.unique(part).size != part.size:
                raise ValueError("duplicate indices in an assignment are undefined on a device")
        self._host[index] = down(values)

    def __getattr__(self, name):                # shape, dtype, reshape(), sum() ...
        if name.startswith("__") or name in ("ctypes", "base", "data", "tobytes"):
            raise AttributeError(name)
        if name in ("tolist", "item"):
            waits.append(name)
            return getattr(self._host, name)
        attribute = getattr(self._host, name)
        if callable(attribute) and name != "dtype":
            return lambda *args, **options: up(attribute(*down(args), **down(options)))
        return up(attribute)

    def __len__(self): return len(self._host)
    def __float__(self): waits.append("float"); return float(self._host)
    def __int__(self): waits.append("int"); return int(self._host)
    def __bool__(self): waits.append("bool"); return bool(self._host)


def up(x):
    """Results of device work are on the device, 0-dimensional ones too."""
    if isinstance(x, (np.ndarray, np.generic)):
        return GuardArray(x)
    if isinstance(x, (tuple, list)) and any(isinstance(v, (np.ndarray, np.generic)) for v in x):
        return [*map(up, x)] if isinstance(x, list) else tuple(map(up, x))
    return x


def down(x):
    """The host memory behind device arrays; a host array among them is an error."""
    if isinstance(x, GuardArray):
        return x._host
    if isinstance(x, np.ndarray):
        raise TypeError("a host array mixed with device arrays")
    if type(x) in (tuple, list):
        return type(x)(map(down, x))
    return {key: down(value) for key, value in x.items()} if isinstance(x, dict) else x
