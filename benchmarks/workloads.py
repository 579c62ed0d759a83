"""What is computed: the same weights, data, optimizer and precision for every library and device that takes part."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

SEED = 0
FLOAT = 4                       # bytes of a float32 number
WIDTHS = tuple(2 ** k for k in range(6, 14))                    # 64 … 8192
BATCHES = tuple(2 ** k for k in range(5, 17))                   # 32 … 65536

# Twenty elementwise operations. How many arrays a kernel for each must read and write, forward and backward: h * c and
# h + c read one and write one; a gradient that depends on the operation's value reads that too; h + c passes it on.
CHAIN = (("mul", 1.1), ("add", 0.1), ("tanh", None), ("square", None), ("log1p", None), ("exp", None), ("mul", 0.5),
         ("tanh", None), ("add_x", None), ("mul_x", None), ("tanh", None), ("exp", None), ("log1p", None),
         ("square", None), ("mul", 0.3), ("add", 0.5), ("exp", None), ("log1p", None), ("tanh", None), ("mul_x", None))
PASSES = {"mul": 2 + 2, "add": 2 + 0, "tanh": 2 + 3, "square": 2 + 3, "log1p": 2 + 3, "exp": 2 + 3,
          "add_x": 3 + 0, "mul_x": 3 + 6}
GELU_PASSES = 2 + 1 + 2         # x → y; y → its sum; x and the gradient of y, one number → the gradient of x
ADAM_PASSES = 4 + 3             # number, gradient and two averages are read; all but the gradient are written


@dataclass(frozen=True)
class Workload:
    """A training step, or a forward and backward pass; `kind` says how it is built (see ours.py and theirs.py)."""

    name: str
    title: str
    kind: str                               # "mlp", "cnn", "chain", "gelu", "adam", "scalars", "hvp"
    widths: tuple[int, ...] = ()
    batch: int = 1                          # for the elementwise kinds: how many numbers; for scalars: operations
    activation: str = "relu"
    loss: str = "cross_entropy"             # "mse" (of a sigmoid), "bce" (of logits), "cross_entropy" (of logits)
    optimizer: str = "adam"                 # "sgd", "momentum"
    lr: float = 1e-3
    batches: int = 2                        # different ones, in turns
    precision: str = "float32"              # or "tf32": PyTorch's "high"
    compared: int = 10                      # steps before the results are compared; captured from the third on
    tolerance: float = 1e-3                 # relative, between the losses
    sweep: bool = False

    @lru_cache(maxsize=1)           # everybody asks for the same ones, one after the other
    def weights(self) -> list[NDArray]:
        """Weight and bias of one layer after the other, in PyTorch's layout; all with the seed of the program."""
        rng = np.random.default_rng(SEED)

        def uniform(shape: tuple[int, ...], inputs: float) -> NDArray:
            bound = np.float32(1 / np.sqrt(inputs))
            values = rng.random(shape, dtype=np.float32)
            values *= 2 * bound
            values -= bound
            return values

        return [a for shape in self.weight_shapes
                for a in (uniform(shape, np.prod(shape[1:])), uniform(shape[:1], np.prod(shape[1:])))]

    @lru_cache(maxsize=1)
    def data(self) -> list[tuple[NDArray, NDArray]]:
        """Batches (x, y); the elementwise kinds have one x and no y, and y of "hvp" is a direction for each x."""
        rng = np.random.default_rng(SEED + 1)
        if self.elementwise:
            x = rng.random(self.batch, dtype=np.float32)
            x += np.float32(0.1)
            return [(x, np.zeros(0, np.float32))]
        if self.kind == "scalars":
            return [(np.ones((), np.float32), np.zeros(0, np.float32))]
        if self.kind == "hvp":
            x, v = rng.standard_normal((2, self.batch, self.widths[0]), dtype=np.float32)
            return [(x, v)]
        if self.loss == "mse":
            return [(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32),
                     np.array([[0], [1], [1], [0]], np.float32))]
        shape = (1, 28, 28) if self.kind == "cnn" else (self.widths[0],)
        teacher = rng.standard_normal((min(int(np.prod(shape)), 64), max(self.widths[-1], 2)), dtype=np.float32)
        result = []
        for _ in range(self.batches):
            x = rng.standard_normal((self.batch, *shape), dtype=np.float32)
            y = (x.reshape(self.batch, -1)[:, :len(teacher)] @ teacher).argmax(axis=1)
            result.append((x, y.astype(np.float32)[:, None] if self.loss == "bce" else y))
        return result

    @property
    def elementwise(self) -> bool:
        return self.kind in ("chain", "gelu", "adam")

    @property
    def weight_shapes(self) -> list[tuple[int, ...]]:
        if self.elementwise or self.kind == "scalars":
            return []
        if self.kind == "cnn":
            return [(16, 1, 3, 3), (32, 16, 3, 3), (10, 1568)]
        return [(o, i) for i, o in zip(self.widths, self.widths[1:], strict=False)]

    @property
    def parameters(self) -> int:
        return sum(int(np.prod(shape)) + shape[0] for shape in self.weight_shapes)

    @cached_property
    def products(self) -> list[tuple[int, int, int, str]]:
        """The matrix products (m, k, n, which) of a step: m × k numbers times k × n.

        Forward x Wᵀ; backward (dz)ᵀ x for the weights and, but for the first layer, dz W for what came in. A
        convolution has as many multiplications as the product of its unfolded input with its weights.
        """
        rows = [self.batch] * len(self.weight_shapes)
        if self.kind == "cnn":
            rows[:2] = self.batch * 28 * 28, self.batch * 14 * 14
        result = []
        for layer, (m, (outputs, *inputs)) in enumerate(zip(rows, self.weight_shapes, strict=True)):
            k = int(np.prod(inputs))
            result += [(m, k, outputs, "forward"), (outputs, m, k, "weights")]
            if layer:
                result.append((m, outputs, k, "inputs"))
        return result

    @property
    def flops(self) -> int:
        """Multiplications and additions of the matrix products in a step."""
        return sum(2 * m * k * n for m, k, n, _ in self.products)

    @property
    def bytes_each_kernel(self) -> int | None:
        """Of an elementwise workload: what one kernel for each operation and each derivative has to read and write."""
        if self.kind == "chain":
            # The sum reads once; its gradient is one number, so the last product reads two arrays less; and of the four
            # uses of x all but the first add to a gradient that is there: they read two and write one.
            return FLOAT * self.batch * (sum(PASSES[name] for name, _ in CHAIN) + 1 - 2 + 3 * 3)
        passes = {"gelu": GELU_PASSES, "adam": ADAM_PASSES}
        return FLOAT * self.batch * passes[self.kind] if self.kind in passes else None

    @property
    def bytes_one_kernel(self) -> int | None:
        """What is left if all of it were one kernel forward and one backward: x twice, and the gradient of x."""
        return FLOAT * self.batch * (ADAM_PASSES if self.kind == "adam" else 3) if self.elementwise else None

    @property
    def least_bytes(self) -> int:
        """What a step reads and writes at the very least.

        Of a network: each weight in the forward and backward pass, its gradient written, and the optimizer's update; x
        twice, and each layer's activations written, read forward, read backward, and their gradient written and read.
        """
        if self.elementwise:
            return self.bytes_one_kernel or 0
        update = {"adam": ADAM_PASSES, "momentum": 5, "sgd": 3}[self.optimizer]
        if self.kind == "cnn":
            first, hidden = 28 * 28, 16 * 28 * 28 + 32 * 14 * 14
        else:
            first, hidden = self.widths[0], sum(self.widths[1:])
        return FLOAT * (self.parameters * (3 + update) + self.batch * (2 * first + 5 * hidden))

    @property
    def memory(self) -> int:
        """About how many bytes one library takes for it: enough to leave out what will not fit."""
        if self.elementwise:
            return FLOAT * self.batch * {"chain": 30, "gelu": 12, "adam": 12}[self.kind]
        columns = 9 * (28 * 28 + 16 * 14 * 14) if self.kind == "cnn" else 0
        states = {"adam": 2, "momentum": 1, "sgd": 0}[self.optimizer]
        activations = 5 * sum(self.widths) + 3 * columns + (20 * 28 * 28 * 5 if columns else 0)
        return FLOAT * (self.parameters * (4 + states) + self.batch * (activations + self.batches * self.widths[0]))


