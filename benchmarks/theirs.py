"""PyTorch as it takes part: on the CPU, on a GPU, and on a GPU under its own CUDA graphs; only if it is installed."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
from competitor import COMPARED_NUMBERS, Competitor
from workloads import CHAIN, Workload

try:
    import torch
except ImportError:
    torch = None

NAMES = {"cpu": "PyTorch, CPU", "gpu": "PyTorch, GPU", "captured": "PyTorch, GPU, CUDA graph"}
WARM_UP = 3                     # steps before a capture, as PyTorch's documentation has it


def why_not() -> str:
    """Empty if PyTorch is installed."""
    return "" if torch is not None else "PyTorch is not installed"


def why_no_gpu() -> str:
    """Empty if it has one."""
    if torch is None:
        return why_not()
    return "" if torch.cuda.is_available() else f"PyTorch {torch.__version__} here finds no GPU that it can use"


def set_precision(precision: str) -> None:
    """TF32 in products and convolutions, or nowhere: PyTorch's own default allows it in convolutions only."""
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def make(w: Workload, which: str) -> Competitor:
    """`which` is "cpu", "gpu" or "captured"."""
    device = "cpu" if which == "cpu" else "cuda"
    set_precision(w.precision)
    step, data, restore, numbers = (elementwise if w.elementwise else training)(w, device, which == "captured")
    if which == "captured":
        step = graphed(step, data, restore)
    batches = cycle(data)
    return Competitor(NAMES[which], "cpu" if which == "cpu" else "gpu", lambda: step(*next(batches)), numbers,
                      torch.cuda.synchronize if device == "cuda" else lambda: None,
                      lambda: set_precision(w.precision))


def graphed(step: Callable, data: list[tuple], restore: Callable[[], None]) -> Callable:
    """The step as one CUDA graph; the steps that a capture needs beforehand are undone."""
    inputs = [torch.empty_like(a).copy_(a) for a in data[0]]
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(WARM_UP):
            step(*inputs)
        restore()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = step(*inputs)

    def replay(*batch: Any) -> Any:
        for own, given in zip(inputs, batch, strict=True):
            own.copy_(given)
        graph.replay()
        return result

    return replay


def network(w: Workload) -> Any:
    weights = w.weights()
    layers: list[Any] = []
    for weight, bias in zip(weights[::2], weights[1::2], strict=True):
        outputs, inputs = weight.shape[:2]
        layer = (torch.nn.Conv2d(inputs, outputs, 3, padding=1) if weight.ndim == 4 else
                 torch.nn.Linear(inputs, outputs))
        layer.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
        layers += [layer, torch.nn.Tanh() if w.activation == "tanh" else torch.nn.ReLU()]
        layers += [torch.nn.MaxPool2d(2)] if weight.ndim == 4 else []
    if w.kind == "cnn":
        layers.insert(6, torch.nn.Flatten())
    return torch.nn.Sequential(*layers[:-1])


def start_again(params: list[Any], optimizer: Any) -> Callable[[], None]:
    """A function that brings numbers and averages back to where they are now and to zero, in the same memory."""
    first = [p.detach().clone() for p in params]

    @torch.no_grad()
    def restore() -> None:
        for p, values in zip(params, first, strict=True):
            p.copy_(values)
        for state in optimizer.state.values():
            for value in state.values():
                if torch.is_tensor(value):
                    value.zero_()

    return restore


def training(w: Workload, device: str, capturable: bool) -> tuple[Callable, list[tuple], Callable, Callable]:
    """A training step step(x, y) → loss, its batches, how to start again, and how to read its result."""
    model = network(w).to(device)
    params = list(model.parameters())
    optimizer = {"adam": lambda: torch.optim.Adam(params, lr=w.lr, capturable=capturable),
                 "sgd": lambda: torch.optim.SGD(params, lr=w.lr),
                 "momentum": lambda: torch.optim.SGD(params, lr=w.lr, momentum=0.9)}[w.optimizer]()
    functional = torch.nn.functional
    loss_of = {"mse": lambda z, y: functional.mse_loss(torch.sigmoid(z), y),
               "bce": functional.binary_cross_entropy_with_logits,
               "cross_entropy": functional.cross_entropy}[w.loss]

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    data = [(torch.tensor(x, device=device), torch.tensor(y, device=device)) for x, y in w.data()]
    restore = start_again(params, optimizer) if capturable else lambda: None
    return step, data, restore, lambda loss: [float(loss)]


def elementwise(w: Workload, device: str, capturable: bool) -> tuple[Callable, list[tuple], Callable, Callable]:
    """A step without arguments: forward and backward through elementwise operations, or Adam's step alone."""
    values = w.data()[0][0]
    x = torch.tensor(values, device=device).requires_grad_()
    if w.kind == "adam":
        optimizer = torch.optim.Adam([x], lr=w.lr, capturable=capturable)
        x.grad = torch.tensor(values, device=device)

        def update() -> Any:
            optimizer.step()
            return x

        return update, [()], start_again([x], optimizer) if capturable else lambda: None, few

    def step() -> Any:
        x.grad = None
        result = (torch.nn.functional.gelu(x) if w.kind == "gelu" else chain(x)).sum()
        result.backward()
        return result.detach()

    return step, [()], lambda: None, lambda loss: [float(loss), *few(x.grad)]


def chain(x: Any) -> Any:
    h = x
    for name, constant in CHAIN:
        if name in ("mul", "mul_x"):
            h = h * (x if constant is None else constant)
        elif name in ("add", "add_x"):
            h = h + (x if constant is None else constant)
        else:
            h = getattr(torch, name)(h)
    return h


def few(x: Any) -> list[float]:
    """The mean of the first numbers, and of their squares."""
    values = x.detach()[:COMPARED_NUMBERS].cpu().numpy().astype(np.float64)
    return [float(values.mean()), float(np.square(values).mean())]


def release() -> None:
    """Give memory back to the GPU that nobody uses."""
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()

