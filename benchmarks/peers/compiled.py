"""tinygrad_nuc with the whole step made into a plan (tn.compile), which is replayed."""

from collections.abc import Callable
from typing import Any

from workloads import Workload

import tinygrad_nuc as tn
from peers import eager
from peers.eager import VERSION, to_numpy  # noqa: F401


def compiled(step: Callable) -> Callable:
    if not hasattr(tn, "compile"):
        raise NotImplementedError("this version of tinygrad_nuc has no tn.compile")
    return tn.compile(step)


def training(w: Workload) -> Callable[[], Any]:
    return eager.training(w, compiled)


def elementwise(w: Workload) -> Callable[[], Any]:
    return eager.elementwise(w, compiled)


def scalars(w: Workload) -> Callable[[], Any]:
    raise NotImplementedError("ten thousand operations on one number are no step to compile")


def hessian_vector(w: Workload) -> Callable[[], Any]:
    return eager.hessian_vector(w, compiled)
