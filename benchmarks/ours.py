"""tinygrad_nuc as it takes part: on the CPU, on a GPU, and on a GPU with the whole step captured."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
from competitor import COMPARED_NUMBERS, Competitor
from workloads import CHAIN, Workload

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

NAMES = {"cpu": "tinygrad_nuc, CPU", "gpu": "tinygrad_nuc, GPU", "captured": "tinygrad_nuc, GPU, captured"}
GPU = "cuda"                    # where tensors and models go


def why_no_gpu() -> str:
    """Empty if there is one."""
    if not hasattr(tn, "cuda"):
        return "this version of tinygrad_nuc has no tn.cuda"
    if not tn.cuda.is_available():
        return str(tn.cuda.why_unavailable()) if hasattr(tn.cuda, "why_unavailable") else "no GPU that CuPy can use"
    return ""


def set_precision(precision: str) -> None:
    """For all matrix products from here on; the CPU knows one precision only."""
    if hasattr(tn, "set_float32_matmul_precision"):
        tn.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    elif precision == "tf32":
        raise RuntimeError("this version of tinygrad_nuc has no switch for TF32")


def placed(a: np.ndarray, device: str, requires_grad: bool = False) -> tn.Tensor:
    tensor = tn.tensor(a)
    if device != "cpu":
        tensor = tensor.to(GPU)
    return tensor.detach().requires_grad_(requires_grad)


def make(w: Workload, which: str) -> Competitor:
    """`which` is "cpu", "gpu" or "captured"."""
    device = "cpu" if which == "cpu" else "gpu"
    set_precision(w.precision)
    step, data, numbers = (elementwise if w.elementwise else training)(w, device)
    reason: Callable[[], str] = lambda: ""
    if which == "captured":
        captured = step = tn.cuda.capture(step)
        reason = lambda: captured.reason or ("" if captured.replays else "no call of it was made in one launch")
    batches = cycle(data)
    return Competitor(NAMES[which], device, lambda: step(*next(batches)), numbers,
                      tn.cuda.synchronize if device == "gpu" else lambda: None,
                      lambda: set_precision(w.precision), reason)


def network(w: Workload) -> nn.Sequential:
    weights = w.weights()
    layers: list[nn.Module] = []
    for weight, bias in zip(weights[::2], weights[1::2], strict=True):
        outputs, inputs = weight.shape[:2]
        if weight.ndim == 4:
            layer: nn.Module = nn.Conv2d(inputs, outputs, 3, padding=1)
        else:
            layer = nn.Linear(inputs, outputs)
        layer.load_state_dict({"weight": tn.tensor(weight), "bias": tn.tensor(bias)})
        layers += [layer, nn.Tanh() if w.activation == "tanh" else nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if weight.ndim == 4 else []
    if w.kind == "cnn":
        layers.insert(6, nn.Flatten())
    return nn.Sequential(*layers[:-1])


def training(w: Workload, device: str) -> tuple[Callable, list[tuple], Callable]:
    """A training step step(x, y) → loss, its batches, and how to read its result."""
    model = network(w)
    if device != "cpu":
        model.to(GPU)
    params = list(model.parameters())
    optimizer = {"adam": lambda: optim.Adam(params, lr=w.lr), "sgd": lambda: optim.SGD(params, lr=w.lr),
                 "momentum": lambda: optim.SGD(params, lr=w.lr, momentum=0.9)}[w.optimizer]()
    loss_of = {"mse": lambda z, y: nn.functional.mse_loss(tn.sigmoid(z), y),
               "bce": nn.functional.binary_cross_entropy_with_logits,
               "cross_entropy": nn.functional.cross_entropy}[w.loss]

    def step(x: tn.Tensor, y: tn.Tensor) -> tn.Tensor:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step, [(placed(x, device), placed(y, device)) for x, y in w.data()], lambda loss: [float(loss)]


def elementwise(w: Workload, device: str) -> tuple[Callable, list[tuple], Callable]:
    """Forward and backward through elementwise operations, or Adam's step alone.

    It has an input that it does not use, as a step without any is not captured.
    """
    x = placed(w.data()[0][0], device, requires_grad=True)
    unused = [(placed(np.ones(1, np.float32), device),)]
    if w.kind == "adam":
        optimizer = optim.Adam([x], lr=w.lr)
        x.grad = placed(w.data()[0][0], device)

        def update(_: tn.Tensor) -> tn.Tensor:
            optimizer.step()
            return x.detach()

        return update, unused, few

    forget = optim.SGD([x], lr=1.0).zero_grad       # it makes no step

    def step(_: tn.Tensor) -> tn.Tensor:
        forget()
        result = (nn.functional.gelu(x) if w.kind == "gelu" else chain(x)).sum()
        result.backward()
        return result.detach()

    return step, unused, lambda loss: [float(loss), *few(x.grad)]


def chain(x: tn.Tensor) -> tn.Tensor:
    h = x
    for name, constant in CHAIN:
        if name in ("mul", "mul_x"):
            h = h * (x if constant is None else constant)
        elif name in ("add", "add_x"):
            h = h + (x if constant is None else constant)
        else:
            h = getattr(tn, name)(h)
    return h


def few(x: tn.Tensor) -> list[float]:
    """The mean of the first numbers, and of their squares."""
    values = x.detach()[:COMPARED_NUMBERS].cpu().numpy().astype(np.float64)
    return [float(values.mean()), float(np.square(values).mean())]
