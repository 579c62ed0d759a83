"""The training loop: what it records, when it stops, which weights it keeps, what it leaves as it was."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import History, evaluate, fit
from tinygrad_nuc.utils.data import DataLoader, TensorDataset


def loader(x, y, batch_size=2, **options):
    return DataLoader(TensorDataset(tn.tensor(x, dtype=tn.float64), tn.tensor(y, dtype=tn.float64)), batch_size, **options)


def line(weight):
    model = nn.Linear(1, 1, bias=False, dtype=tn.float64)
    nn.init.constant_(model.weight, weight)
    return model


X = np.array([[1.0], [1.0], [1.0], [1.0]])


def test_the_losses_of_each_epoch_are_means_over_samples():
    model = line(0.0)
    history = fit(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.25), loader(X[:3], X[:3]),
                  loader(X[:3], 2 * X[:3]), epochs=1)
    # Two batches: w = 0 has loss 1, its gradient −2 moves w to 0.5; then one sample with loss 0.25 moves w to 0.75.
    assert history.train == [pytest.approx((2 * 1 + 1 * 0.25) / 3)]
    assert history.validation == [pytest.approx(1.25 ** 2)]
    assert model.weight.item() == 0.75


def test_training_stops_when_nothing_improves_and_keeps_the_best_weights():
    model, best_at = line(0.0), 0.8                       # training pulls w to 1, validation is best at 0.8
    history = fit(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.05), loader(X, X), loader(X, best_at * X),
                  epochs=1000, patience=3)
    assert len(history.validation) == history.best_epoch + 3
    assert min(history.validation) == history.validation[history.best_epoch - 1]
    assert abs(model.weight.item() - best_at) == pytest.approx(np.sqrt(min(history.validation)))
    assert evaluate(model, nn.MSELoss(), loader(X, best_at * X)) == pytest.approx(min(history.validation))


def test_without_patience_every_epoch_is_run():
    model = line(1.0)
    assert len(fit(model, nn.MSELoss(), optim.SGD(model.parameters()), loader(X, X), loader(X, X), epochs=5).train) == 5


def test_a_diverging_loss_is_an_error_and_the_best_weights_stay():
    model = line(0.0)
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        fit(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=1e200), loader(X, X), loader(X, X), epochs=9)
    assert np.isfinite(model.weight.data).all()
    with pytest.raises(FloatingPointError, match="fit: validation loss inf after epoch 1; a smaller learning rate"):
        fit(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), loader(X, X), loader(X, X * 1e200), epochs=9)


def test_an_interruption_leaves_the_best_weights():
    class Interrupting(optim.SGD):
        steps = 0
        def step(self):
            super().step()
            self.steps += 1
            if self.steps == 5:
                raise KeyboardInterrupt
    model = line(0.0)
    with pytest.raises(KeyboardInterrupt):
        fit(model, nn.MSELoss(), Interrupting(model.parameters(), lr=0.05), loader(X, X), loader(X, X), epochs=9)
    assert model.weight.item() == pytest.approx(1 - 0.9 ** 4)         # after two whole epochs of two batches


class Modes(nn.Module):
    """Notes the mode in which each part was called."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(1, 1, dtype=tn.float64)
        self.seen = set()

    def forward(self, x):
        self.seen.add((self.training, self.inner.training, tn.is_grad_enabled()))
        return self.inner(x)


@pytest.mark.parametrize("training", [True, False])
def test_modes_are_switched_and_restored(training):
    model = Modes().train(training)
    fit(model, nn.MSELoss(), optim.SGD(model.parameters()), loader(X, X), loader(X, X), epochs=1)
    assert model.seen == {(True, True, True), (False, False, False)}
    assert model.training is model.inner.training is training


def test_a_part_that_was_frozen_stays_frozen():
    model = Modes()
    model.inner.eval()
    fit(model, nn.MSELoss(), optim.SGD(model.parameters()), loader(X, X), loader(X, X), epochs=1)
    assert (True, False, True) in model.seen and model.training and not model.inner.training


def test_the_same_seed_gives_the_same_run():
    def run():
        tn.manual_seed(7)
        model = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1)).double()
        data = loader(np.linspace(-1, 1, 20)[:, None], np.linspace(0, 1, 20)[:, None], 3, shuffle=True)
        history = fit(model, nn.MSELoss(), optim.Adam(model.parameters(), lr=0.01), data, data, epochs=3)
        return history.train, [p.tolist() for p in model.parameters()]
    assert run() == run()


def test_the_bar_shows_both_losses(capsys):
    model = line(0.0)
    fit(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), loader(X, X), loader(X, X), epochs=2, progress=True)
    shown = capsys.readouterr().err
    assert "epoch=2" in shown and "loss=" in shown and "validation=0." in shown


def test_bad_settings():
    model = line(0.0)
    with pytest.raises(ValueError, match="epochs must be at least 1"):
        fit(model, nn.MSELoss(), optim.SGD(model.parameters()), loader(X, X), loader(X, X), epochs=0)
    with pytest.raises(ValueError, match="no epoch has been completed"):
        _ = History().best_epoch
