"""Three tables that the files of operations fill when they are imported.

`table`            the table of derivatives, name → class, so that the engine can say ``table.Multiply`` without
                   importing it, and so that the tests find every operation by themselves.
`numpy_functions`  NumPy function → what it does when it is given a Tensor.
`numpy_hints`      name of a NumPy function without a derivative here, or of a module of them → what comes closest.
"""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

table: Any = SimpleNamespace()
numpy_functions: dict[Callable, Callable] = {}
numpy_hints: dict[str, str] = {}


def implements(*functions: Callable) -> Callable:
    """Decorator: the decorated function is what the NumPy `functions` do with Tensors."""
    def enter(implementation: Callable) -> Callable:
        for function in functions:
            numpy_functions[function] = implementation
        return implementation
    return enter


def call_numpy(function: Callable, args: Any, options: Any) -> Any:
    """Do what a NumPy function would, on Tensors; an error if no operation here corresponds to it."""
    if function not in numpy_functions:
        name, module = name_of(function)
        closest = numpy_hints.get(name) or numpy_hints.get(module) or "functions that record, listed in docs/numpy.md"
        raise TypeError(f"{name} has no derivative here. The closest: {closest}. t.numpy() gives the value alone")
    if options.pop("out", None) is not None:
        name, _ = name_of(function)
        raise TypeError(f"{name} of a Tensor returns a new tensor, and cannot write it into another array: leave out= "
                        "away; `with tn.no_grad(): w.copy_(result)` overwrites a tensor")
    implementation = numpy_functions[function]
    try:
        return implementation(*args, **options)
    except (TypeError, AttributeError) as error:
        takes, (name, _) = signature(implementation), name_of(function)
        try:
            takes.bind(*args, **options)
        except TypeError as mismatch:
            raise TypeError(f"{name} of a Tensor: {mismatch}; it takes {takes}") from None
        if isinstance(error, AttributeError) and not all(hasattr(x, "dtype") for x in args):
            raise TypeError(f"{name} of a Tensor: {error}; write tn.tensor(...) for a list or a number") from error
        raise


def name_of(function: Callable) -> tuple[str, str]:
    """What errors call a NumPy function, with its module, which also comes alone."""
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module}.{function.__name__}", module


def signature(implementation: Callable) -> inspect.Signature:
    """What an implementation takes, without the types; of an operation's `apply`, what its `forward` takes."""
    operation = getattr(implementation, "__self__", None)
    full = inspect.signature(implementation if operation is None else operation.forward)
    parameters = [p.replace(annotation=p.empty) for p in full.parameters.values()]
    return full.replace(parameters=parameters, return_annotation=full.empty)
