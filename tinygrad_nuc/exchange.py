"""DLPack: tensors that share their memory with other libraries' (https://dmlc.github.io/dlpack)."""

from typing import Any

import numpy as np

from .devices.gpu import import_cupy
from .engine.tensor import Tensor, method

CPU = 1                             # kDLCPU in DLPack's list of devices


@method
def __dlpack__(self: Tensor, *, stream: Any = None, max_version: tuple[int, int] | None = None,
               dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> Any:
    """How ``np.from_dlpack(t)``, ``torch.from_dlpack(t)`` and others get the memory of a tensor, without a copy.

    A change on their side is one on ours, of which the recorded graph is not told. An array that cannot be written to
    is passed on as such; PyTorch does not heed that, so do not write to it there.
    """
    if self.requires_grad:
        raise BufferError("__dlpack__: this tensor requires a gradient, which another library could not pass on: "
                          "use t.detach()")
    array = self.data
    if any(stride < 0 for stride in array.strides):     # PyTorch ends the whole program at the sight of one
        if not copy:
            raise BufferError("__dlpack__: this tensor runs backwards through its memory, as np.flip and t[::-1] do, "
                              "which other libraries cannot: use t.clone()")
        array = np.copy(array, order="C")
    wanted = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
    return array.__dlpack__(**{name: value for name, value in wanted.items() if value is not None})


@method
def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    """Where the memory is, as (kind of device, number)."""
    return self.data.__dlpack_device__()


def from_dlpack(x: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares memory with another library's array or tensor: PyTorch's, NumPy's, CuPy's, JAX's ...

    NumPy before 2.2.5 takes it over read-only; then nothing can be done to the tensor in place.

    Parameters
    ----------
    x : object with ``__dlpack__`` and ``__dlpack_device__``
    device : "cpu", optional
        Where the result shall be; by default where `x` is.
    copy : bool, optional
        True: in memory of its own. False: never. By default only if there is no other way.

    Raises
    ------
    TypeError
        If `x` does not speak DLPack, or holds numbers of a type that NumPy lacks, such as bfloat16.
    BufferError
        If it cannot be shared: because it requires a gradient, say.
    RuntimeError
        If it is on a GPU, and CuPy is not there to take it: one line says what is missing.

    Examples
    --------
    >>> import numpy as np, tinygrad_nuc as tn
    >>> a = np.zeros(2)
    >>> t = tn.from_dlpack(a)
    >>> a[0] = 5
    >>> t
    tensor([5., 0.], dtype=float64)
    >>> np.from_dlpack(t)[1] = 7
    >>> a
    array([5., 7.])
    """
    if not (hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__")):
        raise TypeError(f"from_dlpack: a {type(x).__name__} does not speak DLPack; tn.tensor copies lists and numbers")
    options = {name: option for name, option in {"device": device, "copy": copy}.items() if option is not None}
    library = np if x.__dlpack_device__()[0] == CPU or device == "cpu" else import_cupy()
    try:
        return Tensor(library.from_dlpack(x, **options))
    except RuntimeError as error:
        raise TypeError(f"from_dlpack: {getattr(x, 'dtype', 'its numbers')} cannot be taken over ({error}); "
                        "convert it there first, to float32 for instance") from None