SMALL = Workload("", "", "mlp", (3, 64, 64, 1), 256, loss="bce", batches=4, compared=20)
MIDDLE = Workload("", "", "mlp", (784, 512, 256, 10), 128, batches=4)
LARGE = Workload("", "", "mlp", (1024, 2048, 2048, 10), 4096, optimizer="momentum", lr=0.01, compared=5)
CNN = Workload("", "", "cnn", (784, 10), 64)
TF32 = {"precision": "tf32", "tolerance": 2e-2}
ON_GPUS = 2 ** 26               # numbers, 256 MB: no cache holds them, and a launch takes no time beside them

NAMED = {w.name: w for w in (
    Workload("W1", "2-2-1 tanh, MSE, batch 4, SGD", "mlp", (2, 2, 1), 4, "tanh", "mse", "sgd", 0.1, 1, compared=20),
    replace(SMALL, name="W2", title="3-64-64-1, batch 32, Adam", batch=32),
    replace(SMALL, name="M1", title="3-64-64-1, batch 256, Adam"),
    replace(SMALL, name="W3", title="3-64-64-1, batch 4096, Adam", batch=4096, batches=2),
    replace(MIDDLE, name="W4", title="784-512-256-10, batch 128, Adam"),
    replace(LARGE, name="W5", title="1024-2048-2048-10, batch 512, momentum", batch=512),
    replace(LARGE, name="M2", title="1024-2048-2048-10, batch 4096, momentum"),
    replace(LARGE, name="M2-tf32", title="1024-2048-2048-10, batch 4096, momentum, TF32", **TF32),
    replace(CNN, name="W6", title="CNN 28×28, 16 and 32 filters, batch 64, Adam"),
    replace(CNN, name="W6-tf32", title="CNN 28×28, 16 and 32 filters, batch 64, Adam, TF32", **TF32),
    Workload("W7", "20 elementwise operations on 10⁶ numbers", "chain", batch=10 ** 6, compared=5),
    Workload("E1", "20 elementwise operations on 2²⁶ numbers", "chain", batch=ON_GPUS, compared=5),
    Workload("E2", "GELU of 2²⁶ numbers, forward and backward", "gelu", batch=ON_GPUS, compared=5),
    Workload("E3", "Adam's step for 2²⁶ numbers", "adam", batch=ON_GPUS, compared=5),
)}

