"""Model cards: the page that goes with a trained model, so that nobody uses it for what it was not made for."""

import datetime
import os
import platform
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.tensor import Tensor
from ..utils.data.dataset import batch_of
from ..utils.files import atomic_write, given_path
from .history import History, shown

if TYPE_CHECKING:
    from .trainer import Trainer

# The nine headings, and what the author is asked under each.
QUESTIONS = {
    "Model details": "Who made the model, for which experiment or course, under which licence? How is it cited?",
    "Intended use": "What is the model for, who should use it, and what should it not be used for?",
    "Factors": "On what does the performance depend: the energy range, the detector region, the run period, the "
               "generator, the background? For which of these was it examined?",
    "Metrics": "Why these measures? Which threshold, and what does each kind of mistake cost? Which uncertainties are "
               "given?",
    "Evaluation data": "Where do the data come from, how were they selected, and why do they resemble those that the "
                       "model will meet?",
    "Training data": "Where do the data come from: simulation (which generator and detector description) or "
                     "measurement (which runs and triggers)? Where do the labels come from, and how are inputs scaled?",
    "Quantitative analyses": "How does the performance vary with the factors above, and how large are the systematic "
                             "uncertainties, such as differences between simulation and experiment?",
    "Ethical considerations": "Do the data concern people, or could the model's use? What does training and using it "
                              "cost in energy?",
    "Caveats and recommendations": "Where does the model fail, what was not tested, and what should its users check "
                                   "first?",
}


def model_card(trainer: "Trainer", path: str | os.PathLike | None = None, *, name: str = "",
               results: Mapping[str, Any] | None = None, notes: Mapping[str, str] | None = None) -> str:
    """A model card in Markdown: nine headings, filled with what the run knows, and with questions to its author.

    Parameters
    ----------
    trainer : Trainer
        After `fit`.
    path : str or os.PathLike, optional
        A file to write, such as ``"model_card.md"``.
    name : str, optional
        What the model is called; the name of its class by default.
    results : dict, optional
        Measurements on data that had no part in the training, for "Quantitative analyses": ``{"AUC": 0.985}``.
    notes : dict, optional
        The author's own text under a heading, in place of the questions.

    Returns
    -------
    str
        The card.

    Raises
    ------
    ValueError
        If the trainer has not trained yet, or `notes` has a heading that is none of the nine.
    TypeError
        If a note is not a text, or `path` is no path.

    Source: Mitchell et al., "Model cards for model reporting", 2019, and lecture 3.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
    >>> data = DataLoader(TensorDataset(tn.ones(4, 1), tn.ones(4, 1)), batch_size=2)
    >>> model = tn.nn.Linear(1, 1)
    >>> trainer = tn.training.Trainer(model, tn.nn.MSELoss(), tn.optim.SGD(model.parameters(), lr=0.1))
    >>> _ = trainer.fit(data, epochs=3)
    >>> card = tn.training.model_card(trainer, name="A line", notes={"Intended use": "To show what a card looks like."})
    >>> [line for line in card.splitlines() if line.startswith("#")][:3]
    ['# Model card: A line', '## Model details', '## Intended use']
    """
    if not trainer.history.rows:
        raise ValueError("model_card: the trainer has not completed an epoch yet")
    unknown = set(notes or {}) - set(QUESTIONS)
    if unknown:
        raise ValueError(f"model_card: {', '.join(sorted(map(str, unknown)))} is none of the headings "
                         f"{', '.join(QUESTIONS)}")
    for heading, text in (notes or {}).items():
        if not isinstance(text, str):
            raise TypeError(f"model_card: the note under {heading!r} must be a text, not a {type(text).__name__}")
    if path is not None:
        path = given_path(path, "model_card")
    known = {"Model details": details(trainer), "Metrics": measures(trainer),
             "Evaluation data": data_of(trainer.validation_loader, "No data were used for validation."),
             "Training data": data_of(trainer.train_loader, ""),
             "Quantitative analyses": figures(trainer.history, results)}
    card = f"# Model card: {name or type(trainer.model).__name__}\n"
    for heading, question in QUESTIONS.items():
        text = (notes or {}).get(heading, f"*To be filled in: {question}*")
        card += "\n" + "\n\n".join(part for part in (f"## {heading}", known.get(heading), text) if part) + "\n"
    if path is not None:
        with atomic_write(path, "w") as file:
            file.write(card)
    return card


