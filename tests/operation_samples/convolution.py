"""Convolution and the two operations of its derivatives, each beside a loop over every pixel of every window."""

import numpy as np
from hypothesis import strategies as st
from operation_samples.strategies import Sample, mostly, values

from tinygrad_nuc.engine.registry import table as ops
from tinygrad_nuc.operations.convolution import Windows


@st.composite
def lying(draw):
    """Windows on an image, and the shapes of images, weights and results; some windows reach beyond the image."""
    size, stride, dilation = (tuple(draw(st.integers(1, 2)) for _ in range(2)) for _ in range(3))
    padding = tuple(draw(st.integers(0, 2)) for _ in range(2))
    spans = tuple((p - 1) * d + 1 for p, d in zip(size, dilation, strict=True))
    image = tuple(max(1, span - 2 * p) + draw(st.integers(0, 2)) for span, p in zip(spans, padding, strict=True))
    places = tuple((n + 2 * p - span) // s + 1 + draw(mostly(st.just(0), st.just(1)))
                   for n, p, span, s in zip(image, padding, spans, stride, strict=True))
    groups, channels, filters = (draw(st.integers(1, 2)) for _ in range(3))
    n = draw(mostly(st.integers(1, 2), st.just(0)))
    settings = {"windows": Windows(image, size, places, stride, padding, dilation), "groups": groups}
    shapes = {"images": (n, groups * channels, *image), "weights": (groups * filters, channels, *size),
              "bias": (groups * filters,), "results": (n, groups * filters, *places)}
    return shapes, settings


@st.composite
def lying_of(draw, *names):
    shapes, settings = draw(lying())
    return draw(values([shapes[name] for name in names])), settings


def connections(windows, weights, groups):
    """Which values meet: (place i, j), (pixel p, q of the window, filter o, channel c of the filter), (channel, row, column)."""
    for i, j in np.ndindex(*windows.places):
        for p, q in np.ndindex(*windows.size):
            row, column = (k * s + m * d - t for k, s, m, d, t in zip((i, j), windows.stride, (p, q), windows.dilation, windows.padding,
                                                                     strict=True))
            if 0 <= row < windows.image[0] and 0 <= column < windows.image[1]:
                for o, c in np.ndindex(*weights[:2]):
                    yield (o, i, j), (o, c, p, q), (o * groups // weights[0] * weights[1] + c, row, column)


def convolved(a, w, b, windows, groups):
    y = np.zeros((len(a), len(w), *windows.places)) + b[:, None, None]
    for result, weight, pixel in connections(windows, w.shape, groups):
        y[:, *result] += w[weight] * a[:, *pixel]
    return y


def drawn(a, w, windows, groups):
    y = np.zeros((len(a), groups * w.shape[1], *windows.image))
    for result, weight, pixel in connections(windows, w.shape, groups):
        y[:, *pixel] += w[weight] * a[:, *result]
    return y


def multiplied(a, b, windows, groups):
    y = np.zeros((a.shape[1], b.shape[1] // groups, *windows.size))
    for result, weight, pixel in connections(windows, y.shape, groups):
        y[weight] += np.sum(a[:, *result] * b[:, *pixel])
    return y


SAMPLES = {
    ops.Convolution: Sample(lying_of("images", "weights", "bias"), convolved),
    ops.TransposedConvolution: Sample(lying_of("results", "weights"), drawn),
    ops.WindowProducts: Sample(lying_of("results", "images"), multiplied),
}
