"""ElementwiseKernel: device code for one element, run in a loop over all of them."""

import ctypes
import re
from collections import namedtuple

import numpy as np
from device_guard import GuardArray

from .compiling import compiled
from .memory import running

C_TYPES = {"bool": "bool", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long long",
           "uint8": "unsigned char", "uint16": "unsigned short", "uint32": "unsigned int",
           "uint64": "unsigned long long", "float32": "float", "float64": "double"}
Parameter = namedtuple("Parameter", "name type dtype raw")      # dtype is None where the type is a placeholder
MOST = 16                                                       # dimensions


class Argument(ctypes.Structure):
    """One argument as the C++ of device_code.hpp sees it."""
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_ssize_t), ("ndim", ctypes.c_ssize_t),
                ("contiguous", ctypes.c_ssize_t), ("shape", ctypes.c_ssize_t * MOST),
                ("strides", ctypes.c_ssize_t * MOST)]

    @classmethod
    def of(cls, host):
        return cls(host.ctypes.data, host.size, host.ndim, host.flags.c_contiguous,
                   (ctypes.c_ssize_t * MOST)(*host.shape), (ctypes.c_ssize_t * MOST)(*host.strides))


def c_type(dtype):
    dtype = np.dtype(dtype)
    if dtype.name not in C_TYPES:
        raise NotImplementedError(f"the emulated CuPy has no kernels for {dtype}")
    return C_TYPES[dtype.name]


