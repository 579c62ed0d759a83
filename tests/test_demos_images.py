"""The demos with images and directions: neutrino events, the autoencoder, the von Mises-Fisher distribution."""

import numpy as np
import pytest
from demo_helpers import quick, run


def test_a_cnn_tells_tracks_from_showers():
    found = quick("neutrino_events")
    assert sum(p.numel() for p in found.cnn.parameters()) == 36_523
    assert found.cnn[0].weight.shape == (8, 2, 5, 5) and found.cnn[3].weight.shape == (16, 8, 5, 5)
    assert sum(p.numel() for p in found.models["plain network"].parameters()) == 131_331
    assert found.score["CNN"] > 0.7 and found.score["CNN"] > found.score["plain network"] + 0.2
    assert 0.75 < found.score["cuts"] < 0.87 and found.learned < 0.9                # the CNN learns nothing by heart
    assert found.matrix.sum() == 500 and np.trace(found.matrix) / 500 == pytest.approx(found.score["CNN"])
    assert found.demo.compared == 3


def test_a_network_that_has_hardly_learned_is_drawn_too():
    found = run("neutrino_events", "--quick", "--events", "3", "--epochs", "1")     # names only one kind
    assert len(found.chosen) == len(found.first_right) + 1 == len(found.maps)
    i = found.chosen[-1]
    assert (found.truth[i], found.named[i]) == (found.was, found.read_as) and found.was != found.read_as
    assert found.matrix[found.was, found.read_as] == len(found.mistakes)


def test_the_saliency_is_the_slope_of_the_logit():
    found = quick("neutrino_events")
    picture, k = found.x[found.n_train], 1
    slopes = found.saliency(picture, k)
    assert slopes.shape == (2, 32, 32)
    cnn, pixels = found.cnn.double(), picture.double()
    brightest = np.argsort(picture.numpy().ravel())[-3:]                # elsewhere pooling has equal pixels: kinks
    for view, cell, plane in zip(*np.unravel_index(brightest, slopes.shape), strict=True):
        up, down = pixels.numpy().copy(), pixels.numpy().copy()
        up[view, cell, plane] += 1e-6
        down[view, cell, plane] -= 1e-6
        logits = cnn(found.tn.tensor(np.stack([up, down]))).detach().numpy()[:, k]
        assert slopes[view, cell, plane] == pytest.approx(abs(logits[0] - logits[1]) / 2e-6, rel=1e-3, abs=1e-5)
    cnn.float()


def test_choices_of_the_cnn_are_options():
    with pytest.raises(ValueError, match="after layer 3 nothing is left of the picture"):
        run("neutrino_events", "--quick", "--pooling", "4", "--layers", "3", "--events", "10")
    for name, option in (("neutrino_events", "--events"), ("autoencoder", "--epochs"), ("directions", "--steps")):
        with pytest.raises(ValueError, match=f"{option} must be at least 1, not 0"):
            run(name, "--quick", option, "0")


def test_a_linear_autoencoder_is_pca_and_bends_make_it_better():
    found = quick("autoencoder")
    linear, pca = (found.error(name, found.train) for name in ("linear autoencoder", "PCA"))
    assert linear.mean() / pca.mean() == pytest.approx(1, abs=0.002)
    plane = found.linear[1].weight.detach().numpy()                             # (64, 2): all that the decoder can make
    components = found.pca.components_.T
    np.testing.assert_allclose(plane @ np.linalg.pinv(plane) @ components, components, atol=0.05)
    assert pca.mean() == pytest.approx(0.052, abs=0.001)
    assert found.errors["autoencoder"][found.is_new == 0].mean() < 0.8 * found.errors["PCA"][found.is_new == 0].mean()


def test_an_unseen_digit_stands_out_and_the_seen_ones_lie_together():
    found = quick("autoencoder")
    assert len(found.train) == 1200 and (found.test_digits != 0).all() and len(found.new) == 178
    assert found.area["autoencoder"] > 0.9 and found.area["PCA"] == pytest.approx(0.865, abs=0.01)
    assert 0.6 < found.pure["autoencoder"] > found.pure["PCA"] + 0.05
    assert found.encoder(found.tn.tensor(found.test)).abs().max().item() <= 1
    assert found.made.shape == (130, 130) and 0 <= found.made.min() and found.made.max() <= 1


def test_the_von_mises_fisher_distribution_by_hand():
    found = quick("directions")
    assert found.F(np.array([-1.0, 1.0]), 3.0).tolist() == [0, 1]
    kappa, c = 2.0, 0.3
    assert found.F(c, kappa) == pytest.approx((np.exp(0.6) - np.exp(-2)) / (np.exp(2) - np.exp(-2)))
    mu = np.tile([0.0, 0.6, 0.8], (40_000, 1))
    x = found.scattered(mu, np.full(40_000, 5.0))
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1)
    assert (x @ mu[0]).mean() == pytest.approx(1 / np.tanh(5) - 0.2, abs=0.003)             # coth κ − 1/κ
    np.testing.assert_allclose(x.mean(axis=0), mu[0] * (1 / np.tanh(5) - 0.2), atol=0.01)    # no side is preferred
    assert found.distance(found.F(x @ mu[0], 5.0)) < 0.01


def test_the_networks_certainty_is_calibrated():
    found = quick("directions")
    assert found.distance(found.F(found.c, found.kappa)) < 0.06
    assert found.distance(found.F(found.c, found.one)) > 0.1
    bayes = found.F((found.ideal * found.x).sum(axis=1) / found.best, found.best)
    assert found.distance(bayes) < 0.0138                                       # more only once in 1,000 times
    assert np.corrcoef(np.log(found.kappa), np.log(found.best))[0, 1] > 0.95
    assert 0.6 < np.median((found.kappa / found.best)[found.best > 60]) < 1         # the largest are too small
    assert found.best_loss < found.found_loss < found.best_loss + 0.15
    assert found.distance(np.array([0.1, 0.2])) == pytest.approx(0.8)
