"""A table of a network's layers: what shape each gives, and how many parameters it has."""

import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..creation import as_tensor
from ..engine.arrays import get_default_dtype
from ..engine.generator import get_rng_state, set_rng_state
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor
from ..nn.module import Module
from ..utils.text import text_table


@dataclass
class Layer:
    """One line of the table.

    Attributes
    ----------
    name : str
        As in ``model.named_modules()``; empty for the model itself.
    type : str
    output_shapes : list
        One for each call: a shape, or a tuple of them where the layer gives several tensors.
    parameters : int
        How many it holds itself, without its children, and without those that a line above has counted already.
    recursive : bool
        Whether all its parameters were counted above, since the layer or its weights are shared.
    """

    name: str
    type: str
    output_shapes: list
    parameters: int
    recursive: bool

    def cells(self) -> tuple[str, str, str]:
        """What the table shows of it."""
        depth = self.name.count(".") + 1 if self.name else 0
        label = f"{'  ' * depth}({self.name.rpartition('.')[2]}): {self.type}" if depth else self.type
        shapes = list(map(str, self.output_shapes)) or ["not called"]
        shown = shapes[0] if len(set(shapes)) == 1 else f"{shapes[0]} … {shapes[-1]}"
        times = f" ×{len(shapes)}" if len(shapes) > 1 else ""
        count = f"{self.parameters:,}" if self.parameters else "(recursive)" if self.recursive else "–"
        return label, shown + times, count


@dataclass(repr=False)
class ModelSummary:
    """What `summary` found out; it prints itself as a table.

    Attributes
    ----------
    layers : list of Layer
        The model and all that is inside, in the order of ``print(model)``.
    total_params, trainable_params, non_trainable_params : int
        How many parameters there are, each counted once; how many of them require a gradient, and how many do not.
    total_param_bytes : int
        The memory that the parameters take (gradients, optimizers and recorded values come on top).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.summary(tn.nn.Linear(4, 10), (1, 4)).total_params
    50
    """

    layers: list[Layer]
    total_params: int
    trainable_params: int
    total_param_bytes: int

    @property
    def non_trainable_params(self) -> int:
        return self.total_params - self.trainable_params

    def __repr__(self) -> str:
        table = text_table(["layer", "output shape", "parameters"], [layer.cells() for layer in self.layers])
        rule = "-" * max(map(len, table.splitlines()))
        return "\n".join([table, rule, f"Total params: {self.total_params:,}",
                          f"Trainable params: {self.trainable_params:,}",
                          f"Non-trainable params: {self.non_trainable_params:,}",
                          f"Params size: {readable_bytes(self.total_param_bytes)}"])


