"""Numbers that write down what is done with them, so that any rule can be shown with its numbers put in.

A rule is plain NumPy, and NumPy computes with arrays of any objects that know + and ·. So the very text that computes
on arrays, and records on Tensors, writes itself out when it is given arrays of `Written` numbers.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4          # how strongly the parts of a text hold together

FUNCTIONS: dict[str, Callable[[float], float]] = {name: getattr(np, name) for name in (
    "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "arcsin", "arccos",
    "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh")}

TEXTS = {"exp": "e^({})", "expm1": "e^({}) − 1", "exp2": "2^({})", "log": "ln({})", "log1p": "ln(1 + {})",
         "log2": "log₂({})", "sqrt": "√({})", "cbrt": "∛({})"}                  # the others: sin(...) and so on


class Written:
    """A number, and how it came about.

    Parameters
    ----------
    value : float
    symbol : str
        What was done: ``+``, ``−``, ``·``, ``/``, ``^``, ``neg``, ``abs``, ``max``, ``min`` or a function; "" for a
        number that was given.
    parts : tuple
        With what.

    Examples
    --------
    >>> a, b = Written(0.5), Written(-3.0)
    >>> print(a * b + np.exp(np.array([a], object))[0])
    0.5 · (−3) + e^(0.5)
    """

    __slots__ = ("value", "symbol", "parts", "terms")

    def __init__(self, value: float, symbol: str = "", *parts: "Written") -> None:
        self.value, self.symbol, self.parts = value, symbol, parts
        self.terms: int = sum(part.terms for part in parts) or 1         # how many given numbers it is made of

    def __add__(self, x: Any) -> "Written": return self if is_zero(x) else binary("+", self, x)
    def __radd__(self, x: Any) -> "Written": return self if is_zero(x) else binary("+", x, self)

    def __sub__(self, other: Any) -> "Written": return binary("−", self, other)
    def __rsub__(self, other: Any) -> "Written": return binary("−", other, self)
    def __mul__(self, other: Any) -> "Written": return binary("·", self, other)
    def __rmul__(self, other: Any) -> "Written": return binary("·", other, self)
    def __truediv__(self, other: Any) -> "Written": return binary("/", self, other)
    def __rtruediv__(self, other: Any) -> "Written": return binary("/", other, self)
    def __pow__(self, other: Any) -> "Written": return binary("^", self, other)
    def __rpow__(self, other: Any) -> "Written": return binary("^", other, self)
    def __neg__(self) -> "Written": return self.parts[0] if self.symbol == "neg" else Written(-self.value, "neg", self)
    def __abs__(self) -> "Written": return Written(-self.value, "abs", self) if self.value < 0 else self

    # What is chosen by a comparison is chosen by value.
    def __lt__(self, other: Any) -> bool: return self.value < float(other)
    def __le__(self, other: Any) -> bool: return self.value <= float(other)
    def __gt__(self, other: Any) -> bool: return self.value > float(other)
    def __ge__(self, other: Any) -> bool: return self.value >= float(other)
    def __eq__(self, other: Any) -> bool: return self.value == float(other)
    def __ne__(self, other: Any) -> bool: return self.value != float(other)
    def __float__(self) -> float: return self.value
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Callable[[], "Written"]:
        """NumPy's exp calls the method exp of every number in an array of objects."""
        if name not in FUNCTIONS:
            raise AttributeError(name)
        return lambda: Written(quietly(FUNCTIONS[name], self.value), name, self)

    def __str__(self) -> str:
        return self.text(6)

    # ------------------------------------------------------------------ reading it

    def at(self, digits: int) -> float:
        """What a calculator would give, from the given numbers with this many digits."""
        if not self.symbol:
            return float(shown(self.value, digits).replace("−", "-"))
        parts = [part.at(digits) for part in self.parts]
        return quietly(OPERATIONS[self.symbol], *parts)

    def text(self, digits: int) -> str:
        """How it came about, with the given numbers at this many digits."""
        return self.write(digits)[0]

    def write(self, digits: int) -> tuple[str, int]:
        """The text, and how strongly it holds together."""
        if not self.symbol:
            text = shown(self.value, digits)
            return text, SUM if text.startswith("−") else ATOM
        written = [part.write(digits) for part in self.parts]
        a = written[0]
        if self.symbol == "neg":
            return "−" + within(a, PRODUCT), SUM
        if self.symbol == "abs":
            return f"|{a[0]}|", ATOM
        if self.symbol in FUNCTIONS:
            text = TEXTS.get(self.symbol, self.symbol + "({})").format(a[0])
            return text, SUM if self.symbol == "expm1" else ATOM
        b = written[1]
        if self.symbol in ("max", "min"):
            return f"{self.symbol}({a[0]}, {b[0]})", ATOM
        if self.symbol == "+":
            if not self.parts[1].symbol and b[0].startswith("−"):           # 2 − 3 rather than 2 + (−3)
                return f"{a[0]} {b[0][0]} {b[0][1:]}", SUM
            return f"{a[0]} + {b[0] if not b[0].startswith('−') else f'({b[0]})'}", SUM
        if self.symbol == "−":
            return f"{a[0]} − {within(b, PRODUCT)}", SUM
        if self.symbol == "^":
            return f"{within(a, ATOM)}^{within(b, ATOM)}", POWER
        return f"{within(a, PRODUCT)} {self.symbol} {within(b, POWER if self.symbol == '/' else PRODUCT)}", PRODUCT


