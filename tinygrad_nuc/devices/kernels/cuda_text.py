"""Formulas as the text of CUDA: one line for every NumPy function that a rule calls."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .tracing import NotElementwise, Symbol, in_order, is_weak, kind

SIZED_TYPES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double", np.dtype(np.bool_): "bool",
               np.dtype(np.int32): "int", np.dtype(np.int64): "long long"}
WEAK_TYPES = {bool: "bool", int: "long long", float: "double"}

# NumPy's name → CUDA's expression of the operands {0} and {1}; like NumPy, they pass NaN on
TEXTS = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}",
    "negative": "-{0}", "positive": "{0}", "reciprocal": "1 / {0}", "square": "{0} * {0}", "power": "pow({0}, {1})",
    "absolute": "fabs({0})", "fabs": "fabs({0})", "fmod": "fmod({0}, {1})",
    "exp": "exp({0})", "exp2": "exp2({0})", "expm1": "expm1({0})", "log": "log({0})", "log2": "log2({0})",
    "log10": "log10({0})", "log1p": "log1p({0})", "sqrt": "sqrt({0})", "cbrt": "cbrt({0})",
    "sin": "sin({0})", "cos": "cos({0})", "tan": "tan({0})", "arcsin": "asin({0})", "arccos": "acos({0})",
    "arctan": "atan({0})", "arctan2": "atan2({0}, {1})", "hypot": "hypot({0}, {1})",
    "sinh": "sinh({0})", "cosh": "cosh({0})", "tanh": "tanh({0})", "arcsinh": "asinh({0})", "arccosh": "acosh({0})",
    "arctanh": "atanh({0})",
    "deg2rad": "{0} * ({T})0.017453292519943295", "rad2deg": "{0} * ({T})57.29577951308232",
    "floor": "floor({0})", "ceil": "ceil({0})", "trunc": "trunc({0})", "rint": "rint({0})",
    "sign": "{0} != {0} ? {0} : ({T})(({0} > 0) - ({0} < 0))", "copysign": "copysign({0}, {1})",
    "maximum": "{0} > {1} || {0} != {0} ? {0} : {1}", "minimum": "{0} < {1} || {0} != {0} ? {0} : {1}",
    "logaddexp": "{0} == {1} ? {0} + ({T})0.6931471805599453 : {0} > {1} ? {0} + log1p(exp({1} - {0})) : "
                 "{0} < {1} ? {1} + log1p(exp({0} - {1})) : {0} + {1}",
    "logaddexp2": "{0} == {1} ? {0} + 1 : {0} > {1} ? {0} + ({T})1.4426950408889634 * log1p(exp2({1} - {0})) : "
                  "{0} < {1} ? {1} + ({T})1.4426950408889634 * log1p(exp2({0} - {1})) : {0} + {1}",
    "fmax": "fmax({0}, {1})", "fmin": "fmin({0}, {1})",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}", "less": "{0} < {1}", "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
    "isnan": "{0} != {0}", "isfinite": "isfinite({0})", "isinf": "isinf({0})", "signbit": "signbit({0})",
    "logical_and": "{0} && {1}", "logical_or": "{0} || {1}", "logical_xor": "!{0} != !{1}", "logical_not": "!{0}",
    "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}",
    "where": "{0} ? {1} : {2}", "astype": "{0}",
}
# those that mean something else for whole numbers, or for truth values
WHOLE = {"absolute": "{0} < 0 ? -{0} : {0}", "sign": "({0} > 0) - ({0} < 0)", "isnan": "false", "isfinite": "true",
         "isinf": "false", "floor": "{0}", "ceil": "{0}", "trunc": "{0}", "rint": "{0}"}
NOT_OF_WHOLE = {"reciprocal", "power", "divide", "fmod", "signbit"}
TRUTH = {"add": "{0} || {1}", "multiply": "{0} && {1}", "maximum": "{0} || {1}", "minimum": "{0} && {1}",
         "absolute": "{0}", "invert": "!{0}", "bitwise_and": "{0} && {1}", "bitwise_or": "{0} || {1}",
         "bitwise_xor": "{0} != {1}"}


def body(results: dict[str, Symbol], name_of: Callable[[Symbol], str | None]) -> str:
    """The lines that compute the results, ``name = …;`` each, from what `name_of` has a name for.

    Examples
    --------
    >>> from .tracing import argument
    >>> a = argument("a", np.dtype(np.float32))
    >>> print(body({"y": 1 / (1 + np.exp(-a))}, lambda x: "a" if x is a else None))
    const float t0 = -a;
    const float t1 = exp(t0);
    const float t2 = 1.0f + t1;
    const float t3 = 1.0f / t2;
    y = t3;
    """
    names: dict[int, str] = {}
    lines: list[str] = []
    for x in in_order(results.values(), lambda x: name_of(x) is not None):
        known = name_of(x)
        if known is None:
            known = f"t{len(lines)}"
            lines.append(f"const {type_name(x.dtype)} {known} = {expression(x, names)};")
        names[id(x)] = known
    return "\n".join([*lines, *(f"{result} = {names[id(x)]};" for result, x in results.items())])


def expression(x: Symbol, names: dict[int, str]) -> str:
    """One function of its operands, each in the type in which NumPy would take it."""
    # b: truth values, i: whole numbers, f: the rest
    letters = {"b" if d is bool else "i" if d is int else "f" if d is float else d.kind for d in x.loop}
    texts = TEXTS
    if letters == {"b"} and x.function in TRUTH and not x.is_weak:      # of Python's own True, + is no "or"
        texts = TRUTH
    elif letters <= {"b", "i"}:
        if x.function in NOT_OF_WHOLE:
            raise NotElementwise(f"{x.function} of whole numbers")
        texts = TEXTS | WHOLE
    if x.function not in texts:
        raise NotElementwise(x.function)
    operands = (operand(y, dtype, names) for y, dtype in zip(x.operands, x.loop, strict=True))
    return texts[x.function].format(*operands, T=type_name(x.dtype))


def operand(y: Any, dtype: Any, names: dict[int, str]) -> str:
    """The name of a symbol, or a number, cast to a dtype."""
    if isinstance(y, Symbol):
        name = names[id(y)]
        return name if type_name(kind(y)) == type_name(dtype) else f"({type_name(dtype)}){name}"
    return number(y, dtype)


def number(y: Any, dtype: Any) -> str:
    """A Python number as a constant of a dtype, to its last digit."""
    name = type_name(dtype)
    if name not in ("float", "double"):
        return f"({name}){int(y)}"
    if not np.isfinite(y):
        return f"({name})({'0.0' if np.isnan(y) else '1.0' if y > 0 else '-1.0'} / 0.0)"  # NVRTC knows no NAN
    text = f"{float(np.float32(y))!r}f" if name == "float" else repr(float(y))
    return f"({text})" if text.startswith("-") else text


def type_name(dtype: Any) -> str:
    """CUDA's name of a dtype."""
    return WEAK_TYPES[dtype] if is_weak(dtype) else SIZED_TYPES[dtype]