def summary(model: Module, input_shape: Sequence, dtypes: Any = None) -> ModelSummary:
    """A table of the layers of a model, the shapes of what they give, and the numbers of their parameters.

    The model is called once, in evaluation mode and without recording, on numbers between 0 and 1 of its own float type
    (on zeros where the input is to be of another kind). Afterwards it is as before, and so is the random generator.

    Parameters
    ----------
    model : Module
    input_shape : tuple of int, or list of tuples
        The shape of the input, with the batch as its first dimension; or those of several inputs.
    dtypes : dtype or list of dtypes, optional
        For inputs that are not of the model's float type, such as the class numbers for an embedding.

    Returns
    -------
    ModelSummary
        ``print`` shows the table; `total_params`, `trainable_params` and the other numbers are its attributes.

    Raises
    ------
    ValueError
        If the model cannot take such an input; the message names the layer that failed, and what it was given. If there
        are not as many dtypes as inputs.
    TypeError
        If a size is not a whole number of at least 0, or a dtype is none.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import nn
    >>> model = nn.Sequential(nn.Linear(4, 10), nn.Tanh(), nn.Linear(10, 1))
    >>> tn.summary(model, (1, 4))
    layer          output shape  parameters
    Sequential           (1, 1)           –
      (0): Linear       (1, 10)          50
      (1): Tanh         (1, 10)           –
      (2): Linear        (1, 1)          11
    ---------------------------------------
    Total params: 61
    Trainable params: 61
    Non-trainable params: 0
    Params size: 244 bytes
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expects a module, not a {type(model).__name__}")
    shapes = output_shapes(model, made_up_inputs(model, input_shape, dtypes))

    layers: list[Layer] = []
    counted: set[Tensor] = set()
    for name, module in model._walk(""):                    # what is shared comes once for each of its names
        own = list(dict.fromkeys(p for p in module._parameters.values() if p is not None))
        new = [p for p in own if p not in counted]
        counted.update(new)
        layers.append(Layer(name, type(module).__name__, shapes[module], numbers(new), bool(own) and not new))
    trainable = [p for p in counted if p.requires_grad]
    return ModelSummary(layers, numbers(counted), numbers(trainable), sum(p.data.nbytes for p in counted))


def numbers(parameters: Iterable[Tensor]) -> int:
    """How many numbers they hold together."""
    return sum(p.numel() for p in parameters)


def made_up_inputs(model: Module, input_shape: Sequence, dtypes: Any) -> list[Tensor]:
    """Inputs of the shapes, on the device of the model."""
    if not isinstance(input_shape, (tuple, list)):
        raise TypeError(f"summary: input_shape is a tuple such as (1, 28 * 28), not {input_shape!r}")
    several = any(isinstance(shape, (tuple, list)) for shape in input_shape)
    for shape in input_shape if several else [input_shape]:
        if not (isinstance(shape, (tuple, list)) and all(isinstance(n, (int, np.integer)) and n >= 0 for n in shape)):
            raise TypeError("summary: a shape is a tuple of whole numbers of at least 0, such as (1, 28 * 28) for a "
                            f"batch of 1, not {shape!r}")
    wanted = [tuple(shape) for shape in input_shape] if several else [tuple(input_shape)]
    parameter = next((p for p in model.parameters() if p.dtype.kind == "f"), None)
    if dtypes is None:
        dtypes = get_default_dtype() if parameter is None else parameter.dtype
    kinds = list(dtypes) if isinstance(dtypes, (tuple, list)) else [dtypes] * len(wanted)
    if len(kinds) != len(wanted):
        raise ValueError(f"summary: {len(wanted)} inputs need as many dtypes, not {len(kinds)}")

    try:
        kinds = [np.dtype(kind) for kind in kinds]
    except TypeError as error:
        raise TypeError(f"summary: dtypes are such as tn.int64, not {dtypes!r}: {error}") from None
    rng = np.random.default_rng(0)
    arrays = [rng.random(shape) if dtype.kind == "f" else np.zeros(shape)
              for shape, dtype in zip(wanted, kinds, strict=True)]
    return [as_tensor(a, dtype, None if parameter is None else parameter.device)
            for a, dtype in zip(arrays, kinds, strict=True)]


def output_shapes(model: Module, inputs: list[Tensor]) -> dict[Module, list]:
    """For each module inside, the shapes of what it gives when the model is called."""
    shapes: dict[Module, list] = {module: [] for module in model.modules()}
    with as_before(model), no_grad(), ExitStack() as hooks:
        model.eval()
        for module in shapes:
            hooks.enter_context(module.register_forward_hook(lambda module, _, y: shapes[module].append(shape_of(y))))
        try:
            model(*inputs)
        except Exception as error:
            module, given = innermost_call(error) or (model, tuple(inputs))
            name = next((name for name, m in model.named_modules() if m is module), "")
            layer = f"{type(module).__name__} {name!r}" if name else type(module).__name__
            given_shapes = ", ".join(str(shape_of(x)) for x in given)
            raise ValueError(f"summary: {layer} failed on an input of shape {given_shapes}: {error}") from error
    return shapes


@contextmanager
def as_before(model: Module) -> Iterator[None]:
    """After the block every part is in the mode, and the random generator in the state, that it was in."""
    modes, state = [(module, module.training) for module in model.modules()], get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
        for module, mode in modes:
            module.training = mode


def innermost_call(error: Exception) -> tuple[Module, tuple] | None:
    """The module that was at work when the error arose, and its inputs: the last call of a module in the traceback.

    None if there is no such call, since the model has a ``__call__`` of its own.
    """
    calls = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code is Module.__call__.__code__]
    return (calls[-1].f_locals["self"], calls[-1].f_locals["inputs"]) if calls else None


def shape_of(y: Any) -> Any:
    """The shape of a tensor, and of each in a tuple, list or dict; the type of anything else."""
    if isinstance(y, (tuple, list)):
        return tuple(map(shape_of, y))
    if isinstance(y, dict):
        return {name: shape_of(part) for name, part in y.items()}
    return y.shape if isinstance(y, Tensor) else type(y).__name__


def readable_bytes(n: int) -> str:
    """A size as people say it: 244 bytes, 2.7 MB."""
    size, units = float(n), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{n} bytes" if units[0] == "bytes" else f"{size:.1f} {units[0]}"
