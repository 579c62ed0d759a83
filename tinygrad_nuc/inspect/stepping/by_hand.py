"""Every step as a line for a pocket calculator: 0.5 · 1.25 − 0.3 · 0.2 = 0.565.

The numbers on the left are shown with as many digits as it takes for a calculator to reach the number on the right
within one unit of its last digit.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...engine.backward import sum_over_copies
from ...optim.sgd import SGD
from .steps import Backward, Node, Store, Update, source_of
from .written import Written, shown, written

DIGITS = 6              # of results
LARGEST = 400           # elements of an array beyond which nothing is written out
LONGEST = 40            # numbers on a line
ROUNDINGS = 256         # by so many of them, each half a unit or so in the last place, a result may be off
EPS = 2.0 ** -52        # of double precision


def of_value(node: Node) -> np.ndarray | None:
    """A line for each element of a result; None where it is too large, or beyond what `Written` numbers can do."""
    if node.operation is None:
        return None
    return lines(lambda: node.operation.forward(*map(given, node.inputs), **node.settings), node.value,
                 [x.value if isinstance(x, Node) else x for x in node.inputs])


def of_share(step: Backward) -> np.ndarray | None:
    """A line for each element of the share that a rule gives to an input."""
    node = step.node

    def fitted() -> Any:
        share = step.rule(written(step.arriving), written(node.value), *map(given, node.inputs), **node.settings)
        share = np.asarray(share, object)
        return share if share.shape == step.to.value.shape else sum_over_copies(share, step.to.value.shape)

    return lines(fitted, step.fitted, [step.arriving, node.value,
                                       *(x.value if isinstance(x, Node) else x for x in node.inputs)])


def of_sum(before: np.ndarray, added: np.ndarray, total: np.ndarray) -> np.ndarray | None:
    """A line for each element of a gradient: what had arrived before, and what is added to it."""
    return lines(lambda: written(before) + written(added), total, [before, added])


def of_store(step: Store, arrived: np.ndarray) -> np.ndarray | None:
    """A line for each element of ``grad``: what it was, and what has arrived."""
    if step.before is None:
        return None
    return of_sum(step.before, arrived, step.after)


def of_update(step: Update) -> np.ndarray | None:
    """A line for each element of an updated parameter; of an optimizer with a memory, only the change is known here."""
    p, g, s = step.node.value, step.gradient, step.settings
    if g is None or p.shape != g.shape:
        return None
    if step.source == source_of(SGD.change) and not (s["momentum"] or s["weight_decay"]):
        change = np.full(p.shape, Written(float(s["lr"]))) * written(g)
        return lines(lambda: written(p) + change if s["maximize"] else written(p) - change, step.after.value, [p])
    return lines(lambda: written(p) + written(step.after.value - p), step.after.value, [p])


def given(x: Any) -> Any:
    """An input as the rule is to get it."""
    if isinstance(x, Node):
        return written(x.value)
    return Written(x) if isinstance(x, float) else written(x) if hasattr(x, "shape") else x


def lines(compute: Callable[[], Any], result: np.ndarray, inputs: Sequence[Any]) -> np.ndarray | None:
    """``expression = result`` for each element."""
    if max((np.size(x) for x in (result, *inputs)), default=0) > LARGEST or result.dtype.kind != "f":
        return None
    try:
        with np.errstate(all="ignore"):
            computed = np.asarray(compute(), object)
    except Exception:           # NumPy's own functions of matrices, for instance, know numbers only
        return None
    if computed.shape != result.shape:
        return None
    texts = np.empty(result.shape, object)
    for index, x in np.ndenumerate(result):
        texts[index] = line(computed[index], float(x), float(np.finfo(result.dtype).eps))
    return texts


def line(expression: Any, result: float, eps: float = EPS) -> str:
    """``expression = result``, with as many digits as needed; "" if a line would not hold them, or would be wrong.

    `eps` is that of the dtype in which the result was rounded.
    """
    if not isinstance(expression, Written):
        expression = Written(float(expression))
    if expression.terms > LONGEST or not math.isfinite(result):
        return ""
    if not expression.symbol:
        return shown(result, DIGITS)
    for digits_right in range(DIGITS, 4, -1):
        right = shown(result, digits_right)
        for digits_left in range(DIGITS, 18):
            if agree(expression.at(digits_left), result, digits_right, expression):
                return f"{expression.text(digits_left)} = {right}"
    if abs(expression.at(17) - result) <= ROUNDINGS * eps * max(map(abs, numbers(expression))):
        return f"{expression.text(17)} ≈ {shown(result, DIGITS)}"      # what is left of it is rounding
    return ""


def agree(calculated: float, result: float, digits: int, expression: Written) -> bool:
    """Whether the calculator's number is within one unit of the last digit shown, half of which goes to rounding."""
    shown_result = float(f"{result:.{digits}g}")
    if result == 0:
        return abs(calculated) <= 10.0 ** -digits * max(abs(x) for x in numbers(expression, given_only=True))
    unit = 10.0 ** (math.floor(math.log10(abs(shown_result))) - digits + 1)
    return abs(calculated - shown_result) <= unit * 0.999


def numbers(expression: Written, given_only: bool = False) -> Iterator[float]:
    """The numbers that an expression is made of, and those that come out on the way."""
    if not (given_only and expression.symbol):
        yield expression.value
    for part in expression.parts:
        yield from numbers(part, given_only)
