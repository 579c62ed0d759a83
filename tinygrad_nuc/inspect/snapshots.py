"""What the parameters were at several moments of a training: for the path on a loss surface, and for animations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.tensor import Tensor
from ..nn.module import Module
from ..training.callbacks import Callback
from ..utils.arguments import whole_number

if TYPE_CHECKING:
    from ..training.trainer import Trainer

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Snapshots(Callback, Sequence):
    """Copies of a model's parameters and buffers, taken while it is trained.

    As a callback of a `tinygrad_nuc.training.Trainer` it takes one before the first step, and then one after so many
    epochs or steps. In a loop of your own, call `take`. They are a sequence of state dicts with arrays, in the
    computer's memory.

    Each is as large as the model, and all of them are in every checkpoint: choose `every_n_epochs` accordingly.

    Parameters
    ----------
    every_n_epochs : int
        How often a Trainer takes one.
    every_n_steps : int, optional
        Count the steps of the optimizer instead.

    Attributes
    ----------
    states : list of dict from name to ndarray
    moments : list of str
        When each was taken, such as "epoch 3": for titles.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> model = tn.nn.Linear(1, 1)
    >>> optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
    >>> snapshots = tn.inspect.Snapshots()
    >>> for step in range(3):
    ...     snapshots.take(model)
    ...     optimizer.zero_grad()
    ...     model(tn.ones(4, 1)).mean().backward()
    ...     optimizer.step()
    >>> snapshots.moments
    ['step 0', 'step 1', 'step 2']
    >>> bool(np.allclose(snapshots[2]["weight"], snapshots[0]["weight"] - 0.2))
    True
    """

    def __init__(self, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        self.every_n_epochs = whole_number("Snapshots", "every_n_epochs", every_n_epochs)
        if every_n_steps is not None:
            whole_number("Snapshots", "every_n_steps", every_n_steps)
        self.every_n_steps = every_n_steps
        self.states: list[dict[str, NDArray]] = []
        self.moments: list[str] = []

    def take(self, model: Any, moment: str | None = None) -> None:
        """Copy the parameters as they are now.

        Parameters
        ----------
        model : Module, Tensor, or list of Tensor
            Tensors are called θ₀, θ₁ …
        moment : str, optional
            When that was; by default "step 0", "step 1" …
        """
        tensors = model.state_dict() if isinstance(model, Module) else named_parameters("Snapshots.take", model)
        self.states.append({name: np.array(t.detach().cpu().numpy()) for name, t in tensors.items()})
        self.moments.append(f"step {len(self.moments)}" if moment is None else str(moment))

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, index: Any) -> Any:
        return self.states[index]

    def __iter__(self) -> Iterator[dict[str, NDArray]]:
        return iter(self.states)

    # ------------------------------------------------------------------ as a callback

    def before_fit(self, trainer: "Trainer") -> None:
        if trainer.step == 0:
            self.states, self.moments = [], []

    def on_fit_start(self, trainer: "Trainer") -> None:
        if not self.states:
            self.take(trainer.model, self.moment(trainer))

    def on_batch_end(self, trainer: "Trainer", loss: float) -> None:
        if self.every_n_steps is not None and trainer.step % self.every_n_steps == 0:
            self.take(trainer.model, self.moment(trainer))

    def on_epoch_end(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        if self.every_n_steps is None and trainer.epoch % self.every_n_epochs == 0:
            self.take(trainer.model, self.moment(trainer))

    def moment(self, trainer: "Trainer") -> str:
        """Now, in the unit that it counts."""
        return f"epoch {trainer.epoch}" if self.every_n_steps is None else f"step {trainer.step}"

    def state_dict(self) -> dict[str, Any]:
        return {"states": list(self.states), "moments": list(self.moments)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.states = [{name: np.array(x.numpy() if isinstance(x, Tensor) else x) for name, x in part.items()}
                       for part in state["states"]]
        self.moments = list(state["moments"])


def named_parameters(who: str, model: Any) -> dict[str, Tensor]:
    """The parameters of a module that require a gradient, by name; or tensors, called θ₀, θ₁ …

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> list(named_parameters("example", tn.nn.Linear(1, 1)))
    ['weight', 'bias']
    >>> list(named_parameters("example", [tn.zeros(1), tn.ones(1)]))
    ['θ₀', 'θ₁']
    """
    if isinstance(model, Module):
        found: dict[str, Tensor] = {name: p for name, p in model.named_parameters() if p.requires_grad}
    else:
        tensors = [model] if isinstance(model, Tensor) else model
        if isinstance(tensors, Mapping) or not isinstance(tensors, Sequence) \
                or not all(isinstance(t, Tensor) for t in tensors):
            raise TypeError(f"{who}: expects a module, a tensor or a list of tensors, not a {type(model).__name__}")
        found = {f"θ{i}".translate(SUBSCRIPTS): t for i, t in enumerate(tensors)}
    if not found:
        raise ValueError(f"{who}: there is no parameter that requires a gradient")
    for name, t in found.items():
        if t.dtype.kind != "f":
            raise TypeError(f"{who}: {name} must hold floating-point numbers, not {t.dtype}")
    return found
