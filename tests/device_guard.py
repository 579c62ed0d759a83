"""GuardArray: a NumPy-backed array with the manners of a GPU array, to prove that code stays on its device.

It refuses what CuPy refuses (implicit conversion to NumPy, mixing with host arrays, functions and keywords that
CuPy lacks) and logs every read that would make a GPU wait. Measured with CuPy 14.2. Whatever is computed goes through
`machine.run`, so that tests/emulated_cupy can put a machine with memory, streams and graphs in the place of this one.
"""

from types import SimpleNamespace

import numpy as np

MISSING = set("block insert unstack geomspace nanquantile nanpercentile vector_norm matrix_norm multi_dot svdvals "
              "einsum_path vecdot matvec vecmat spacing isnat histogram_bin_edges".split())
MISSING_METHODS = set("ctypes base tobytes resize setflags getfield setfield newbyteorder to_device".split())
REDUCIBLE = {"add", "multiply"}
AT = {"add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"}
REFUSED_OPTIONS = {**dict.fromkeys("sum prod max min amax amin".split(), {"initial", "where"}),
                   **dict.fromkeys("mean std var any all".split(), {"where", "correction"}),
                   "clip": {"min", "max"}, "sort": {"stable"}, "argsort": {"stable"}}
IN_PLACE = set("fill sort partition put".split())                                      # methods that write their array
WRITES_FIRST = set("copyto put place putmask fill_diagonal put_along_axis".split())    # functions that write args[0]
DESCRIPTIONS = set("shape dtype ndim size strides nbytes itemsize flags".split())      # known without a look at values
waits = []                                      # every read from device to host
uploads = []                                    # every copy from host to device


class Machine:
    """What a GuardArray asks of its device: here a single one that computes at once."""

    capturing = False

    def run(self, function, args, options=None, written=()):
        """The result of a NumPy function on the memory behind the arrays; `written`: those it changes."""
        return up(function(*down(args), **down(options or {})))

    def wait(self, what): waits.append(what)
    def upload(self, what): uploads.append(what)
    def memory_of(self, host): return None
    def device_of(self, array): return SimpleNamespace(id=0)

    def index(self, index):
        assert not isinstance(index, list), "a list as an index is uploaded silently"
        return index


machine = Machine()


class GuardArray(np.lib.mixins.NDArrayOperatorsMixin):
    __slots__ = ("_host", "_memory", "__weakref__")
    __array_priority__ = 100

    def __init__(self, host, memory=None):
        self._host = np.asarray(host)           # the one sanctioned upload
        self._memory = machine.memory_of(self._host) if memory is None else memory

    def get(self, stream=None, order="C", out=None, blocking=True):
        machine.wait("get")
        if out is None:
            return self._host.copy(order)       # the one sanctioned download
        np.copyto(out, self._host)
        return out

    def set(self, host, stream=None):
        """Copy a host array into this one."""
        if not isinstance(host, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if self.dtype != host.dtype:
            raise TypeError(f"{host.dtype} array cannot be set to {self.dtype} array")
        if self.shape != host.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {host.shape}")
        if not (self.flags.c_contiguous or self.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        if stream is None:
            machine.upload("set")               # with a stream it is asynchronous, and legal under capture
        else:
            uploads.append("set")
        machine.run(lambda device: np.copyto(device, host), (self,), written=(self,))

    @property
    def device(self): return machine.device_of(self)

    @property
    def data(self): return SimpleNamespace(ptr=self._host.ctypes.data, device_id=self.device.id)

    def __array__(self, *args, **options):
        raise TypeError("implicit conversion of a device array to NumPy")

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        name = ufunc.__name__
        if name in MISSING or (method in ("reduce", "accumulate") and name not in REDUCIBLE) or \
                (method == "at" and name not in AT):
            raise NotImplementedError(f"the device has no {name}.{method}")
        out = options.get("out", ())
        if any(is_foreign(x) for x in (*inputs, *out)):
            return NotImplemented                   # as CuPy: a Tensor beside it answers
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        result = machine.run(function, inputs, options, inputs[:1] if method == "at" else out)
        return result if not out else out[0] if len(out) == 1 else out

    def __array_function__(self, function, types, args, options):
        name = function.__name__
        if any(hasattr(kind, "__array_function__") and not issubclass(kind, (GuardArray, np.ndarray)) for kind in types):
            return NotImplemented
        if function is np.asarray:
            machine.upload("asarray")               # np.asarray(host array, like=device array): an upload on purpose
            return GuardArray(*args, **options)
        refuse(name, options)
        written = args[:1] if name in WRITES_FIRST else written_by(options)
        result = machine.run(function, args, options, written)
        return options["out"] if options.get("out") is not None else result

    def __getitem__(self, index):
        index = machine.index(index)
        return machine.run(taken if has_arrays(index) else viewed, (self, index))

    def __setitem__(self, index, values):
        machine.run(assign, (self, machine.index(index), values), written=(self,))

    def __getattr__(self, name):                # T, reshape(), sum() ...
        if name.startswith("__") or name in MISSING_METHODS or name in GuardArray.__slots__:
            raise AttributeError(name)
        if name in ("tolist", "item"):
            machine.wait(name)
            return getattr(self._host, name)
        if name in DESCRIPTIONS:
            return getattr(self._host, name)
        if not callable(getattr(self._host, name)):
            return machine.run(getattr, (self, name))

        def method(*args, **options):
            refuse(name, options)
            written = (self,) if name in IN_PLACE else written_by(options)
            result = machine.run(getattr(np.ndarray, name), (self, *args), options, written)
            return options["out"] if options.get("out") is not None else result
        return method

    def __len__(self): return len(self._host)
    def __float__(self): machine.wait("float"); return float(self._host)
    def __int__(self): machine.wait("int"); return int(self._host)
    def __bool__(self): machine.wait("bool"); return bool(self._host)
    def __repr__(self): machine.wait("repr"); return repr(self._host)
    def __str__(self): machine.wait("str"); return str(self._host)
    def __format__(self, how): machine.wait("format"); return format(self._host[()], how)
    def __reduce__(self): return GuardArray, (self.get(),)
    def __copy__(self): return self.copy()
    def __deepcopy__(self, memo): return self.copy()


def is_foreign(x):
    return hasattr(x, "__array_ufunc__") and not isinstance(x, (GuardArray, np.ndarray, np.generic))


def refuse(name, options):
    if name in MISSING or REFUSED_OPTIONS.get(name, set()) & set(options):
        raise TypeError(f"the device cannot run numpy.{name}({', '.join(options)})")


def written_by(options):
    out = options.get("out")
    return out if isinstance(out, tuple) else () if out is None else (out,)


def has_arrays(index):
    return any(isinstance(part, GuardArray) for part in (index if isinstance(index, tuple) else (index,)))


def taken(host, index):
    """What arrays as an index choose: a copy, also where NumPy makes a view since there is a single number."""
    return np.array(host[index])


def viewed(host, index):
    """What numbers and slices choose: a view, also where NumPy makes a number."""
    index = index if isinstance(index, tuple) else (index,)
    return host[index if any(part is Ellipsis for part in index) else (*index, ...)]


def assign(host, index, values):
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, np.ndarray) and part.dtype != bool and np.unique(part).size != part.size \
                and not machine.capturing:
            raise ValueError("duplicate indices in an assignment are undefined on a device")
    host[index] = values


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
