"""Kernels: what runs a rule on a GPU in one launch, or in few. The NumPy rule stays the reference in every test.

tracing.py, cuda_text.py    a rule is given symbols, and what it writes down becomes the text of CUDA
elementwise.py              so every rule that treats its elements one by one becomes one kernel, by itself
updates.py                  and so does the formula of every optimizer, over all parameters at once
matmul.py, rows.py, ...     the others are written by hand, each keyed to the rule that it computes

`use_kernels` switches all of them off: the rules themselves then run on the GPU, as NumPy expressions, for whoever
wants to step through them there.
"""

from ...engine import accelerator


def install() -> None:
    """From now on the engine asks for a kernel before it runs a rule: called when a GPU is first used."""
    # each enters its own
    from . import affine, convolution, gaps, joining, labels, normalising, pooling, rows, sums  # noqa: F401
    from .registry import version_of
    from .updates import take_step
    accelerator.version_of, accelerator.take_step = version_of, take_step


def uninstall() -> None:
    """Back to the rules as they stand."""
    accelerator.version_of = accelerator.take_step = None
