"""What learners look with, at a model on a GPU: summaries, pictures, records, checks and explanations read it there."""

import copy

import matplotlib
import numpy as np
import pytest
from gpu_helpers import is_there

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.estimators import MLPClassifier, MLPRegressor
from tinygrad_nuc.inspect import Snapshots
from tinygrad_nuc.training import (
    CSVLogger,
    EarlyStopping,
    ModelCheckpoint,
    ParameterLogger,
    Trainer,
    accuracy,
    model_card,
)
from tinygrad_nuc.utils.data import DataLoader, Subset, TensorDataset, random_split

matplotlib.use("agg")


@pytest.fixture
def twins(one_gpu):
    """The same network on the CPU and on the GPU."""
    tn.manual_seed(3)
    here = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)).eval()
    return here, copy.deepcopy(here).to("gpu")


def test_a_summary(one_gpu):
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    texts = [str(tn.summary(model.to(place), (2,))) for place in ("cpu", "gpu")]
    assert texts[0] == texts[1] and "Linear" in texts[0] and is_there(model[0].weight)


def test_how_states_and_models_are_shown_and_compared(twins):
    here, there = twins
    assert repr(there) == repr(here) and all(map(is_there, there.state_dict().values()))
    assert tn.nn.utils.parameters_to_vector(there.parameters()).is_cuda
    here.load_state_dict(there.state_dict())
    there.load_state_dict(here.state_dict())
    there.load_state_dict({name: t.numpy() for name, t in here.state_dict().items()})
    assert all(map(is_there, there.state_dict().values())) and not any(map(is_there, here.state_dict().values()))


def test_pictures_of_a_model(twins):
    x = np.random.default_rng(1).normal(size=(20, 2))
    y = (x.sum(1) > 0).astype(int)
    here, there = (plots.decision_boundary(model, x, y, output="logit", resolution=20) for model in twins)
    np.testing.assert_allclose(np.asarray(there.image.get_array(), float), np.asarray(here.image.get_array(), float), atol=2)
    onto = plots.decision_boundary(twins[1], tn.tensor(x, device="gpu"), tn.tensor(y, device="gpu"), output="logit", resolution=20)
    assert np.array_equal(onto.image.get_array(), there.image.get_array())

    def loss(model):
        return ((model(tn.ones(3, 2).to(model[0].weight.device)) - 1) ** 2).mean()
    tn.manual_seed(5)
    surfaces = []
    for model in twins:
        tn.manual_seed(5)
        surfaces.append(plots.loss_surface(loss, model, resolution=5).loss)
    np.testing.assert_allclose(*surfaces, rtol=1e-4)
    plots.filters(twins[1][0], shape=(1, 2))
    assert all(map(is_there, twins[1].parameters()))


def test_pictures_of_functions_and_of_numbers(one_gpu):
    with tn.device("gpu"):
        own = nn.Linear(1, 1, dtype=tn.float64)
        lines = plots.activation_functions(["relu", nn.Tanh(), lambda x: own(x.reshape(-1, 1)).reshape(-1)])
    assert lines
    scores, truth = tn.tensor([0.1, 0.9, 0.8, 0.3], device="gpu"), tn.tensor([0, 1, 1, 0], device="gpu")
    assert plots.roc_curves({"ours": (scores, truth)}) and plots.response_histogram(scores, truth)
    assert plots.images(tn.rand(3, 8, 8, device="gpu"))


def test_gradient_checks(one_gpu):
    x = tn.tensor([0.5, 2.0], dtype=tn.float64, device="gpu", requires_grad=True)
    assert tn.gradcheck(lambda x: (x ** 3).sum(), x) and tn.gradgradcheck(lambda x: x ** 3, x) and is_there(x)


def test_why_there_is_no_gradient(one_gpu):
    w = tn.tensor([[1.0, 2.0]], device="gpu", requires_grad=True)
    with tn.debug():
        tn.relu(tn.tensor([[-3.0, -1.0]], device="gpu") * w).sum().backward()
        assert "No input of the ReLU is above 0" in tn.inspect.why_no_gradient(w)


def test_debug_mode_names_the_first_infinity(one_gpu):
    x = tn.tensor([1.0, 0.0], device="gpu", requires_grad=True)
    with tn.debug(), pytest.raises(FloatingPointError, match=r"Log gave -inf in 1 of 2 values, first at \[1\]"):
        tn.log(x)


def test_every_step_is_recorded_with_numbers_of_the_host(twins):
    texts, kinds = [], []
    for model in twins:
        x = tn.tensor([[1.0, -2.0], [0.5, 3.0]]).to(model[0].weight.device)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        with tn.inspect.record() as steps:
            loss = (model(x) ** 2).sum()
            loss.backward()
            optimizer.step()
        kinds.append([type(step).__name__ for step in steps.steps])
        texts.append(str(tn.inspect.trace(loss)))
        tn.inspect.draw(loss)
    assert texts[0] == texts[1] and kinds[0] == kinds[1] and "cuda" not in texts[1]


