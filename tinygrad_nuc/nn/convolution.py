"""Layers for images: convolution and pooling."""

import math
from typing import Any

from ..creation import zeros
from ..engine.tensor import Tensor
from ..utils.arguments import whole_number
from . import functional as F
from . import init
from .functional.convolution import same, two
from .module import Module
from .parameter import Parameter


class Conv2d(Module):
    """Filters that are learned: each one's scalar product with every window of an image.

    Weights and biases start uniform in ±1/√n, as in PyTorch, where n is the number of values in a window.

    Parameters
    ----------
    in_channels, out_channels : int
        How many values each pixel has, and how many filters look at it.
    kernel_size : int or two
        Rows and columns of a window.
    stride, padding, dilation, groups
        As for `tinygrad_nuc.nn.functional.conv2d`.
    bias : bool
        Whether there is one for each filter.
    padding_mode : str
        Only "zeros"; pad the images with ``F.pad(x, …, mode=…)`` for anything else.
    dtype : dtype, optional
        Of the weights; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, rows, columns)
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> layer = tn.nn.Conv2d(1, 16, kernel_size=3, padding=1)
    >>> layer(tn.zeros(5, 1, 28, 28)).shape
    (5, 16, 28, 28)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
                 stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] | str = 0,
                 dilation: int | tuple[int, int] = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
                 *, dtype: Any = None) -> None:
        super().__init__()
        self.in_channels = whole_number("Conv2d", "in_channels", in_channels)
        self.out_channels = whole_number("Conv2d", "out_channels", out_channels)
        self.groups = whole_number("Conv2d", "groups", groups)
        self.kernel_size = two("Conv2d", "kernel_size", kernel_size)
        self.stride = two("Conv2d", "stride", stride)
        self.dilation = two("Conv2d", "dilation", dilation)
        self.padding_mode = padding_mode
        if isinstance(padding, str):
            same("Conv2d", padding, self.stride)
        else:
            padding = two("Conv2d", "padding", padding, least=0)
        self.padding = padding
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"Conv2d: groups must divide in_channels and out_channels, and {groups} does not divide "
                             f"{in_channels} and {out_channels}")
        if padding_mode != "zeros":
            raise ValueError(f"Conv2d: padding_mode {padding_mode!r} is not to be had; pad the images first, with "
                             "F.pad(x, …, mode=…), and leave padding at 0")
        self.weight = Parameter(zeros(out_channels, in_channels // groups, *self.kernel_size, dtype=dtype))
        self.register_parameter("bias", Parameter(zeros(out_channels, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights and biases."""
        bound = 1 / math.sqrt(init.fans(self.weight)[0])
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        unusual = {"padding": self.padding != (0, 0), "dilation": self.dilation != (1, 1), "groups": self.groups != 1}
        text += "".join(f", {name}={getattr(self, name)}" for name, shown in unusual.items() if shown)
        return text if self.bias is not None else f"{text}, bias=False"


def check_windows(layer: str, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1) -> None:
    """Refuse settings with which no image can be pooled."""
    two(layer, "kernel_size", kernel_size)
    two(layer, "stride", stride)
    two(layer, "padding", padding, least=0)
    two(layer, "dilation", dilation)


class MaxPool2d(Module):
    """The largest value of every window; see `tinygrad_nuc.nn.functional.max_pool2d`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.MaxPool2d(2)(tn.zeros(5, 16, 28, 28)).shape
    (5, 16, 14, 14)
    """

    def __init__(self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None,
                 padding: int | tuple[int, int] = 0, dilation: int | tuple[int, int] = 1, return_indices: bool = False,
                 ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode
        check_windows("MaxPool2d", self.kernel_size, self.stride, padding, dilation)

    def forward(self, x: Tensor) -> Any:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
                            self.return_indices)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                f"dilation={self.dilation}, ceil_mode={self.ceil_mode}")


class AvgPool2d(Module):
    """The mean of every window; see `tinygrad_nuc.nn.functional.avg_pool2d`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.AvgPool2d(2)(tn.ones(1, 1, 2, 4))
    tensor([[[[1., 1.]]]])
    """

    def __init__(self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None,
                 padding: int | tuple[int, int] = 0, ceil_mode: bool = False, count_include_pad: bool = True,
                 divisor_override: int | None = None) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override
        check_windows("AvgPool2d", self.kernel_size, self.stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
                            self.divisor_override)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
