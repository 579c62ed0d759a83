"""The loss as a landscape: its numbers, the directions, the path, and a model that is afterwards as it was."""

import numpy as np
import pytest
from matplotlib.colors import LogNorm

import tinygrad_nuc as tn
import tinygrad_nuc.nn.functional as F
from tinygrad_nuc import nn, plots
from tinygrad_nuc.inspect import Snapshots

X = tn.tensor([[0.0], [1.0], [2.0]], dtype=tn.float64)
Y = 2 * X + 1


def line(weight=0.0, bias=0.0, dtype=tn.float64):
    model = nn.Linear(1, 1, dtype=dtype)
    model.load_state_dict({"weight": [[weight]], "bias": [bias]})
    return model


def of_line(model):
    return F.mse_loss(model(X.to(model.weight.dtype)), Y.to(model.weight.dtype))


def expected(slope, intercept):
    """The mean of (slope x + intercept − 2x − 1)² over x = 0, 1, 2."""
    return np.mean([(slope * x + intercept - 2 * x - 1) ** 2 for x in (0, 1, 2)], axis=0)


def network(seed=0, dtype=tn.float64):
    tn.manual_seed(seed)
    return nn.Sequential(nn.Linear(1, 4, dtype=dtype), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 1, dtype=dtype))


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def trained(model, loss_of, steps=12, lr=0.1):
    snapshots, optimizer = Snapshots(), tn.optim.SGD(model.parameters(), lr=lr, momentum=0.5)
    for _ in range(steps):
        snapshots.take(model)
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    snapshots.take(model)
    return snapshots


# ---------------------------------------------------------------------- two parameters

def test_two_parameters_have_the_surface_over_themselves():
    ax = plots.grid(1)[1][0]
    drawn = plots.loss_surface(of_line, line(), low=(-1, 0), high=(5, 2), resolution=7, ax=ax)
    np.testing.assert_array_equal(drawn.first, np.linspace(-1, 5, 7))
    np.testing.assert_array_equal(drawn.second, np.linspace(0, 2, 7))
    np.testing.assert_allclose(drawn.loss, expected(drawn.first[None, :], drawn.second[:, None]), atol=1e-14)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("weight", "bias", "Loss surface")
    assert ax.get_xlim() == (-1, 5) and ax.get_ylim() == (0, 2) and legend_of(ax) == ["the model"]
    assert drawn.path.get_xydata().tolist() == [[0.0, 0.0]] and ax.figure.axes[1].get_ylabel() == "loss"
    assert drawn.surface.axes is ax and drawn.surface.levels[[0, -1]].tolist() == [drawn.loss.min(), drawn.loss.max()]


def test_by_default_it_is_around_the_model():
    drawn = plots.loss_surface(of_line, line(3.0, 0.5), names=("θ₁", "θ₀"), colorbar=False)
    assert drawn.first[[0, -1]].tolist() == [0.0, 6.0] and drawn.second[[0, -1]].tolist() == [-0.5, 1.5]
    ax = drawn.surface.axes
    assert (ax.get_xlabel(), ax.get_ylabel(), len(ax.figure.axes)) == ("θ₁", "θ₀", 1)


def test_tensors_without_a_module_have_one_too():
    theta = [tn.tensor(0.5, requires_grad=True), tn.tensor([2.0], requires_grad=True)]
    drawn = plots.loss_surface(lambda t: (t[0] - 1) ** 2 + (t[1] - 2) ** 2, theta, low=(0, 1), high=(2, 3),
                               resolution=3)
    np.testing.assert_allclose(drawn.loss, [[2, 1, 2], [1, 0, 1], [2, 1, 2]])
    assert drawn.surface.axes.get_xlabel() == "θ₀" and drawn.surface.axes.get_ylabel() == "θ₁"
    assert theta[0].item() == 0.5 and theta[1].item() == 2.0
    pair = tn.tensor([0.0, 0.0], requires_grad=True)
    ax = plots.loss_surface(lambda p: (p ** 2).sum(), pair).surface.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("θ₀", "θ₁")
    path = Snapshots()
    path.take(theta)
    assert plots.loss_surface(lambda t: (t[0] * t[1]) ** 2, theta, path=path).path.get_xydata().tolist() == [[0.5, 2.0]]


