"""What a state dict must be to fit a module, checked as a whole before anything is copied."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..devices.moving import placed_like
from ..engine.arrays import as_array
from ..engine.tensor import Tensor, value


class IncompatibleKeys(NamedTuple):
    """Which names of a state dict and of a module had no counterpart."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not (self.missing_keys or self.unexpected_keys):
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def fitting(module: str, own: Mapping[str, Tensor], state: Mapping[str, Any],
            strict: bool) -> tuple[dict[str, Any], IncompatibleKeys]:
    """The values in `state` for the module's `own` tensors, and the names that have no counterpart."""
    missing, unexpected = [name for name in own if name not in state], [name for name in state if name not in own]
    if strict and (missing or unexpected):
        raise KeyError(f"{module}.load_state_dict: missing {missing}, unexpected {unexpected}")
    arrays = {name: placed_like(own[name].data, as_array(value(given))) for name, given in state.items() if name in own}
    for name, array in arrays.items():
        if array.shape != own[name].shape:
            raise ValueError(f"{module}.load_state_dict: {name} has shape {array.shape}, "
                             f"but this module's has {own[name].shape}")
        if array.dtype.kind != own[name].dtype.kind:
            raise TypeError(f"{module}.load_state_dict: {name} is {array.dtype}, "
                            f"but this module's is {own[name].dtype}")
    return arrays, IncompatibleKeys(missing, unexpected)