# What can be compared on a CPU alone, between engines (engines.py): W1 to W7 of these, and two more.
ON_CPUS = {name: NAMED[name] for name in ("W1", "W2", "W3", "W4", "W5", "W6", "W7")} | {w.name: w for w in (
    Workload("W8", "chain of 10,000 operations on one number", "scalars", batch=10_000, compared=2),
    Workload("W9", "Hessian-vector product, 3-64-64-1 tanh, batch 32", "hvp", (3, 64, 64, 1), 32, "tanh", compared=2),
)}
SCALARS = (1.0001, 0.0001)      # W8 multiplies by the one and adds the other, in turns


def tiny(w: Workload) -> Workload:
    """The same with less to do, for a quick look at whether everything runs; its name says so."""
    smaller = {"M2": 128, "M2-tf32": 128, "W5": 128, "W6": 8, "W6-tf32": 8, "W3": 512, "E1": 2 ** 18, "E2": 2 ** 18,
               "E3": 2 ** 18, "W7": 10 ** 5, "W8": 500}
    if w.name not in smaller:
        return w
    return replace(w, title=f"{w.title} (quick: {smaller[w.name]:,})", batch=smaller[w.name])


def swept(width: int, batch: int) -> Workload:
    """One point of the sweep: width-width-width-10 with ReLU, cross-entropy and Adam."""
    return Workload(f"{width}x{batch}", f"{width}-{width}-{width}-10, batch {batch}, Adam", "mlp",
                    (width, width, width, 10), batch, lr=1e-4, batches=1, compared=5, tolerance=1e-2, sweep=True)
