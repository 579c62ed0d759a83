"""A module as a function of its parameters."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..engine.tensor import Tensor
from .module import Module


def functional_call(module: Module, parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
                    args: Any = None, kwargs: Mapping[str, Any] | None = None) -> Any:
    """What calling the module would give if its parameters and buffers had the given values.

    Gradients go to the given tensors. So a network can be differentiated as a function of its weights, which may
    themselves be results: pieces of one flat vector, the output of another network, weights plus noise.

    Afterwards the module holds its own parameters and buffers again. What its ``forward`` writes into buffers is
    written as in any call, into those given, and otherwise into its own: in training mode a batch norm moves its
    running statistics.

    Parameters
    ----------
    module : Module
    parameter_and_buffer_dicts : mapping from name to Tensor, or several
        Names as in ``module.named_parameters()``; what is not named keeps its own value. A value for one name of a
        shared parameter counts for all its names.
    args : tuple, or one argument
        The inputs of the module.
    kwargs : mapping, optional
        Its keyword arguments.

    Raises
    ------
    KeyError
        If the module has no parameter or buffer of a name.
    ValueError
        If a value has another shape, or one shared parameter is given two values.
    TypeError
        If a value is not a tensor.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> model = tn.nn.Linear(2, 1)
    >>> weights = {"weight": tn.tensor([[1.0, 10.0]]), "bias": tn.tensor([0.5])}
    >>> tn.func.functional_call(model, weights, tn.tensor([[2.0, 3.0]]))
    tensor([[32.5000]])
    """
    given: dict[str, Tensor] = {}
    several = not isinstance(parameter_and_buffer_dicts, Mapping)
    for part in parameter_and_buffer_dicts if several else [parameter_and_buffer_dicts]:        # type: ignore[list-item]
        for name, tensor in part.items():                                                       # type: ignore[union-attr]
            if name in given:
                raise ValueError(f"functional_call: {name} is given twice")
            given[name] = tensor
    inputs = () if args is None else args if isinstance(args, tuple) else (args,)
    with replaced(module, replacements(module, given)):
        return module(*inputs, **(kwargs or {}))


def replacements(module: Module, given: Mapping[str, Tensor]) -> dict[int, Tensor]:
    """The given tensors by the identity of those that they replace, checked."""
    own = dict(module._walk_values("", "_parameters", "_buffers"))          # all the names, also of what is shared
    kind = type(module).__name__
    unknown = [name for name in given if name not in own]
    if unknown:
        raise KeyError(f"functional_call: {kind} has no parameter or buffer {', '.join(unknown)}, but {', '.join(own)}")
    found: dict[int, Tensor] = {}
    for name, tensor in given.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"functional_call: {name} must be a tensor, not a {type(tensor).__name__}")
        if tensor.shape != own[name].shape:
            raise ValueError(f"functional_call: {name} has shape {tensor.shape}, and that of {kind} {own[name].shape}")
        if found.setdefault(id(own[name]), tensor) is not tensor:
            raise ValueError(f"functional_call: {name} is shared with another name, which was given another value")
    return found


@contextmanager
def replaced(module: Module, values: Mapping[int, Tensor]) -> Iterator[None]:
    """Inside the block the module holds other tensors, and afterwards its own again."""
    places = [(table, name, tensor) for part in module.modules() for table in (part._parameters, part._buffers)
              for name, tensor in table.items() if id(tensor) in values]
    # straight into the tables: what takes a parameter's place need not be one
    for table, name, tensor in places:
        table[name] = values[id(tensor)]
    try:
        yield
    finally:
        for table, name, tensor in places:
            table[name] = tensor
