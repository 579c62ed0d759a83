"""Second names that PyTorch has for the same functions."""

import numpy as np

from ..engine.tensor import Tensor, method
from .arithmetic import abs as absolute
from .arithmetic import div as divide
from .arithmetic import mul as multiply
from .arithmetic import neg as negative
from .arithmetic import sub as subtract
from .joining import cat as concat
from .logic import ge as greater_equal
from .logic import gt as greater
from .logic import le as less_equal
from .logic import lt as less
from .selection import clamp as clip
from .shape import reshape

for _name, _function in {"absolute": absolute, "divide": divide, "multiply": multiply, "negative": negative,
                         "subtract": subtract, "greater": greater, "greater_equal": greater_equal, "less": less,
                         "less_equal": less_equal, "clip": clip}.items():
    setattr(Tensor, _name, _function)


@method
def ravel(input: Tensor) -> Tensor:
    """All values in one dimension.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.ravel(tn.ones(2, 2))
    tensor([1., 1., 1., 1.])
    """
    return reshape(input, -1)


@method
def half(self: Tensor) -> Tensor:
    """The values as float16."""
    return self.to(np.float16)
