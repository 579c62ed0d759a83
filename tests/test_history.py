"""What a run leaves behind: its history, the accuracy it measures, its model card."""

import math

import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import History, Trainer, accuracy, model_card
from tinygrad_nuc.utils.data import DataLoader, TensorDataset

NAN = float("nan")


# --- the best epoch -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("aucs", "best", "value"), [([NAN, 0.9, 0.7], 2, 0.9), ([0.7, NAN, 0.9], 3, 0.9), ([None, NAN, 0.1], 3, 0.1)])
def test_nan_is_never_the_best(aucs, best, value):
    history = History([{"epoch": i, "auc": auc} for i, auc in enumerate(aucs, 1)])
    assert (history.best_epoch("auc", "max"), history.best("auc", "max")) == (best, value)


def test_the_lowest_is_found_past_nan():
    history = History([{"epoch": 4, "train_loss": NAN}, {"epoch": 5, "train_loss": 3.0}, {"epoch": 6, "train_loss": 2.0}])
    assert (history.best_epoch(), history.best()) == (6, 2.0)


@pytest.mark.parametrize(("rows", "arguments", "kind", "message"), [
    ([{"epoch": 1, "validation_loss": 1.0}], ("val_loss",), KeyError, "'val_loss' was not measured; there are epoch, validation_loss"),
    ([{"epoch": 1, "auc": 1.0}], ("auc", "maximum"), ValueError, "mode must be 'min' or 'max', not 'maximum'"),
    ([{"epoch": 1, "auc": NAN}, {"epoch": 2}], ("auc",), ValueError, "auc is NaN or missing in every epoch"),
    ([], ("auc",), ValueError, "no epoch with a auc has been completed yet"),
])
def test_what_has_no_best_epoch_says_why(rows, arguments, kind, message):
    for ask in (History(rows).best_epoch, History(rows).best):
        with pytest.raises(kind, match=message):
            ask(*arguments)


# --- saving -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_every_value_comes_back_with_its_type(ending, tmp_path):
    columns = {"epoch": [1, 2, 3], "mixed": [1, 0.5, 2], "large": [2 ** 63, 2 ** 64, -1], "edge": [2 ** 63 - 1, -2 ** 63, 0],
               "yes": [True, False, True], "text": ["a", "b", "c"], "float": [0.1, math.inf, 1e-300], "flag": [True, 1, 1.0]}
    history, again = History([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]), History()
    tn.save(history.state_dict(), tmp_path / f"history{ending}")
    again.load_state_dict(tn.load(tmp_path / f"history{ending}"))
    assert again.rows == history.rows
    assert [[type(x) for x in row.values()] for row in again] == [[type(x) for x in row.values()] for row in history]


# --- accuracy -----------------------------------------------------------------------------------------


def test_accuracy_takes_arrays_and_tensors():
    scores, right = tn.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), tn.tensor([0, 1, 1])
    assert {accuracy(p, t) for p in (scores, scores.data) for t in (right, right.data)} == {2 / 3}
    assert accuracy([0.4, 0.6], [0, 1], threshold=0.5) == 1.0


@pytest.mark.parametrize("shape", [(0,), (0, 1), (0, 3)])
def test_accuracy_of_nothing_is_refused(shape):
    with pytest.raises(ValueError, match=rf"accuracy: there are no samples in a prediction of shape \({shape[0]},.*\)"):
        accuracy(tn.zeros(*shape), tn.zeros(*(shape if shape[-1] < 2 else (0,))))


# --- model cards --------------------------------------------------------------------------------------


def trained(groups=lambda model: model.parameters(), data=None):
    model = nn.Linear(1, 1)
    t = Trainer(model, nn.MSELoss(), optim.SGD(groups(model), lr=0.1))
    t.fit(DataLoader(data or TensorDataset(tn.ones(4, 1), tn.ones(4, 1)), batch_size=2), epochs=1)
    return t


def test_a_card_shows_every_groups_settings_where_they_differ():
    def two(**settings):
        return lambda model: [{"params": [model.weight]}, {"params": [model.bias], **settings}]
    assert "SGD of 2 groups (lr 0.1 / 0.001, momentum 0, dampening 0, weight_decay 0 / 0.5, " in model_card(trained(two(lr=0.001, weight_decay=0.5)))
    assert "| SGD (lr 0.1, momentum 0, " in model_card(trained(two())) and "| SGD (lr 0.1, " in model_card(trained())


def test_a_card_knows_data_sets_of_every_kind():
    assert "3 samples of (1,) float32, (1,) float32, in batches of 2." in model_card(trained(data=[[tn.ones(1), tn.zeros(1)]] * 3))

    t = trained()
    t.train_loader = DataLoader([{"x": tn.ones(2), "more": (1, tn.zeros(3))}] * 4)
    assert "4 samples of (2,) float32, () int64, (3,) float32, in batches of 1." in model_card(t)


@pytest.mark.parametrize(("options", "kind", "message"), [
    ({"notes": {"Intended use": 3}}, TypeError, "the note under 'Intended use' must be a text, not a int"),
    ({"notes": {3: "x", "Licence": "MIT"}}, ValueError, "3, Licence is none of the headings Model details, "),
    ({"path": 1}, TypeError, r"the path must be a text or a pathlib\.Path, not a int"),
])
def test_a_card_refuses_what_it_cannot_write(options, kind, message):
    with pytest.raises(kind, match=f"model_card: {message}"):
        model_card(trained(), **options)
