"""A function's value and gradient together: what training takes, and what minimizers such as SciPy's ask for."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backward import between
from .functions import Point
from .tensor import Tensor


def value_and_grad(func: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The function that computes both ``func(*args)`` and its gradient with respect to one argument, or several.

    Name and order are JAX's; PyTorch calls it ``torch.func.grad_and_value``, which returns (gradient, value).

    For tensors both are tensors, and compose with the other transforms as their results do. For NumPy arrays the value
    is a Python number and the gradient an array, as a minimizer over one flat vector wants them::

        scipy.optimize.minimize(tn.func.value_and_grad(loss), x0, jac=True, method="L-BFGS-B")

    where ``loss`` is given x as a tensor of the same dtype, and returns a tensor. Where some of the arguments are
    arrays and others tensors, each gradient is of its argument's kind, and the value is a tensor.

    Parameters
    ----------
    func : function
        Returns one number, as a tensor.
    argnums : int or sequence of int
        The position of the argument to differentiate with respect to, or of several.

    Returns
    -------
    function
        Of the same arguments; returns (value, gradient), with a tuple of gradients if `argnums` is a sequence.

    Raises
    ------
    TypeError
        When called, if `argnums` are not positions of different arguments, such an argument is no floating-point
        tensor or array, or `func` does not return a tensor.
    ValueError
        If `argnums` is empty; when called, if `func` returns several numbers.
    RuntimeError
        When called, if what `func` returns does not depend on the argument: the gradient would be 0, and a minimizer
        would stop at once.

    Examples
    --------
    >>> import numpy as np, tinygrad_nuc as tn
    >>> f = tn.func.value_and_grad(lambda x: (x ** 2).sum())
    >>> f(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))
    >>> f(tn.tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """
    if not callable(func):
        raise TypeError(f"value_and_grad: expects a function, not a {type(func).__name__}")
    single = isinstance(argnums, (int, np.integer))
    positions: tuple[int, ...] = (argnums,) if single else tuple(argnums)           # type: ignore[assignment, arg-type]
    if not positions:
        raise ValueError(f"value_and_grad: argnums={argnums} names no argument to differentiate with respect to")

    @functools.wraps(func)
    def value_and_gradient(*args: Any, **options: Any) -> tuple[Any, Any]:
        different = {i % len(args) for i in positions if -len(args) <= i < len(args)}
        if len(different) < len(positions):
            raise TypeError(f"value_and_grad: argnums={argnums} must be positions of different arguments, and the "
                            f"function was called with {len(args)} by position")
        chosen = [args[i] for i in positions]
        arrays = [isinstance(x, np.ndarray) for x in chosen]

        def of_chosen(*x: Tensor) -> Any:
            complete = list(args)
            for i, x_i in zip(positions, x, strict=True):
                complete[i] = x_i
            return func(*complete, **options)

        # a minimizer may go on to write into its array, so the tensor has memory of its own
        point = Point("value_and_grad", of_chosen,
                      [Tensor(np.copy(x)) if is_array else x for x, is_array in zip(chosen, arrays, strict=True)])
        if not between(point.outputs, set(point.x)).intersection(point.x):
            raise RuntimeError("value_and_grad: what the function returns does not depend on its argument: either it "
                               "does not use it, or the way is cut, by .numpy(), .item(), .data, .detach() or no_grad")
        # numbers and arrays hold no history: for these alone it need not be recorded
        with_history = not all(arrays) and point.keeps_history(None)
        gradients = point.slope(create_graph=with_history)
        value = point.outputs[0].item() if all(arrays) else point.result(with_history)
        results = tuple(g.numpy() if is_array else g for g, is_array in zip(gradients, arrays, strict=True))
        return value, results[0] if single else results
    return value_and_gradient
