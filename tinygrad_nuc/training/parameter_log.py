"""How weights and gradients are spread, and how long they are, as training goes on."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.tensor import Tensor
from ..nn.module import Module
from ..utils.arguments import whole_number
from .callbacks import Callback

if TYPE_CHECKING:
    from .trainer import Trainer

BINS = 64                                           # of the weights, half of them on either side of 0
SMALLEST = 2.0 ** -20                               # half-width of the bins while all values are smaller
LARGEST = 2.0 ** 1000                               # values beyond are as good as infinite
BINS_PER_DECADE = 4                                 # of the gradients; the outermost hold what lies beyond, and 0
GRADIENT_EDGES = np.logspace(-12, 3, 15 * BINS_PER_DECADE + 1)


class ParameterLogger(Callback):
    """Histograms of every parameter and of its gradient, and their norms, as training goes on.

    The weights have 64 bins from −2ᵏ to 2ᵏ. When a value falls outside, k grows by one and the bins are joined in
    pairs, for all times, so that no count is lost and all times have the same edges. Gradients are counted by their
    size, |g|, in bins from 10⁻¹² to 10³, equally wide in log |g|. The norm is ‖p‖ = √Σ pᵢ².

    The gradient is that of the last batch, after clipping; the weights are those after the step that it led to. The
    log goes on when a Trainer's `fit` is called again or resumed. It takes about half a kilobyte for each parameter
    (a weight matrix is one) and time.

    Parameters
    ----------
    every_n_epochs : int
        How often to log; the beginning is logged too, as epoch 0.
    every_n_steps : int, optional
        Log after so many steps of the optimizer instead.

    Attributes
    ----------
    times : list of int
        The epochs, or steps, that were logged.
    unit : {"epoch", "step"}
        What the times count.

    See also `tinygrad_nuc.plots.histograms_over_time` and `tinygrad_nuc.plots.gradient_norms`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
    >>> model = tn.nn.Linear(1, 1, bias=False)
    >>> _ = tn.nn.init.constant_(model.weight, 0.25)
    >>> log = tn.training.ParameterLogger()
    >>> trainer = tn.training.Trainer(model, tn.nn.MSELoss(), tn.optim.SGD(model.parameters(), lr=0.5), callbacks=[log])
    >>> _ = trainer.fit(DataLoader(TensorDataset(tn.ones(4, 1), tn.ones(4, 1)), batch_size=4), epochs=2)
    >>> log.times, log.norms("weight").tolist(), log.norms("weight", "gradient").tolist()
    ([0, 1, 2], [0.25, 1.0, 1.0], [nan, 1.5, 0.0])

    In a loop of one's own, call ``log.log(model)`` after each step, or as often as you like; with `every_n_steps`, the
    pictures say that it is steps that are counted:

    >>> log = tn.training.ParameterLogger(every_n_steps=1)
    >>> for step in range(3):
    ...     log.log(model)
    >>> log.times, log.histogram("weight")[1].sum(axis=1).tolist()
    ([1, 2, 3], [1, 1, 1])
    """

    def __init__(self, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        self.every = whole_number("ParameterLogger", "every_n_epochs", every_n_epochs)
        self.unit = "epoch"
        if every_n_steps is not None:
            self.every, self.unit = whole_number("ParameterLogger", "every_n_steps", every_n_steps), "step"
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.times: list[int] = []
        self.records: dict[str, Record] = {}

    def log(self, model: Module, time: int | None = None) -> None:
        """Log a model's parameters and gradients as they are now.

        Parameters
        ----------
        model : Module
        time : int, optional
            Later than all before; by default one more than the last.

        Raises
        ------
        ValueError
            If `time` is not later, or the parameters have other names than before. Then nothing is logged.
        TypeError
            If `model` is no Module.
        """
        if not isinstance(model, Module):
            raise TypeError(f"ParameterLogger: expects a Module, not a {type(model).__name__}")
        last = self.times[-1] if self.times else 0
        time = last + 1 if time is None else whole_number("ParameterLogger", "time", time, least=0)
        if self.times and time <= last:
            raise ValueError(f"ParameterLogger: {self.unit} {time} is not later than {last}, which was logged before")
        parameters = dict(model.named_parameters())
        if self.times and list(parameters) != self.names:
            raise ValueError(f"ParameterLogger: the parameters are {', '.join(parameters)}, and those logged before "
                             f"{', '.join(self.names)}: it takes one logger for each model")
        for name, parameter in parameters.items():
            gradient = None if parameter.grad is None else on_host(parameter.grad)
            self.records.setdefault(name, Record()).add(on_host(parameter), gradient)
        self.times.append(time)

    # ------------------------------------------------------------------ what has been logged

    @property
    def names(self) -> list[str]:
        """Of the parameters, in the order of the model."""
        return list(self.records)

    def histogram(self, name: str, what: str = "weight") -> tuple[NDArray, NDArray]:
        """Edges of the bins, shape (bins + 1,), and counts, shape (times, bins), of a parameter or its gradient's size.

        Where there was no gradient its counts are 0.
        """
        record = self.record("histogram", name, what)
        return (record.edges(), stacked(record.weights)) if what == "weight" else \
            (GRADIENT_EDGES, stacked(record.gradients))

    def norms(self, name: str, what: str = "weight") -> NDArray:
        """‖p‖ of a parameter or its gradient at each time, shape (times,).

        NaN where there was no gradient, and infinity where one of its elements was NaN or infinite.
        """
        record = self.record("norms", name, what)
        return np.array(record.weight_norms if what == "weight" else record.gradient_norms)

    def record(self, who: str, name: str, what: str) -> "Record":
        """What is known of one parameter."""
        if what not in ("weight", "gradient"):
            raise ValueError(f"{who}: what must be 'weight' or 'gradient', not {what!r}")
        if name not in self.records:
            raise ValueError(f"{who}: {name!r} was not logged; there are {', '.join(self.names) or 'no logs yet'}")
        return self.records[name]

    # ------------------------------------------------------------------ in a Trainer

    def on_fit_start(self, trainer: "Trainer") -> None:
        if trainer.step == 0:                       # else the run goes on: in a further call of fit, or from a file
            self.forget()
            self.log(trainer.model, 0)

    def on_batch_end(self, trainer: "Trainer", loss: float) -> None:
        if self.unit == "step" and trainer.step % self.every == 0:
            self.log(trainer.model, trainer.step)

    def on_epoch_end(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        if self.unit == "epoch" and trainer.epoch % self.every == 0:
            self.log(trainer.model, trainer.epoch)

    def state_dict(self) -> dict[str, Any]:
        return {"unit": self.unit, "times": list(self.times),
                "records": {name: record.state_dict() for name, record in self.records.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["unit"] != self.unit:
            raise ValueError(f"ParameterLogger: the checkpoint's log is by {state['unit']}, and this one by "
                             f"{self.unit}")
        self.times = list(state["times"])
        self.records = {name: Record(**part) for name, part in state["records"].items()}


class Record:
    """All that is logged of one parameter: a row of counts and a norm for each time."""

    def __init__(self, half_width: float = 0.0, weights: Any = (), gradients: Any = (), weight_norms: Any = (),
                 gradient_norms: Any = ()) -> None:
        self.half_width = half_width                # of the weights' bins, together; 0 before there are any
        self.weights, self.gradients = rows_of(weights), rows_of(gradients)
        self.weight_norms, self.gradient_norms = list(weight_norms), list(gradient_norms)

    def state_dict(self) -> dict[str, Any]:
        """The arguments to make it again."""
        return {"half_width": self.half_width, "weights": stacked(self.weights), "gradients": stacked(self.gradients),
                "weight_norms": list(self.weight_norms), "gradient_norms": list(self.gradient_norms)}

    def add(self, value: NDArray, gradient: NDArray | None) -> None:
        """Count the values of one more time."""
        finite = value[np.abs(value) < LARGEST]     # NaN is not less
        self.widen(float(np.abs(finite).max(initial=0.0)))
        self.weights.append(counted(finite, self.edges()))
        self.weight_norms.append(norm(value))
        sizes = np.abs(np.empty(0) if gradient is None else gradient[np.isfinite(gradient)])
        self.gradients.append(counted(np.clip(sizes, GRADIENT_EDGES[0], GRADIENT_EDGES[-1]), GRADIENT_EDGES))
        self.gradient_norms.append(float("nan") if gradient is None else norm(gradient))

    def edges(self) -> NDArray:
        """Of the weights' bins."""
        return np.linspace(-self.half_width, self.half_width, BINS + 1)

    def widen(self, largest: float) -> None:
        """Make the bins wide enough for a value: powers of two, whose edges are exact, so that pairs can be joined."""
        if not self.half_width:
            self.half_width = max(SMALLEST, 2.0 ** int(np.frexp(largest)[1])) if largest else SMALLEST
        while self.half_width <= largest:
            self.half_width *= 2
            self.weights = [np.pad(row.reshape(-1, 2).sum(1), BINS // 4) for row in self.weights]


def on_host(t: Tensor) -> NDArray:
    """The values, as float64 in NumPy."""
    return t.detach().cpu().numpy().astype(np.float64)


def norm(values: NDArray) -> float:
    """√Σ x²; the largest is taken out, since its square may overflow."""
    largest = float(np.abs(values).max(initial=0.0))
    if not largest < np.inf:                        # also NaN, which is for "no gradient"
        return float("inf")
    if largest == 0:
        return 0.0
    return largest * float(np.sqrt(np.sum(np.square(values / largest))))


def counted(values: NDArray, edges: NDArray) -> NDArray:
    """How many values are in each bin; four bytes are enough for a parameter's size."""
    return np.histogram(values, edges)[0].astype(np.int32)


def rows_of(array: Any) -> list[NDArray]:
    """The reverse of `stacked`; what comes from a file is a Tensor."""
    return list(array.numpy() if isinstance(array, Tensor) else array)


def stacked(rows: list[NDArray]) -> NDArray:
    """One array of all times."""
    return np.array(rows, np.int32)
