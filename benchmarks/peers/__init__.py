"""Who takes part on a CPU: a module for each, imported in a process of its own.

A module has a function for each kind of workload that it can do (see KINDS): it gets the `Workload`, and returns a
step, a function of no arguments. A missing function, or NotImplementedError with a reason, is a gap in the table. It
may have

    wait(result)        until what the step began is done
    to_numpy(value)     one returned value as an array (default: numpy.asarray)
    VERSION             of the library
"""

from dataclasses import dataclass

KINDS = {"mlp": "training", "cnn": "training", "chain": "elementwise", "scalars": "scalars", "hvp": "hessian_vector"}


@dataclass(frozen=True)
class Engine:
    title: str
    module: str                     # in this folder
    ours: bool = False
    by_default: bool = True
    thresholds: str = "steady"      # when memory that is freed is kept: "steady" regime, or "always"


ENGINES = {
    "ours": Engine("tinygrad_nuc", "eager", ours=True),
    "ours-kept": Engine("tinygrad_nuc, keep_freed_memory()", "eager", ours=True, thresholds="always"),
    "compiled": Engine("tinygrad_nuc, tn.compile", "compiled", ours=True),
    "numpy": Engine("NumPy by hand", "numpy_straightforward"),
    "numpy-optimised": Engine("NumPy by hand, optimised", "numpy_optimised"),
    "numpy-blocked": Engine("NumPy by hand, in blocks", "numpy_blocked"),
    "pytorch": Engine("PyTorch", "pytorch"),
    "jax": Engine("JAX, jit", "with_jax"),
    "mygrad": Engine("MyGrad", "with_mygrad"),
    "autograd": Engine("autograd", "with_autograd"),
    "dezero": Engine("DeZero", "with_dezero"),
    "scikit-learn": Engine("scikit-learn", "with_sklearn"),
}
REFERENCE = "reference"             # numpy_straightforward in float64: never timed
