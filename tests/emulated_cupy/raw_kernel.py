"""RawKernel: a __global__ function, run for every thread of a grid."""

import ctypes
import re
from functools import cached_property

import numpy as np
from device_guard import GuardArray

from .compiling import compiled
from .memory import running

MEETING = re.compile(r"__sync(threads|warp)|__shfl_|__ballot_sync|__any_sync|__all_sync")
DYNAMIC_SHARED = re.compile(r"extern\s+__shared__\s+(?:(?:__align__|alignas)\(\d+\)\s+)?"
                            r"([\w\s]+?)\s*\b(\w+)\s*\[\s*\]\s*;")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
KINDS = {0: "other", 1: "f", 2: "iu", 3: "b"}


class RawKernel:
    """A CUDA kernel from its source: `kernel((grid,), (block,), (arguments, ...))`.

    The threads of a block take turns, each until it has to wait for others; the blocks run one after the other.

    Raises
    ------
    TypeError
        Where an argument is not what the kernel's signature says; a GPU would read past it or take its bits for
        something else.
    """

    def __init__(self, code, name, options=(), backend="nvrtc", translate_cucomplex=False,
                 enable_cooperative_groups=False, jitify=False):
        self.code, self.name, self.options, self.backend = code, name, tuple(options), backend
        self.max_dynamic_shared_size_bytes = 48 << 10

    def compile(self, log_stream=None):
        self._library

    @cached_property
    def _parameters(self):
        """The types of the parameters, as written in the source."""
        source = COMMENT.sub(" ", self.code)
        found = re.search(rf"__global__[^;{{]*?\b{re.escape(self.name)}\s*\(([^{{;]*?)\)\s*\{{", source, re.DOTALL)
        if found is None:
            raise ValueError(f"no __global__ function {self.name} in the source")
        text = found[1].strip()
        types = [] if text in ("", "void") else [re.sub(r"(\w+)\s*$", "", part).strip() for part in text.split(",")]
        return [re.sub(r"__restrict__|\b__grid_constant__", "", part).strip() for part in types]

    @cached_property
    def _library(self):
        code = DYNAMIC_SHARED.sub(r"\1* \2 = (\1*)aligned_shared_memory();", self.code)
        values = ", ".join(f"*(std::decay_t<{t}>*)_values[{k}]" for k, t in enumerate(self._parameters))
        described = ", ".join(f"describe<{t}>()" for t in self._parameters)
        macros = "".join(f"#define {o[2:].replace('=', ' ', 1)}\n" for o in self.options if o.startswith("-D"))
        return compiled(f"""{macros}
namespace {{                                    // so that nothing in it is shared with other kernels
{code}
}}
struct Description {{ int pointer, kind, size; }};
template <class T> Description describe() {{
    typedef std::remove_cv_t<std::remove_pointer_t<T>> E;
    const int kind = std::is_floating_point_v<E> ? 1 : std::is_same_v<E, bool> ? 3 : std::is_integral_v<E> ? 2 : 0;
    if constexpr (std::is_void_v<E>) return {{1, 0, 0}};
    else return {{std::is_pointer_v<T>, kind, (int)sizeof(E)}};
}}
extern "C" void describe_parameters(Description* _into) {{
    const Description all[] = {{{described or "{}"}}};
    memcpy(_into, all, {len(self._parameters)} * sizeof(Description));
}}
static void** _values;
static void _one_thread() {{ {self.name}({values}); }}
extern "C" int run(const unsigned int* grid, const unsigned int* block, size_t shared, void** values) {{
    _values = values;
    return run_grid({{grid[0], grid[1], grid[2]}}, {{block[0], block[1], block[2]}}, shared,
                    {str(bool(MEETING.search(COMMENT.sub(" ", self.code)))).lower()}, _one_thread);
}}
""")

    @cached_property
    def _descriptions(self):
        """For each parameter: whether it is a pointer, the kind and the bytes of what it holds or points to."""
        into = (ctypes.c_int * (3 * len(self._parameters) + 3))()
        self._library.describe_parameters(into)
        return [(bool(into[3 * k]), KINDS[into[3 * k + 1]], into[3 * k + 2]) for k in range(len(self._parameters))]

    def __call__(self, grid, block, args, *, shared_mem=0, stream=None):
        if len(args) != len(self._parameters):
            raise TypeError(f"{self.name} takes {len(self._parameters)} arguments ({', '.join(self._parameters)}), not "
                            f"{len(args)}")
        grid, block = (tuple(map(int, x)) + (1,) * (3 - len(x)) for x in (grid, block))
        check_sizes(self.name, grid, block, shared_mem, self.max_dynamic_shared_size_bytes)
        hosts = [self._as_host(*pair) for pair in enumerate(args)]
        storage = [np.array(host.ctypes.data, np.uintp) if isinstance(value, GuardArray) else host
                   for host, value in zip(hosts, args)]
        pointers = (ctypes.c_void_p * (len(args) + 1))(*(s.ctypes.data for s in storage))
        run, name = self._library.run, self.name
        grid, block = ((ctypes.c_uint * 3)(*x) for x in (grid, block))

        def call(keep=(hosts, storage)):
            if not run(grid, block, ctypes.c_size_t(shared_mem), pointers):
                raise RuntimeError(f"{name}: the threads of a block wait for each other for ever, since not all of "
                                   "them reach the same __syncthreads() or shuffle")
        structures = [host for host in hosts if host.dtype.names]
        running().launch(call, [v for v in args if isinstance(v, GuardArray)], pointers_in(structures))

    def _as_host(self, k, value):
        """The memory of an argument, after a look whether it is of the type that the kernel expects."""
        pointer, kind, size = self._descriptions[k]
        what = f"{self.name}: argument {k + 1} is {{}}, but the kernel expects {self._parameters[k]}"
        if isinstance(value, GuardArray):
            if not pointer:
                raise TypeError(what.format("an array"))
            if kind != "other" and (value.dtype.kind not in kind or value.dtype.itemsize != size):
                raise TypeError(what.format(f"an array of {value.dtype}"))
            return value._host
        structure = isinstance(value, np.ndarray) and value.size == 1 and value.dtype.names
        if not isinstance(value, (bool, int, float, np.generic)) and not structure:
            raise TypeError(f"Unsupported type {type(value)}")
        host = np.array(value, {bool: bool, int: np.int64, float: np.float64}.get(type(value)))
        if pointer or host.dtype.itemsize != size or (kind != "other" and host.dtype.kind not in kind):
            raise TypeError(what.format(host.dtype))
        return host


def pointers_in(structures):
    """What may be addresses among the bytes of structures."""
    return [int(word) for host in structures
            for word in np.frombuffer(host.tobytes()[:host.nbytes // 8 * 8], np.uint64)]


def check_sizes(name, grid, block, shared, most_shared):
    """What a GPU refuses to launch."""
    if not (all(1 <= n <= limit for n, limit in zip(grid, (2**31 - 1, 65535, 65535)))
            and all(1 <= n <= limit for n, limit in zip(block, (1024, 1024, 64))) and np.prod(block) <= 1024
            and 0 <= shared <= most_shared):
        raise RuntimeError(f"CUDA_ERROR_INVALID_VALUE: {name} with the grid {grid}, blocks of {block} threads and "
                           f"{shared} bytes of shared memory")