def parsed(text):
    """The parameters that a text such as "T x, raw T y, float32 lr" declares."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        words = part.split()
        raw = words[0] == "raw"
        if len(words) != 2 + raw or not words[-1].isidentifier():
            raise ValueError(f"Syntax error: {part}")
        if words[-1] == "i" or words[-1].startswith("_"):
            raise ValueError(f"Can not use {words[-1]!r} as a parameter name")
        placeholder = re.fullmatch("[A-Z]", words[-2])
        try:
            dtype = None if placeholder else np.dtype(words[-2])
        except TypeError:
            raise TypeError(f"data type '{words[-2]}' not understood") from None
        found.append(Parameter(words[-1], words[-2], dtype, raw))
    return found


class ElementwiseKernel:
    """A kernel for each element of arrays that broadcast, as CuPy's.

    Parameters
    ----------
    in_params, out_params : str
        Such as "T x, raw T y, float32 lr". One capital letter is a type that the arrays among the arguments decide.
    operation : str
        C++ for the element `i`; a `raw` parameter is the whole array, read as `y[k]`.
    """

    def __init__(self, in_params, out_params, operation, name="kernel", reduce_dims=True, preamble="", no_return=False,
                 return_tuple=False, *, loop_prep="", after_loop="", options=()):
        self.in_params, self.out_params = parsed(in_params), parsed(out_params)
        self.params = self.in_params + self.out_params
        if len({p.name for p in self.params}) < len(self.params):
            raise ValueError("parameter names are not unique")
        if not name.isidentifier():
            raise ValueError(f'Invalid kernel name: "{name}"')
        self.nin, self.nout, self.nargs = len(self.in_params), len(self.out_params), len(self.params)
        self.operation, self.name, self.preamble = operation, name, preamble
        self.loop_prep, self.after_loop = loop_prep, after_loop
        self.no_return, self.return_tuple = no_return, return_tuple

    def __call__(self, *args, size=None, stream=None, block_size=128):
        if len(args) not in (self.nin, self.nargs):
            raise TypeError(f"Wrong number of arguments for '{self.name}'. It must be either {self.nin} or "
                            f"{self.nargs} (with outputs), but given {len(args)}.")
        inputs, outputs = args[:self.nin], args[self.nin:]
        for value in inputs:
            if not isinstance(value, (GuardArray, bool, int, float, np.generic)):
                raise TypeError(f"Unsupported type {type(value)}")
        if not all(isinstance(value, GuardArray) for value in outputs):
            raise TypeError("Output arguments type must be cupy.ndarray")
        for p, value in zip(self.in_params, inputs):
            if p.raw and not isinstance(value, GuardArray):
                raise TypeError(f"'{self.name}': the raw parameter {p.name} must be an array")
        dtypes = self._dtypes(inputs, outputs)
        shape = self._loop_shape(args, size)
        if not outputs:
            if size is None and any(p.raw for p in self.out_params):
                raise ValueError("Output array size is Undefined")
            outputs = tuple(running().empty(shape, dtype) for dtype in dtypes[self.nin:])
        for p, value in zip(self.out_params, outputs):
            if not p.raw and value.shape != shape:
                raise ValueError("Out shape is mismatched")
        if 0 not in shape:
            self._launch(inputs, outputs, dtypes, shape)
        if self.no_return:
            return None
        return outputs[0] if self.nout == 1 and not self.return_tuple else outputs

    def _dtypes(self, inputs, outputs):
        """The dtype of every parameter: placeholders are decided by the arrays, and numbers follow."""
        bound = {}
        for p, value in (*zip(self.out_params, outputs), *zip(self.in_params, inputs)):
            if isinstance(value, GuardArray):
                wanted = bound.setdefault(p.type, value.dtype) if p.dtype is None else p.dtype
                if value.dtype != wanted:
                    raise TypeError(f"Type is mismatched. {p.name} {value.dtype} {wanted} {p.type}")
        for p in self.params:
            if p.dtype is None and p.type not in bound:
                raise TypeError(f"'{self.name}': no array says what the type {p.type} of {p.name} is")
        return [bound[p.type] if p.dtype is None else p.dtype for p in self.params]

    def _loop_shape(self, args, size):
        looped = [value.shape for p, value in zip(self.params, args) if not p.raw and isinstance(value, GuardArray)]
        if size is None:
            if not looped:
                raise ValueError("Loop size is undefined.")
            return np.broadcast_shapes(*looped)
        if looped:
            raise ValueError("Specified 'size' can be used only if all of the ndarray are 'raw'.")
        return (int(size),)

    def _launch(self, inputs, outputs, dtypes, shape):
        run = compiled(self._source(tuple(map(np.dtype, dtypes)), [isinstance(v, GuardArray) for v in inputs])).run
        loop = np.broadcast_to(np.empty((), bool), shape)
        hosts = []
        for p, value, dtype in zip(self.params, (*inputs, *outputs), dtypes):
            if not isinstance(value, GuardArray):
                hosts.append(np.array(value).astype(dtype))                     # 2.7 becomes the int 2, as in CuPy
            else:
                hosts.append(value._host if p.raw else np.broadcast_to(value._host, shape))
        arguments = (Argument * (self.nargs + 1))(*map(Argument.of, (*hosts, loop)))
        running().launch(lambda keep=(hosts, loop): run(arguments),
                         [value for value in (*inputs, *outputs) if isinstance(value, GuardArray)])

    def _source(self, dtypes, is_array):
        types = {p.type: dtype for p, dtype in zip(self.params, dtypes) if p.dtype is None}
        before, inside = [], []
        for k, (p, dtype) in enumerate(zip(self.params, dtypes)):
            const = "const " if k < self.nin else ""
            element = const + c_type(dtype)
            if k < self.nin and not is_array[k]:
                before.append(f"{element} {p.name} = *({element}*)_arguments[{k}].data;")
            elif p.raw:
                before.append(f"const CArray<{element}> {p.name}(_arguments[{k}]);")
            else:
                before.append(f"const CArray<{element}> _raw_{p.name}(_arguments[{k}]);")
                inside.append(f"{element}& {p.name} = _raw_{p.name}[_ind.get()];")
        line = "\n    "
        return f"""{"".join(f"typedef {c_type(dtype)} {name};{line}" for name, dtype in types.items())}
{self.preamble}
extern "C" void run(const Argument* _arguments) {{
    {line.join(before)}
    CIndexer _ind(_arguments[{self.nargs}]);
    {self.loop_prep};
    for (ptrdiff_t i = 0; i < _ind.size(); ++i) {{
        _ind.set(i);
        {line.join(inside)}
        [&]() {{ do {{                               // `return`, `continue` and `break` end this element only
{self.operation};
        }} while (0); }}();
    }}
    {self.after_loop};
}}
"""
