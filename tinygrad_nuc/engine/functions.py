"""Derivatives of functions: `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`.

Each takes a function of one or several tensors and the point to evaluate it at. They compose: the Jacobian of a
Hessian-vector product is ``jacobian(lambda x: hvp(f, x, v)[1], x)``. Results carry a history exactly if they can
pass a gradient on: to an input that requires one, or to another tensor that the function uses.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backward import as_sequence
from .grad_mode import enable_grad, is_grad_enabled
from .tensor import Tensor
from .transforms import grad

Tensors = Tensor | Sequence[Tensor]


def vjp(func: Callable, inputs: Tensors, v: Tensors | None = None,
        create_graph: bool | None = None) -> tuple[Any, Any]:
    """Vector-Jacobian product vᵀ J, by one backward pass, without forming J.

    Parameters
    ----------
    func : function
        Of as many tensors as there are `inputs`; returns a tensor or several.
    inputs : Tensor or sequence
        The point x.
    v : Tensor or sequence, optional
        One for each output, of its shape; 1 by default, which only a single number allows.
    create_graph : bool, optional
        False: the results carry no history. By default they do, if anybody can ask for it (see `tinygrad_nuc.func`).

    Returns
    -------
    outputs : Tensor or tuple
        func(x).
    product : Tensor or tuple
        Σⱼ vⱼ ∂fⱼ/∂xᵢ, in the form of `inputs`.

    Raises
    ------
    TypeError
        If an input is not a floating-point tensor, or `func` returns something else than tensors.
    ValueError
        If a `v` is missing or has another shape.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([1.0, 2.0, 3.0])
    >>> tn.func.vjp(lambda x: x * x, x, tn.tensor([1.0, 0.0, 10.0]))
    (tensor([1., 4., 9.]), tensor([ 2.,  0., 60.]))
    """
    at = Point("vjp", func, inputs)
    keep = at.keeps_history(create_graph, v)
    product = at.derivative(at.outputs, at.x, at.vectors(v, at.outputs, "output"), keep)
    return at.result(keep), at.like_inputs(product)


def jvp(func: Callable, inputs: Tensors, v: Tensors | None = None,
        create_graph: bool | None = None) -> tuple[Any, Any]:
    """Jacobian-vector product J v, the derivative of `func` along `v`, without forming J.

    The product uᵀ J is linear in u, and its derivative with respect to u, along v, is J v: two backward passes.

    Parameters
    ----------
    func, inputs
        As for `vjp`.
    v : Tensor or sequence, optional
        One for each input, of its shape; 1 by default, which only a single number allows.

    Returns
    -------
    outputs : Tensor or tuple
        func(x).
    product : Tensor or tuple
        Σᵢ ∂fⱼ/∂xᵢ vᵢ, in the form of the outputs.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([1.0, 2.0, 3.0])
    >>> tn.func.jvp(lambda x: x.sum() * x, x, tn.tensor([1.0, 0.0, 0.0]))
    (tensor([ 6., 12., 18.]), tensor([7., 2., 3.]))
    """
    at = Point("jvp", func, inputs)
    keep, vectors = at.keeps_history(create_graph, v), at.vectors(v, at.x, "input")
    smooth = [y for y in at.outputs if y.requires_grad]                         # positions, say, do not change with x
    u = [Tensor(np.ones_like(y.data), requires_grad=True) for y in smooth]
    linear = at.derivative(smooth, at.x, u, create_graph=True)                  # uᵀ J
    changes = dict(zip(smooth, at.derivative(linear, u, vectors, keep), strict=True))
    product = tuple(changes.get(y, Tensor(np.zeros_like(y.data))) for y in at.outputs)
    return at.result(keep), product if at.several_outputs else product[0]


def jacobian(func: Callable, inputs: Tensors, create_graph: bool | None = None) -> Any:
    """All first derivatives, ∂fⱼ/∂xᵢ, by one backward pass for each element of the output.

    Returns
    -------
    Tensor, or tuple of them
        Of shape (*output.shape, *input.shape). With several inputs a tuple over them; with several outputs
        a tuple over these (of tuples over the inputs).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.func.jacobian(lambda x: x * x, tn.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    >>> area = tn.func.jacobian(lambda a, b: a * b, (tn.tensor(2.0), tn.tensor(3.0)))
    >>> area                                # ∂(ab)/∂a = b and ∂(ab)/∂b = a
    (tensor(3.), tensor(2.))
    """
    at = Point("jacobian", func, inputs)
    keep = at.keeps_history(create_graph)
    blocks = []
    for y in at.outputs:
        rows = []
        for j in range(y.numel()):
            unit = np.zeros_like(y.data).reshape(-1)
            unit[j] = 1
            rows.append(at.derivative([y], at.x, [Tensor(unit.reshape(y.shape))], keep, retain_graph=True))
        blocks.append(at.like_inputs(tuple(stack_rows([row[i] for row in rows], y, x) for i, x in enumerate(at.x))))
    return tuple(blocks) if at.several_outputs else blocks[0]


def stack_rows(rows: list[Tensor], y: Tensor, x: Tensor) -> Tensor:
    """The derivatives of each element of `y` as one tensor of shape (*y.shape, *x.shape)."""
    together: Any = np.stack(rows) if rows else Tensor(np.zeros_like(x.data, shape=(0, *x.shape)))
    return together.reshape(*y.shape, *x.shape)


def hessian(func: Callable, inputs: Tensors, create_graph: bool | None = None) -> Any:
    """All second derivatives, ∂²f/∂xᵢ∂xⱼ, of a function whose value is one number.

    Returns
    -------
    Tensor, or tuple of tuples of them
        Of shape (*input.shape, *input.shape); with several inputs, ``hessian[i][j]`` has shape
        (*inputs[i].shape, *inputs[j].shape).

    Raises
    ------
    ValueError
        If `func` returns more than one number.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.func.hessian(lambda x: x[0] ** 2 * x[1], tn.tensor([1.0, 2.0]))
    tensor([[4., 2.],
            [2., 0.]])
    """
    def slope(*x: Tensor) -> Any:
        inner = Point("hessian", func, x if several(inputs) else x[0])
        return inner.like_inputs(inner.slope(create_graph=True))
    return jacobian(slope, inputs, create_graph)


def hvp(func: Callable, inputs: Tensors, v: Tensors | None = None,
        create_graph: bool | None = None) -> tuple[Any, Any]:
    """Hessian-vector product H v of a function whose value is one number, without forming H.

    The derivative of (∇f · v): a backward pass through the backward pass.

    Returns
    -------
    output : Tensor
        func(x).
    product : Tensor or tuple
        Σⱼ ∂²f/∂xᵢ∂xⱼ vⱼ, in the form of `inputs`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.func.hvp(lambda x: (x ** 3).sum(), tn.tensor([1.0, 2.0]), tn.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    at = Point("hvp", func, inputs)
    keep, vectors = at.keeps_history(create_graph, v), at.vectors(v, at.x, "input")
    product = at.derivative(at.slope(create_graph=True), at.x, vectors, keep)
    return at.result(keep), at.like_inputs(product)


def several(inputs: Any) -> bool:
    """Whether `inputs` is a sequence of tensors, rather than one."""
    return not isinstance(inputs, Tensor)


class Point:
    """A function, recorded at a point: what every transform starts from."""

    def __init__(self, name: str, func: Callable, inputs: Tensors) -> None:
        self.name = name
        self.several_inputs = several(inputs)
        self.recording = is_grad_enabled()
        originals = as_sequence(inputs)
        for i, x in enumerate(originals):
            if not isinstance(x, Tensor) or x.dtype.kind != "f":
                what = x.dtype if isinstance(x, Tensor) else type(x).__name__
                raise TypeError(f"{name}: input {i} is {what}; a derivative is taken with respect to floating-point "
                                "tensors. Let the function use other values directly")
        self.inputs = originals
        with enable_grad():
            # each argument is a tensor of its own, so that in f(x, x) the two places are told apart; where x requires a
            # gradient it is a view of x, so that an outer transform can differentiate through it
            self.x = [x.reshape(x.shape) if x.requires_grad and self.recording else x.detach().requires_grad_()
                      for x in originals]
            outputs = func(*self.x)
        self.several_outputs = isinstance(outputs, (tuple, list))
        self.outputs = as_sequence(outputs)
        for y in self.outputs:
            if not isinstance(y, Tensor):
                raise TypeError(f"{name}: the function must return a tensor or several, not a {type(y).__name__}")

    def slope(self, create_graph: bool) -> tuple[Tensor, ...]:
        """∇f for a function whose value is one number."""
        if self.several_outputs or self.outputs[0].numel() != 1:
            shapes = ", ".join(str(y.shape) for y in self.outputs)
            raise ValueError(f"{self.name}: the function must return one number, not {shapes}")
        ones = [Tensor(np.ones_like(self.outputs[0].data))]
        return self.derivative(self.outputs, self.x, ones, create_graph)

    def derivative(self, outputs: Sequence[Tensor], inputs: Sequence[Tensor], v: Sequence[Tensor], create_graph: bool,
                   retain_graph: bool | None = None) -> tuple[Tensor, ...]:
        """Σⱼ vⱼ ∂outputsⱼ/∂inputsᵢ, with zeros where there is no dependence."""
        recorded = [(y, g) for y, g in zip(outputs, v, strict=True) if y.requires_grad]
        found: tuple = (None,) * len(inputs)
        if recorded:
            ys, gs = zip(*recorded, strict=True)
            found = grad(ys, inputs, gs, retain_graph, create_graph, allow_unused=True)
        return tuple(Tensor(np.zeros_like(x.data)) if g is None else g for x, g in zip(inputs, found, strict=True))

    def vectors(self, v: Tensors | None, like: Sequence[Tensor], what: str) -> list[Tensor]:
        """The vectors of a product, checked against the tensors they belong to."""
        if v is None:
            if len(like) != 1 or like[0].numel() != 1:
                raise ValueError(f"{self.name}: give v, of the shape of each {what}; only a single number needs none")
            return [Tensor(np.ones_like(like[0].data))]
        vectors = [x if isinstance(x, Tensor) else Tensor(x) for x in as_sequence(v)]
        if len(vectors) != len(like):
            raise ValueError(f"{self.name}: {len(like)} {what}s need as many vectors, not {len(vectors)}")
        for i, (vector, x) in enumerate(zip(vectors, like, strict=True)):
            if vector.shape != x.shape:
                raise ValueError(f"{self.name}: v for {what} {i} has shape {vector.shape}; it must have {x.shape}")
        return [vector.to(x.dtype) for vector, x in zip(vectors, like, strict=True)]

    def keeps_history(self, create_graph: bool | None, v: Tensors | None = None) -> bool:
        """Whether anybody outside can ask for a derivative of the result: an input, `v`, or what func uses besides."""
        if not self.recording or create_graph is False:
            return False
        vectors = [] if v is None else as_sequence(v)
        if any(isinstance(x, Tensor) and x.requires_grad for x in (*self.inputs, *vectors)):
            return True
        own, seen, stack = set(self.x), set(self.outputs), list(self.outputs)
        while stack:
            y = stack.pop()
            if y.requires_grad and y.is_leaf and y not in own:
                return True
            if y not in own:
                behind = [x for x in y.inputs or () if isinstance(x, Tensor) and x not in seen]
                seen.update(behind)
                stack.extend(behind)
        return False

    def result(self, keep: bool) -> Any:
        """The value of the function, with its history only where that leads outside."""
        outputs = tuple(self.outputs if keep else (y.detach() for y in self.outputs))
        return outputs if self.several_outputs else outputs[0]

    def like_inputs(self, results: tuple[Tensor, ...]) -> Any:
        """One result, or one for each input, as the inputs were given."""
        return results if self.several_inputs else results[0]
