"""The emulated machine: which device, stream and pool are current, and how NumPy's functions run on it."""

import weakref
from contextlib import contextmanager

import device_guard
import numpy as np
from device_guard import GuardArray, down, uploads, waits

from .memory import Memory, MemoryPool, OutOfMemoryError, limit, running

CUBLAS = set("matmul dot vdot inner outer tensordot einsum".split())
CUSOLVER = set("inv solve svd eigh eigvalsh cholesky qr det slogdet lstsq pinv matrix_rank "
               "matrix_power eig eigvals".split())
READS_VALUES = set("nonzero flatnonzero argwhere unique unique_values unique_counts unique_inverse unique_all extract "
                   "compress bincount union1d intersect1d setdiff1d setxor1d trim_zeros".split())
DEVICE_ANSWERS = set("allclose array_equal array_equiv count_nonzero".split())     # Python numbers in NumPy only
JOINS = set("concatenate stack hstack vstack dstack column_stack row_stack array".split())
FEW, SMALL = 8, 2 << 20                         # more arrays, and smaller ones in bytes, CuPy joins in a single kernel
PLENTY = 8 << 30                                # bytes that a device says it has, without a limit


class Machine(device_guard.Machine):
    """Devices with streams and memory in the place of the guard's plain machine."""

    def __init__(self, null, devices=1):
        self.devices, self.current = devices, 0
        self.pools = weakref.WeakSet()
        self.default_pool = MemoryPool(machine=self)
        self.allocator = self.default_pool.malloc
        self.reserved = dict.fromkeys(range(devices), 0)    # device -> bytes that pools took from it
        self.stream = null
        self.captures = {}                      # stream -> what it captures at present

    @property
    def capture(self):
        """What the current stream captures, or None."""
        return self.captures.get(self.stream)

    @property
    def capturing(self): return self.capture is not None

    # ---- arrays
    def reserve(self, size, device):
        """Take bytes from a device for a pool, if there are as many."""
        if limit() is not None and self.reserved[device] + size > limit():
            raise OutOfMemoryError(size, self.reserved[device])
        self.reserved[device] += size

    def memory_of(self, host):
        """Memory for a new array from the current pool."""
        memory = Memory(self.allocator(host.nbytes), host)
        if self.capture:
            self.capture.made.append((host, memory.block))
        return memory

    def block_at(self, address, size=1):
        """The memory in use that has these bytes, or None."""
        return next((block for pool in self.pools for block in pool.blocks if block.contains(address, size)), None)

    def device_of(self, array):
        from .streams import Device
        return Device(array._memory.device if array._memory else 0)

    def empty(self, shape, dtype=float, order="C"):
        """An array that holds nothing sensible: NaN, or a large number where there is none."""
        host = np.empty(shape, dtype, order)
        if self.capture:
            host[...] = 0                       # valid as an index while the capture lasts, spoiled at its end
        else:
            spoil(host)
        return GuardArray(host)

    # ---- what waits for the device, and what is refused while a stream captures
    def wait(self, what):
        self.refuse(what, self.capture)
        waits.append(what)

    def wait_for_all(self, what):
        """A wait for the whole device, which no stream may capture meanwhile."""
        self.refuse(what, *self.captures.values())
        waits.append(what)

    def upload(self, what):
        self.refuse_uploads(what)
        uploads.append(what)

    def refuse_uploads(self, what):
        self.refuse(what, self.capture, refused="H2D transfers")

    def refuse(self, what, *captures, refused="synchronous API calls"):
        for capture in filter(None, captures):
            capture.invalid = True
            raise RuntimeError(f"{what}: the current stream is capturing, so {refused} are disallowed")

    def refuse_libraries(self, name):
        if self.capture and name in CUBLAS | CUSOLVER:
            self.capture.invalid = True
            library = "cuBLAS" if name in CUBLAS else "cuSOLVER"
            raise NotImplementedError(f"calling {library} API during stream capture is currently unsupported")

    def index(self, index):
        """Lists and host arrays in an index are uploaded, silently."""
        if isinstance(index, tuple):
            return tuple(map(self.index, index))
        if isinstance(index, (list, np.ndarray)):
            self.upload("index")
            return GuardArray(np.array(index, copy=True))
        return index

    # ---- computing
    def run(self, function, args, options=None, written=()):
        options = options or {}
        name = getattr(function, "__name__", "")
        arrays = arrays_in((args, options))
        hosts, host_options = down(args), down(options)     # host arrays are refused here
        self.refuse_libraries(name)
        if reads_values(name, args, options):
            self.wait(f"{name}, which looks at values")
        if name == "array" and not arrays and np.ndim(args[0]) > 0:
            self.upload("array")                # np.array(numbers, like=device array); a single number is filled in
        if joins_by_addresses(name, args):
            self.refuse_uploads(f"{name} of more than {FEW} arrays, whose addresses are uploaded")
        if written:
            self.check_devices(arrays)
        if self.capture:
            result = self.capture.compute(function, hosts, host_options, arrays, written)
        else:
            with np.errstate(all="ignore"):     # a GPU does not warn
                result = function(*hosts, **host_options)
            if function is np.empty_like:
                spoil(result)
        if written:
            return None
        if name != "copy" and makes_arrays(result) and not shares_memory(result, arrays):
            self.check_devices(arrays)
        if name in DEVICE_ANSWERS and not isinstance(result, np.ndarray):
            result = np.asarray(result)
        return self.up(result, arrays)

    def launch(self, call, arrays, addresses=()):
        """Run a kernel now, or record it; `addresses`: where else it may read and write."""
        self.check_devices(arrays)
        if self.capture:
            blocks = [array._memory.block for array in arrays if array._memory]
            self.capture.record(call, blocks + [block for block in map(self.block_at, addresses) if block])
        else:
            call()

    def up(self, x, sources):
        """Results of device work; a view holds on to the memory of what it shows."""
        if isinstance(x, (np.ndarray, np.generic)):
            owners = [a for a in sources if isinstance(x, np.ndarray) and np.may_share_memory(x, a._host)]
            return GuardArray(x, owners[0]._memory if owners else None)
        if isinstance(x, (tuple, list)) and any(isinstance(v, (np.ndarray, np.generic)) for v in x):
            return type(x)([self.up(v, sources) for v in x]) if type(x) in (list, tuple) else \
                type(x)(*(self.up(v, sources) for v in x))
        return x

    def check_devices(self, arrays):
        for array in arrays:
            if array.device.id != self.current:
                raise ValueError(f"Array device must be same as the current device: array device = {array.device.id} "
                                 f"while current = {self.current}")

    @contextmanager
    def using_allocator(self, allocator=None):
        before = self.allocator
        self.allocator = allocator or self.default_pool.malloc
        try:
            yield
        finally:
            self.allocator = before