def test_the_path_is_that_of_the_optimizer():
    model = line()
    path = trained(model, of_line)
    drawn = plots.loss_surface(of_line, model, path=path)
    steps = np.array([[s["weight"].item(), s["bias"].item()] for s in path])
    np.testing.assert_allclose(drawn.path.get_xydata(), steps, atol=1e-12)
    np.testing.assert_allclose(steps[1] - steps[0], 0.1 * 2 / 3 * (Y * tn.cat([X, X * 0 + 1], 1)).sum(0).numpy())
    low, size = steps.min(axis=0), np.ptp(steps, axis=0)
    np.testing.assert_allclose([drawn.first[0], drawn.second[0]], low - size / 4)
    np.testing.assert_allclose([drawn.first[-1], drawn.second[-1]], low + 1.25 * size)
    assert legend_of(drawn.surface.axes) == ["path", "start", "end"]
    marks = drawn.surface.axes.lines[1:]
    np.testing.assert_allclose([mark.get_xydata()[0] for mark in marks], steps[[0, -1]], atol=1e-12)


# ---------------------------------------------------------------------- contours

def test_contours_are_logarithmic_where_the_loss_spans_much():
    wide = plots.loss_surface(lambda m: of_line(m) + 1e-3, line(2.0, 1.0))
    assert isinstance(wide.surface.norm, LogNorm)
    np.testing.assert_allclose(np.diff(np.log(wide.surface.levels)), np.diff(np.log(wide.surface.levels))[0])
    narrow = plots.loss_surface(lambda m: of_line(m) + 100, line(2.0, 1.0))
    assert not isinstance(narrow.surface.norm, LogNorm)
    np.testing.assert_allclose(np.diff(narrow.surface.levels), np.diff(narrow.surface.levels)[0])
    below = plots.loss_surface(lambda m: of_line(m) - 1, line(2.0, 1.0))
    assert not isinstance(below.surface.norm, LogNorm)


def test_a_flat_loss_and_one_that_is_infinite_in_places():
    flat = plots.loss_surface(lambda m: 0 * of_line(m) + 3, line())
    assert (flat.loss == 3).all() and flat.surface.levels[[0, -1]].tolist() == [2.5, 3.5]
    nearly = plots.loss_surface(lambda m: 3 + 1e-16 * m.weight.double().sum(), line(8.0), resolution=5)
    assert 0 < np.ptp(nearly.loss) < 1e-14 and nearly.surface.levels[[0, -1]] == pytest.approx([2.5, 3.5])
    assert not isinstance(plots.loss_surface(lambda m: 0 * of_line(m) + 0.504, line()).surface.norm, LogNorm)
    holes = plots.loss_surface(lambda m: tn.log(m.weight[0, 0]) ** 2, line(1.0), low=-1, high=(2, 1), resolution=4)
    assert np.isnan(holes.loss[:, 0]).all() and np.isinf(holes.loss[:, 1]).all()
    assert np.isfinite(holes.loss[:, 2:]).all()
    with pytest.raises(ValueError, match="infinite or NaN everywhere"):
        plots.loss_surface(lambda m: of_line(m) * np.nan, line())


# ---------------------------------------------------------------------- a plane through many parameters

def test_random_directions_are_as_long_as_the_weights_filter_by_filter():
    tn.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))
    nn.init.zeros_(model[3].weight[1])
    state = tn.get_rng_state()
    directions = plots.random_directions(model, seed=4)
    assert tn.get_rng_state() == state
    for d in directions[:2]:
        for name, p in model.named_parameters():
            if p.ndim == 1:
                assert not d[name].any()
            else:
                rows, own = d[name].reshape(len(p), -1), p.numpy().reshape(len(p), -1)
                np.testing.assert_allclose(np.linalg.norm(rows, axis=1), np.linalg.norm(own, axis=1), rtol=1e-6)
    # the direction itself is that of the normal numbers of the seed
    z = np.random.default_rng(4).standard_normal((3, 2, 3, 3))
    first = directions.first["0.weight"]
    np.testing.assert_allclose(first[0] / first[0, 0, 0, 0], z[0] / z[0, 0, 0, 0])
    assert not np.allclose(directions.first["0.weight"], directions.second["0.weight"])
    assert not np.allclose(plots.random_directions(model, seed=5).first["0.weight"], first)


