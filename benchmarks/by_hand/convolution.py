"""W6 with nothing allocated: images as (channel, row, column, sample), so that every window is a contiguous copy.

Pooling compares whole numbers: positive floating-point numbers have the order of their bits, and whatever is negative
loses against zero, so that the largest of four places and 0 is ReLU and pooling at once, without looking for NaN.
"""

import numpy as np
from numpy.typing import NDArray
from workloads import Workload

from by_hand.flat import Calls, Flat
from by_hand.loss_calls import Loss, cross_entropy

SIZE = 28                       # rows and columns of an image
PLACES = [(i, j) for i in range(3) for j in range(3)]           # in a window
ZERO = np.array(0, np.int32)


def programs(w: Workload) -> tuple[Flat, list[tuple[Calls, Loss]]]:
    """Parameters, and calls and loss for each batch; arrays are shared by all of them."""
    given = w.weights()
    flat = Flat([(len(a), a[0].size + 1) for a in given[::2]], w)
    for p, weight, bias in zip(flat.parameters, given[::2], given[1::2], strict=True):
        p[:, :-1], p[:, -1] = weight.reshape(len(weight), -1), bias
    (kernel1, kernel2, weight), (dkernel1, dkernel2, dweight) = flat.parameters, flat.gradients
    n, half, quarter = w.batch, SIZE // 2, SIZE // 4
    first = Layer(1, len(kernel1), SIZE, n)
    second = Layer(len(kernel1), len(kernel2), half, n)
    features = quarter * quarter * len(kernel2)
    flat_h = np.ones((features + 1, n), np.float32)             # the last row is the bias's
    h2 = flat_h[:-1].reshape(len(kernel2), quarter, quarter, n)
    dflat_h = np.empty((features, n), np.float32)
    scores, error = (np.empty((len(weight), n), np.float32) for _ in range(2))
    dcolumns = np.empty((second.columns.shape[0] - 1, *second.columns.shape[1:]), np.float32)
    dpadded = np.empty_like(second.padded)

    result = []
    for x, y in w.data():
        forward = first.forward(np.ascontiguousarray(x.transpose(1, 2, 3, 0)), kernel1, second.inner)
        forward += second.forward(None, kernel2, h2)
        forward += [(weight.dot, (flat_h, scores)), (np.negative, (scores, scores))]
        loss_calls, loss = cross_entropy(scores, y, error, flat.scale)      # takes −z and gives −dL/dz
        backward: Calls = [(np.negative, (error, error)), (error.dot, (flat_h.T, dweight)),
                           (np.matmul, (weight[:, :-1].T, error, dflat_h))]
        backward += second.backward(dflat_h.reshape(h2.shape), h2, dkernel2)
        backward.append((np.matmul, (kernel2[:, :-1].T, matrix(second.dz), matrix(dcolumns))))
        backward += second.folded(dcolumns, dpadded)
        backward += first.backward(dpadded[:, 1:-1, 1:-1], second.inner, dkernel1)
        result.append((forward + loss_calls + backward, loss))
    return flat, result


def matrix(a: NDArray) -> NDArray:
    return a.reshape(len(a), -1)


def larger(a: NDArray, b: NDArray, out: NDArray) -> None:
    np.maximum(a, b, out=out)           # the one function whose `out` must be named


def quarters(a: NDArray) -> list[NDArray]:
    """The four places of each 2 × 2 block."""
    return [a[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]


class Layer:
    """Convolution 3 × 3 with a border of zeros, ReLU and pooling 2 × 2: its arrays, and its calls."""

    def __init__(self, channels: int, filters: int, size: int, n: int) -> None:
        self.channels, self.size = channels, size
        self.padded = np.zeros((channels, size + 2, size + 2, n), np.float32)
        self.inner = self.padded[:, 1:-1, 1:-1]
        self.columns = np.ones((9 * channels + 1, size, size, n), np.float32)       # the last row is the bias's
        self.z, self.dz = (np.empty((filters, size, size, n), np.float32) for _ in range(2))
        self.work = np.empty((filters, size // 2, size // 2, n), np.int32)
        self.found = np.empty(self.work.shape, bool)

    def forward(self, x: NDArray | None, kernel: NDArray, h: NDArray) -> Calls:
        """From the images, or from what the layer below put into `inner`, to `h`."""
        calls: Calls = [] if x is None else [(np.copyto, (self.inner, x))]
        windows = self.columns[:-1].reshape(self.channels, 9, self.size, self.size, -1)
        for k, (i, j) in enumerate(PLACES):
            calls.append((np.copyto, (windows[:, k], self.padded[:, i:i + self.size, j:j + self.size])))
        calls.append((kernel.dot, (matrix(self.columns), matrix(self.z))))
        a, b, c, d = quarters(self.z.view(np.int32))
        bits = h.view(np.int32)
        return calls + [(larger, (a, b, bits)), (larger, (c, d, self.work)),
                        (larger, (bits, self.work, bits)), (larger, (bits, ZERO, bits))]

    def backward(self, dh: NDArray, h: NDArray, dkernel: NDArray) -> Calls:
        """dL/dz goes where z is what was found largest; where ReLU gave 0 nothing is, as z is negative there."""
        calls: Calls = []
        for z, dz in zip(quarters(self.z.view(np.int32)), quarters(self.dz), strict=True):
            calls += [(np.equal, (z, h.view(np.int32), self.found)), (np.multiply, (dh, self.found, dz))]
        return [*calls, (matrix(self.dz).dot, (matrix(self.columns).T, dkernel))]

    def folded(self, dcolumns: NDArray, dpadded: NDArray) -> Calls:
        """Each number gets what all windows that show it have to say."""
        calls: Calls = [(dpadded.fill, (0,))]
        windows = dcolumns.reshape(self.channels, 9, self.size, self.size, -1)
        for k, (i, j) in enumerate(PLACES):
            part = dpadded[:, i:i + self.size, j:j + self.size]
            calls.append((np.add, (part, windows[:, k], part)))
        return calls
