"""Two tables that the files of operations fill when they are imported.

`table`            the table of derivatives, name → class, so that the engine can say ``table.Multiply`` without
                   importing it, and so that the tests find every operation by themselves.
`numpy_functions`  NumPy function → what it does when it is given a Tensor.
"""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

table: Any = SimpleNamespace()
numpy_functions: dict[Callable, Callable] = {}


def implements(*functions: Callable) -> Callable:
    """Decorator: the decorated function is what the NumPy `functions` do with Tensors."""
    def enter(implementation: Callable) -> Callable:
        for function in functions:
            numpy_functions[function] = implementation
        return implementation
    return enter


def call_numpy(function: Callable, args: Any, options: Any) -> Any:
    """Do what a NumPy function would, on Tensors; an error if no operation here corresponds to it."""
    name = f"{getattr(function, '__module__', None) or 'numpy'}.{function.__name__}"
    if function not in numpy_functions:
        raise TypeError(f"{name} has no derivative here; {name}(t.data) gives the value alone")
    implementation = numpy_functions[function]
    try:
        return implementation(*args, **options)
    except TypeError:
        try:
            inspect.signature(implementation).bind(*args, **options)
        except TypeError as mismatch:
            raise TypeError(f"{name} of a Tensor: {mismatch}; it takes {inspect.signature(implementation)}") from None
        raise