def test_a_slice_is_the_loss_at_the_weights_plus_steps_along_the_directions():
    model = network()
    directions = plots.random_directions(model, seed=2)

    def loss_of(m):
        return F.mse_loss(m(X), Y)

    drawn = plots.loss_surface(loss_of, model, directions=directions, low=-0.5, high=(1, 2), resolution=4)
    twin = network().eval()
    for j, i in ((0, 0), (3, 1), (2, 3)):
        twin.load_state_dict({name: p.numpy() + drawn.first[i] * directions.first[name]
                              + drawn.second[j] * directions.second[name] for name, p in model.named_parameters()})
        assert drawn.loss[j, i] == pytest.approx(loss_of(twin).item(), rel=1e-12)
    assert drawn.first[[0, -1]].tolist() == [-0.5, 1.0] and drawn.second[[0, -1]].tolist() == [-0.5, 2.0]
    assert drawn.surface.axes.get_title() == "Slice of the loss surface"
    assert drawn.surface.axes.get_xlabel() == "step α along random direction 1 [‖w‖]"
    np.testing.assert_allclose(drawn.path.get_xydata(), [[0, 0]], atol=1e-12)
    default = plots.loss_surface(loss_of, model, resolution=3)
    assert default.first.tolist() == [-1.0, 0.0, 1.0]
    assert default.loss[1, 1] == pytest.approx(loss_of(model.eval()).item(), rel=1e-12)


def test_path_directions_are_principal_components():
    # a path that is an ellipse with half axes 5 and 2 in a known plane
    d, e = np.array([0.6, 0.8, 0.0]), np.array([0.0, 0.0, 1.0])
    turn = np.linspace(0, 2 * np.pi, 9)[:-1]
    points = np.array([1.0, 2.0, 3.0]) + 5 * np.cos(turn)[:, None] * d + 2 * np.sin(turn)[:, None] * e
    model = nn.Linear(3, 1, bias=False, dtype=tn.float64)
    path = [{"weight": point[None]} for point in points]
    found = plots.path_directions(model, path)
    np.testing.assert_allclose(np.abs(found.first["weight"][0]), np.abs(d), atol=1e-12)
    np.testing.assert_allclose(np.abs(found.second["weight"][0]), np.abs(e), atol=1e-12)
    assert found.names == ("principal component 1 (86.2 % of the variance)",
                           "principal component 2 (13.8 % of the variance)")

    drawn = plots.loss_surface(lambda m: (m.weight ** 2).sum(), model, path=path, resolution=3)
    xy = drawn.path.get_xydata()                            # measured from the last snapshot
    np.testing.assert_allclose(np.linalg.norm(np.diff(xy, axis=0), axis=1),
                               np.linalg.norm(np.diff(points, axis=0), axis=1))
    assert np.abs(xy[-1]).max() < 1e-12 and drawn.surface.axes.get_xlabel() == found.names[0]
    centre = drawn.first[1] * found.first["weight"] + drawn.second[1] * found.second["weight"] + points[-1]
    assert drawn.loss[1, 1] == pytest.approx((centre ** 2).sum())


def test_a_path_off_the_plane_is_projected_and_buffers_do_not_count():
    model = nn.Sequential(nn.Linear(2, 2, bias=False, dtype=tn.float64), nn.BatchNorm1d(2, dtype=tn.float64))
    model[1].requires_grad_(False)
    snapshots = Snapshots()
    for numbers in ([[0, 0], [0, 7]], [[1, 2], [0, 9]], [[3, 4], [0, 5]]):
        model[0].load_state_dict({"weight": np.array(numbers, float)})
        snapshots.take(model)
    assert "1.running_mean" in snapshots[0]
    plane = plots.Directions({"0.weight": [[2.0, 0.0], [0.0, 0.0]]}, {"0.weight": [[1.0, 1.0], [0.0, 0.0]]}, ("a", "b"))
    drawn = plots.loss_surface(lambda m: (m[0].weight ** 2).sum(), model, directions=plane, path=snapshots)
    # from (3, 4): steps of (2, 0) and (1, 1); the last entry is not in the plane
    np.testing.assert_allclose(drawn.path.get_xydata(), [[0.5, -4], [0, -2], [0, 0]], atol=1e-12)
    assert drawn.surface.axes.get_xlabel() == "a"


# ---------------------------------------------------------------------- nothing is changed