def arrays_in(x):
    if isinstance(x, GuardArray):
        return [x]
    if isinstance(x, dict):
        x = x.values()
    elif not isinstance(x, (tuple, list)):
        return []
    return [array for part in x for array in arrays_in(part)]


def parts_of(result):
    return result if isinstance(result, (tuple, list)) else (result,)


def makes_arrays(result):
    return any(isinstance(part, (np.ndarray, np.generic)) for part in parts_of(result))


def shares_memory(result, arrays):
    return any(isinstance(part, np.ndarray) and np.may_share_memory(part, array._host)
               for part in parts_of(result) for array in arrays)


def reads_values(name, args, options):
    """Whether CuPy waits for values, mostly to know how large the result is."""
    if name == "histogram":                     # only from a number of bins and a range it can make the edges at once
        settings = dict(zip(("a", "bins", "range"), args)) | options
        return isinstance(settings.get("bins", 10), GuardArray) or settings.get("range") is None
    if name == "where":
        return len(args) == 1
    if name == "repeat":
        return len(args) > 1 and isinstance(args[1], GuardArray)
    if name == "taken" or name == "assign" and isinstance(args[2], GuardArray) and args[2].size > 1:
        parts = args[1] if isinstance(args[1], tuple) else (args[1],)       # x[mask], or x[mask] = as many numbers
        return any(isinstance(part, GuardArray) and part.dtype == bool for part in parts)
    return name in READS_VALUES


def joins_by_addresses(name, args):
    """Whether CuPy joins these arrays in a single kernel, which gets a list of their addresses; others it copies."""
    if name not in JOINS or not args or name == "array" and isinstance(args[0], GuardArray):
        return False
    arrays = arrays_in(args[0])
    count = len(args[0] if isinstance(args[0], GuardArray) else arrays)
    return (count > FEW and len({array.dtype for array in arrays}) == 1
            and sum(array.nbytes for array in arrays) < SMALL * count)


def spoil(host):
    """What memory holds before anything was computed: values that are noticed."""
    kind = host.dtype.kind
    if host.flags.writeable:
        host[...] = {"f": np.nan, "c": np.nan, "b": True}.get(kind, np.iinfo(host.dtype).max - 7 if kind in "iu" else 0)