def details(trainer: "Trainer") -> str:
    """The architecture, how it was trained, and with what."""
    from .. import __version__
    parameters = list(trainer.model.parameters())
    trained = sum(p.numel() for p in parameters if p.requires_grad)
    everything = sum(p.numel() for p in parameters)
    seed, dtypes = trainer.seed, ", ".join(sorted({str(p.dtype) for p in parameters}))
    rows = {
        "parameters": f"{everything:,}, of which {trained:,} trainable ({dtypes})",
        "loss": described(trainer.loss),
        "optimizer": optimizer_of(trainer),
        "schedule": "none" if trainer.scheduler is None else type(trainer.scheduler).__name__,
        "training": f"{trainer.epoch} epoch{'s' if trainer.epoch > 1 else ''}, {trainer.step:,} steps"
                    + (f"; {trainer.stopped}" if trainer.stopped else ""),
        "seed": "not set: the run cannot be repeated exactly" if seed is None else str(seed),
        "date": datetime.date.today().isoformat(),
        "environment": f"tinygrad_nuc {__version__}, NumPy {np.__version__}, Python {platform.python_version()}, "
                       f"{platform.system()} {platform.machine()}, byte order {sys.byteorder}",
    }
    return f"```text\n{trainer.model!r}\n```\n\n" + markdown_table(["", ""], list(rows.items()))


def optimizer_of(trainer: "Trainer") -> str:
    """The optimizer and its settings: one value, or where they differ one for each group of parameters."""
    groups = trainer.optimizer.param_groups
    settings = {name: [str(group.get(name)) for group in groups] for name in groups[0] if name != "params"}
    differ = any(len(set(values)) > 1 for values in settings.values())
    shown_values = ", ".join(f"{name} {' / '.join(values if len(set(values)) > 1 else values[:1])}"
                             for name, values in settings.items())
    return type(trainer.optimizer).__name__ + (f" of {len(groups)} groups" if differ else "") + f" ({shown_values})"


def measures(trainer: "Trainer") -> str:
    """What was measured."""
    names = "".join(f", `{name}`" for name in trainer.metrics)
    return f"`loss` ({described(trainer.loss)}){names}."


def described(loss: Any) -> str:
    """A loss by name, with its settings if it is a module."""
    return getattr(loss, "__name__", None) or repr(loss)


def data_of(loader: Any, otherwise: str) -> str:
    """How many samples, of which shapes."""
    if loader is None:
        return otherwise
    if not hasattr(loader, "dataset"):
        return f"Batches from a {type(loader).__name__}."
    shapes = ", ".join(f"{tuple(t.shape[1:])} {t.dtype}" for t in tensors_of(batch_of(loader.dataset, np.arange(1))))
    return f"{len(loader.dataset):,} samples of {shapes}, in batches of {loader.batch_size}."


def tensors_of(batch: Any) -> list[Tensor]:
    """The tensors of a batch, which may be a tuple or dict of such."""
    if isinstance(batch, Tensor):
        return [batch]
    return [t for part in (batch.values() if isinstance(batch, Mapping) else batch) for t in tensors_of(part)]


def figures(history: History, results: Mapping[str, Any] | None) -> str:
    """The best and the last epoch, and what the author has measured since."""
    best = history.best_epoch()
    rows = [[name, shown(history[name][best - history.rows[0]["epoch"]]), shown(history[name][-1])]
            for name in history.columns if name != "epoch"]
    header = ["measured while training", f"epoch {best} (best)", f"epoch {history['epoch'][-1]} (last)"]
    text = markdown_table(header, rows)
    if results:
        text += "\n\n" + markdown_table(["on independent data", ""],
                                        [[name, shown(x)] for name, x in results.items()])
    return text


def markdown_table(header: list[str], rows: Any) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