def test_straight_pieces_of_a_network(one_gpu):
    model = nn.Sequential(nn.Linear(1, 5), nn.ReLU(), nn.Linear(5, 1))
    here = tn.inspect.linear_regions(model, -2, 2)
    there = tn.inspect.linear_regions(model.to("gpu"), -2, 2)
    assert there.count == here.count and np.array_equal(there.slopes, here.slopes)
    with tn.device("gpu"):
        assert tn.inspect.linear_regions(tn.inspect.folding_network(2, 4), 0, 1).count == 25


def test_training_with_every_callback(one_gpu, tmp_path):
    def run(device, folder):
        tn.manual_seed(1)
        x = tn.randn(24, 2)
        data, held = random_split(TensorDataset(x, (x.sum(1, keepdim=True) > 0).float()), [16, 8])
        # no bias before a batch norm: it has no slope but that of rounding, which Adam makes as large as any other
        model = nn.Sequential(nn.Linear(2, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
        logger, film = ParameterLogger(), Snapshots()
        folder.mkdir()
        trainer = Trainer(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=0.1), device=device,
                          metrics={"accuracy": accuracy, "AUC": area}, clip_grad_value=1.0,
                          callbacks=[EarlyStopping(), logger, film, CSVLogger(folder / "h.csv"), ModelCheckpoint(folder)])
        trainer.fit(DataLoader(data, batch_size=8, shuffle=True), DataLoader(held, batch_size=8), epochs=3)
        assert is_there(model[0].weight) == (device is not None) and "accuracy" in model_card(trainer)
        trainer.history.plot()
        return trainer.history.rows, logger.norms("0.weight"), film[-1]["0.weight"], tn.load(folder / "last.npz")["model"]

    def area(prediction, target):
        from sklearn.metrics import roc_auc_score
        return roc_auc_score(target, prediction)            # of scikit-learn, which wants NumPy's arrays

    (rows, norms, last, saved), (rows_here, norms_here, last_here, saved_here) = \
        run(tn.device("gpu"), tmp_path / "a"), run(None, tmp_path / "b")
    for a, b in zip(rows, rows_here, strict=True):
        assert a == pytest.approx(b, rel=1e-5)
    np.testing.assert_allclose(norms, norms_here, rtol=1e-5)
    np.testing.assert_allclose(last, last_here, rtol=1e-4)
    for name, t in saved.items():
        np.testing.assert_allclose(t.numpy(), saved_here[name].numpy(), rtol=1e-4, atol=1e-6)


def test_batches_go_to_the_model_and_data_may_be_there_already(one_gpu):
    x = tn.randn(8, 2)
    for data in (TensorDataset(x, x), TensorDataset(x.to("gpu"), x.to("gpu")), Subset(TensorDataset(x.to("gpu"), x), [0, 3, 1])):
        model = nn.Linear(2, 2).to("gpu")
        trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1))
        loader = DataLoader(data, batch_size=2, shuffle=True)
        trainer.fit(loader, loader, epochs=2)
        assert is_there(trainer.predict(loader)) and is_there(model.weight.grad)


def test_a_gradient_that_is_not_finite_is_named(one_gpu):
    model = nn.Linear(1, 1).to("gpu")
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1))
    model.bias.register_hook(lambda g: g * np.inf)
    with pytest.raises(FloatingPointError, match="the gradient of bias in epoch 1, step 1 is infinite or NaN"):
        trainer.fit([(tn.ones(2, 1), tn.ones(2, 1))], epochs=1)
    assert np.isfinite(model.bias.numpy()).all()


def test_scikit_learns_manners_stay_on_the_host(one_gpu):
    x = np.random.default_rng(1).normal(size=(40, 2))
    with tn.device("gpu"):
        classifier = MLPClassifier((4,), max_iter=5, random_state=1)
        with pytest.warns(UserWarning):
            classifier.fit(x, x.sum(1) > 0)
            regressor = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=1).fit(x, x[:, 0])
        assert isinstance(classifier.predict(x), np.ndarray) and isinstance(regressor.predict(x), np.ndarray)


def test_an_optimizer_follows_its_parameters_there_and_back(one_gpu):
    def run(*places):
        tn.manual_seed(2)
        model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        for place in places:
            model.to(place)
            optimizer.zero_grad()
            model(tn.ones(5, 3, device=place)).sum().backward()
            optimizer.step()
            kept = [x for entry in optimizer.state.values() for x in entry.values() if isinstance(x, tn.Tensor)]
            assert kept and all(is_there(x) == (place != "cpu") for x in kept)
            assert all(is_there(p.grad) == (place != "cpu") for p in model.parameters())
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        return model.to("cpu")[0].weight.tolist()
    np.testing.assert_allclose(run("cpu", "gpu", "gpu", "cpu"), run("cpu", "cpu", "cpu", "cpu"), rtol=1e-5)