@pytest.mark.parametrize("dtype", [tn.float32, tn.float64])
@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_afterwards_what_it_was_to_the_last_bit(dtype, fails):
    model = network(dtype=dtype)
    model[3].eval()
    model[0].bias.data[0] = -0.0
    for p in model.parameters():
        p.grad = tn.ones(*p.shape, dtype=dtype)
    path = [{name: p.data + step * k for k, (name, p) in enumerate(model.named_parameters())} for step in (0, 1, 4)]
    path[1]["0.weight"][0] += 1
    older = (model[0](X.to(dtype)) ** 2).sum()              # a graph that still needs the weights
    before = [p.numpy().tobytes() for p in model.parameters()]
    arrays, modes = [p.data for p in model.parameters()], [m.training for m in model.modules()]
    state = tn.get_rng_state()
    seen = []

    def loss_of(m):
        seen.append((m.training, tn.is_grad_enabled(), m[2].training))
        tn.randn(2)
        if fails and len(seen) > 5:
            raise RuntimeError("fails")
        return F.mse_loss(m(X.to(dtype)), Y.to(dtype))

    if fails:
        with pytest.raises(RuntimeError, match="fails"):
            plots.loss_surface(loss_of, model, path=path, resolution=5)
    else:
        plots.loss_surface(loss_of, model, path=path, resolution=5)
    assert set(seen) == {(False, False, False)}
    assert [p.numpy().tobytes() for p in model.parameters()] == before
    assert all(p.data is array for p, array in zip(model.parameters(), arrays))
    assert [m.training for m in model.modules()] == modes and tn.get_rng_state() == state and tn.is_grad_enabled()
    assert all((p.grad.data == 1).all() for p in model.parameters())
    older.backward()


def test_it_works_in_debug_mode_while_a_graph_holds_the_weights():
    model = line(1.0)
    with tn.debug():
        older = of_line(model)
        drawn = plots.loss_surface(of_line, model, low=0, high=1, resolution=3)
        older.backward()
    np.testing.assert_allclose(drawn.loss, expected(drawn.first[None, :], drawn.second[:, None]))
    assert model.weight.item() == 1.0 and model.weight.grad is not None


def changed(**state):
    return {"weight": [[0.0]], "bias": [0.0]} | state


@pytest.mark.parametrize("given, error, message", [
    ({"path": []}, ValueError, "the path is empty"),
    ({"path": {"weight": 1}}, TypeError, "a path is a list of state dicts"),
    ({"path": [{"weight": [[0.0]]}]}, ValueError, "snapshot 0 lacks bias"),
    ({"path": [changed(), changed(weight=[0.0])]}, ValueError, r"snapshot 1 has weight of shape \(1,\), .* \(1, 1\)"),
    ({"path": [changed(bias=[np.nan])]}, ValueError, "snapshot 0, bias, holds an infinity or a NaN"),
    ({"path": [line().state_dict()] * 2}, ValueError, "one and the same array: a state dict shares the memory"),
    ({"directions": "random"}, TypeError, "directions are plots.Directions"),
    ({"directions": plots.Directions(changed(bias=[1.0]), changed(bias=[2.0]))}, ValueError,
     "must not be parallel, or 0"),
    ({"directions": plots.Directions({}, {})}, ValueError, "the first direction lacks weight, bias"),
    ({"low": 1, "high": 1}, ValueError, "low must be below high"),
    ({"resolution": 1}, ValueError, "resolution must be a whole number of at least 2, not 1"),
    ({"loss_of": lambda m: m(X)}, TypeError, r"loss_of must return a tensor with one number, not of shape \(3, 1\)"),
    ({"loss_of": lambda m: 1.0}, TypeError, "not float"),
    ({"model": 5}, TypeError, "expects a module, a tensor or a list of tensors, not a int"),
    ({"model": nn.Tanh()}, ValueError, "there is no parameter that requires a gradient"),
    ({"model": tn.tensor([1, 2])}, TypeError, "θ₀ must hold floating-point numbers, not int64"),
])
def test_what_loss_surface_refuses(given, error, message):
    given = {"loss_of": of_line, "model": line()} | given
    with pytest.raises(error, match=f"loss_surface: .*{message}"):
        plots.loss_surface(given.pop("loss_of"), given.pop("model"), **given)


def test_what_directions_refuse():
    straight = [changed(weight=[[float(i)]]) for i in range(4)]
    with pytest.raises(ValueError, match="path_directions: all snapshots lie on one straight line"):
        plots.path_directions(line(), straight)
    with pytest.raises(ValueError, match="needs at least 3 snapshots, not 2"):
        plots.path_directions(line(), straight[:2])
    with pytest.raises(ValueError, match="random_directions: no parameter has rows to normalise"):
        plots.random_directions(tn.zeros(3))
