"""Two tables that every operation enters itself into when its class is defined.

`operations`       name → class, so that the engine can say ``operations.Multiply`` without importing the
                   table of derivatives, and so that the tests find every operation by themselves.
`numpy_functions`  NumPy function → what it does when it is given a Tensor.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

operations: Any = SimpleNamespace()
numpy_functions: dict[Callable, Callable] = {}


def implements(*functions: Callable) -> Callable:
    """Decorator: the decorated function is what the NumPy `functions` do with Tensors."""
    def enter(implementation: Callable) -> Callable:
        for function in functions:
            numpy_functions[function] = implementation
        return implementation
    return enter
