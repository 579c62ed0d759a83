"""History: what every epoch of a training run measured."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class History:
    """One row for each epoch, one column for each thing measured.

    Parameters
    ----------
    rows : list of dict, optional
        For instance ``{"epoch": 1, "train_loss": 0.7, "validation_loss": 0.6, "validation_accuracy": 0.8}``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> history = tn.training.History([{"epoch": 1, "train_loss": 0.9, "validation_loss": 0.8},
    ...                                {"epoch": 2, "train_loss": 0.5, "validation_loss": 0.5},
    ...                                {"epoch": 3, "train_loss": 0.4, "validation_loss": 0.6}])
    >>> history["train_loss"]
    [0.9, 0.5, 0.4]
    >>> history.best_epoch(), history.best("validation_loss")
    (2, 0.5)
    >>> history
    epoch  train_loss  validation_loss
    1          0.9000           0.8000
    2          0.5000           0.5000
    3          0.4000           0.6000
    """

    def __init__(self, rows: list[dict[str, Any]] | None = None) -> None:
        self.rows = [] if rows is None else rows

    @property
    def columns(self) -> list[str]:
        """Everything that was measured, in the order it first came."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, name: str) -> list[Any]:
        """One column: a value for each epoch, None where there is none."""
        if name not in self.columns:
            known = ", ".join(self.columns) or "no epochs yet"
            raise KeyError(f"History: {name!r} was not measured; there are {known}")
        return [row.get(name) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def best_epoch(self, name: str | None = None, mode: str = "min") -> int:
        """The epoch, counted from 1, with the lowest (``mode="min"``) or highest value of a column.

        By default of the validation loss, or of the training loss where nothing was validated. NaN is never the best.

        Raises
        ------
        KeyError
            If there is no such column; the message lists those there are.
        ValueError
            If no epoch has been completed yet, the column has nothing but NaN, or `mode` is another.
        """
        return self._best_row("best_epoch", name or self._judged_by(), mode)["epoch"]

    def best(self, name: str | None = None, mode: str = "min") -> float:
        """The value of a column in its best epoch, which is found as in `best_epoch`."""
        name = name or self._judged_by()
        return self._best_row("best", name, mode)[name]

    def _best_row(self, who: str, name: str, mode: str) -> dict[str, Any]:
        if mode not in ("min", "max"):
            raise ValueError(f"{who}: mode must be 'min' or 'max', not {mode!r}")
        if not self.rows:
            raise ValueError(f"{who}: no epoch with a {name} has been completed yet")
        measured = [row for row, x in zip(self.rows, self[name], strict=True) if x is not None and x == x]    # not NaN
        if not measured:
            raise ValueError(f"{who}: {name} is NaN or missing in every epoch")
        return (min if mode == "min" else max)(measured, key=lambda row: row[name])

    def _judged_by(self) -> str:
        return "validation_loss" if "validation_loss" in self.columns else "train_loss"

    def state_dict(self) -> dict[str, Any]:
        """Its columns, as arrays where all are floats or all are ints: a long history makes a small file.

        `tinygrad_nuc.save` can store it as long as rows hold numbers, texts and None; NumPy's numbers become Python's.
        """
        return {name: compact(self[name]) for name in self.columns}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to the rows that were there when `state_dict` was asked."""
        columns = {name: column if isinstance(column, list) else column.tolist() for name, column in state.items()}
        self.rows = [{name: x for name, x in zip(columns, row, strict=True) if x is not None}
                     for row in zip(*columns.values(), strict=True)]

    def plot(self, path: Any = None) -> "list[Axes]":
        """Draw every column against the epoch: the losses together, and each other measurement by itself.

        Parameters
        ----------
        path : str or os.PathLike, optional
            A picture file to write, such as ``"history.png"``. Without it the picture is in ``axes[0].figure``.

        Returns
        -------
        list of matplotlib.axes.Axes
        """
        from ..plots.learning import draw_history  # here, since matplotlib takes its time to import
        return draw_history(self, path)

    def __repr__(self) -> str:
        from ..utils.text import text_table
        return text_table(self.columns, [[shown(row.get(name)) for name in self.columns] for row in self.rows])


def compact(column: list[Any]) -> Any:
    """An array if that keeps every value and its type, otherwise the list itself."""
    kinds = {type(x) for x in column}
    if kinds == {float} or (kinds == {int} and -2 ** 63 <= min(column) and max(column) < 2 ** 63):
        return np.array(column)
    return column


def shown(x: Any) -> str:
    """A cell: four decimals, or three digits when that would show too few."""
    if not isinstance(x, float):
        return "–" if x is None else str(x)
    return f"{x:.4f}" if x == 0 or 1e-3 <= abs(x) < 1e6 else f"{x:.3g}"