OPERATIONS: dict[str, Callable[..., float]] = {
    **FUNCTIONS, "+": lambda a, b: a + b, "−": lambda a, b: a - b, "·": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": lambda a, b: a ** b, "neg": lambda a: -a, "abs": abs, "max": max, "min": min,
}


def binary(symbol: str, a: Any, b: Any) -> Written:
    """a + b, say, where one of them may be a plain number."""
    a, b = as_written(a), as_written(b)
    return Written(quietly(OPERATIONS[symbol], a.value, b.value), symbol, a, b)


def as_written(x: Any) -> Written:
    """A plain number as a given one."""
    return x if isinstance(x, Written) else Written(float(x))


def is_zero(x: Any) -> bool:
    """Whether this is the plain 0 with which NumPy starts a sum."""
    return not isinstance(x, Written) and x == 0


def quietly(function: Callable[..., float], *numbers: float) -> float:
    """In double precision; infinity or NaN where Python would complain, as NumPy has it."""
    with np.errstate(all="ignore"):
        return float(function(*map(np.float64, numbers)))


def within(part: tuple[str, int], strength: int) -> str:
    """The text, in parentheses if what stands around it holds more strongly."""
    text, own = part
    return text if own >= strength else f"({text})"


def shown(x: float, digits: int) -> str:
    """A number with at most so many significant digits and a true minus sign: −0.5, 1.25e−07."""
    return f"{x:.{digits}g}".replace("-", "−").replace("e+", "e")


class WrittenArray(np.ndarray):
    """An array of `Written` numbers: what NumPy cannot do with objects, or would do without a trace, is done here."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "at":                      # np.add.at changes its first input
            return ufunc.at(np.asarray(inputs[0]), inputs[1], *map(lifted, inputs[2:]))
        inputs = tuple(map(lifted, inputs))
        name = ufunc.__name__
        if method == "__call__" and name in SPELLED_OUT:
            ufunc = np.frompyfunc(SPELLED_OUT[name], len(inputs), 1)
            inputs = tuple(lifted(x.astype(object)) for x in inputs)
        if "out" in options:                    # y += x
            options["out"] = tuple(np.asarray(y) for y in options["out"])
        result = getattr(ufunc, method)(*inputs, **options)
        return marked(result) if not name.startswith("is") else np.asarray(result, bool)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return marked(super().__array_function__(function, types, args, options))


def marked(result: Any) -> Any:
    """`Written` numbers as such an array again."""
    objects = isinstance(result, Written) or getattr(result, "dtype", None) == object
    return np.asarray(result, object).view(WrittenArray) if objects else result


def lifted(x: Any) -> np.ndarray:
    """An input as a plain array; numbers among objects, which `where` may have put there, as given ones."""
    x = np.asarray(x)
    return np.asarray(np.frompyfunc(as_written, 1, 1)(x), object) if x.dtype == object and x.size else x


# What these functions do, in the operations above.
SPELLED_OUT: dict[str, Callable[..., Any]] = {
    "maximum": lambda a, b: Written(max(a.value, b.value), "max", a, b),
    "minimum": lambda a, b: Written(min(a.value, b.value), "min", a, b),
    "hypot": lambda a, b: (a * a + b * b).sqrt(),
    "logaddexp": lambda a, b: (a.exp() + b.exp()).log(),
    "copysign": lambda a, b: abs(a) if math.copysign(1, b.value) > 0 else -abs(a),
    "remainder": lambda a, b: a - b * float(a.value // b.value),
    "fmod": lambda a, b: a - b * float(math.trunc(a.value / b.value)),
    "rint": lambda a: Written(float(round(a.value))),
    "sign": lambda a: Written(float((a.value > 0) - (a.value < 0))),
    "isfinite": lambda a: math.isfinite(a.value),
    "isnan": lambda a: math.isnan(a.value),
    "isinf": lambda a: math.isinf(a.value),
    "arctan2": lambda a, b: (a / b).arctan() if b.value > 0 else (a / b).arctan() + math.copysign(math.pi, a.value),
}


def written(array: Any) -> np.ndarray:
    """An array of given numbers; whole numbers and truth values, which choose rather than compute, as they are."""
    array = np.asarray(array)
    if array.dtype.kind != "f":
        return array
    result = np.empty(array.shape, object)
    for index, x in np.ndenumerate(array):
        result[index] = Written(float(x))
    return result.view(WrittenArray)
