"""NumPy's functions on Tensors, and those built like them, say what does not fit."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.operations.logic import place_of_out
from tinygrad_nuc.operations.statistics import nanmean

A = tn.tensor(np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]]))


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: np.histogram(A, 3, weights=A[0]), ValueError, r"histogram: values of shapes \[.*6.*\] need as many weights"),
    (lambda: np.block([A, [A]]), ValueError, "block: all tensors must stand equally deep"), (lambda: np.block([[A], []]), ValueError, "block: a list is empty"),
    (lambda: np.partition(A, 3), ValueError, "partition: there is no place 3 among the 3 of axis -1|axis 1"),
    (lambda: np.apply_along_axis(np.sum, 1, A[:0]), ValueError, r"apply_along_axis: shape \(0, 3\) has no values beside axis 1"),
    (lambda: np.linspace(A[0], 1.0, -1), ValueError, "linspace: the number of points must not be negative, and is -1"),
    (lambda: np.gradient(A, axis=0, edge_order=2), ValueError, r"gradient: axis 0 of shape \(2, 3\) has too few points; edge_order 2 needs"),
    (lambda: np.gradient(A, edge_order=3), ValueError, "gradient: edge_order must be 1 or 2, not 3"),
    (lambda: np.convolve(A[0], A[1, :0]), ValueError, "convolve: there are no values in one of the vectors"),
    (lambda: np.logspace(0.0, A[0], 3, base=A[0]), ValueError, r"logspace: the base is a single number, not of shape \(3,\)"),
    (lambda: np.interp(A[0], [0.0, 1.0], [1.0]), ValueError, r"interp: needs as many values as points.*\(1,\) and \(2,\)"),
    (lambda: np.cov(A[None]), ValueError, r"cov: expects a matrix.*\(1, 2, 3\)"),
    (lambda: np.cov(A, aweights=[1.0, 2.0]), ValueError, r"cov: 3 observations need as many weights, and these have shape \(2,\)"),
    (lambda: np.average(A, weights=A[0]), ValueError, r"average: weights of shape \(3,\) do not fit values of shape \(2, 3\)"),
    (lambda: A[:, :2].cross(A[:, 1:]), ValueError, r"cross: none of the dimensions of \(2, 2\) has length 3"),
    (lambda: tn.linalg.multi_dot([A]), ValueError, "multi_dot: needs at least two matrices, not 1"),
])
def test_what_does_not_fit_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_mean_of_whole_numbers_knows_no_nan():
    assert nanmean(tn.tensor([[1, 2], [4, 8]]), dim=0).tolist() == [2.5, 5.0]


def test_where_out_stands_among_the_arguments():
    assert place_of_out(np.argmax) == 2 and place_of_out(np.argsort) is None
    assert place_of_out(dict) is None           # in C, without a signature, as some functions of older NumPys are
