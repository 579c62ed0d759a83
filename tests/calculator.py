"""A pocket calculator that reads the lines of the step-through page: not the engine's way to the same number."""

import math
import re

TOKEN = re.compile(r"\s*(\d+\.?\d*(?:e[−-]?\d+)?|[a-z]+(?:10|₂)?|[√∛]|[-+−·/^()|,])")
FUNCTIONS = {"ln": math.log, "√": math.sqrt, "∛": math.cbrt, "log₂": math.log2, "log10": math.log10,
             "arcsin": math.asin, "arccos": math.acos, "arctan": math.atan,
             "arcsinh": math.asinh, "arccosh": math.acosh, "arctanh": math.atanh,
             **{name: getattr(math, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}}


def calculate(text):
    """The value of an expression such as ``0.5 · (−3) + e^(0.5)``."""
    tokens, rest = [], text
    while rest.strip():
        found = TOKEN.match(rest)
        assert found, f"not an expression: {rest!r} in {text!r}"
        tokens.append(found[1])
        rest = rest[found.end():]
    return Parser(tokens).sum()


class Parser:
    def __init__(self, tokens):
        self.tokens = tokens

    def take(self, *wanted):
        if self.tokens and self.tokens[0] in wanted:
            return self.tokens.pop(0)
        return None

    def sum(self):
        value = self.signed()
        while sign := self.take("+", "−"):
            value = value + self.signed() if sign == "+" else value - self.signed()
        return value

    def signed(self):
        return -self.product() if self.take("−") else self.product()

    def product(self):
        value = self.power()
        while sign := self.take("·", "/"):
            value = value * self.power() if sign == "·" else value / self.power()
        return value

    def power(self):
        base = self.atom()
        return base ** self.atom() if self.take("^") else base

    def atom(self):
        token = self.tokens.pop(0)
        if token in "(|":
            value = self.sum()
            assert self.tokens.pop(0) == {"(": ")", "|": "|"}[token]
            return value if token == "(" else abs(value)
        if token == "e":
            return math.e
        if token in ("max", "min"):
            assert self.tokens.pop(0) == "("
            a = self.sum()
            assert self.tokens.pop(0) == ","
            b = self.sum()
            assert self.tokens.pop(0) == ")"
            return max(a, b) if token == "max" else min(a, b)
        if token in FUNCTIONS:
            return FUNCTIONS[token](self.atom())
        return float(token.replace("−", "-"))


def unit_of_last_digit(text):
    """0.565 → 0.001, 1.25e−07 → 0.01e−07; of 0 the digits are not counted."""
    digits, _, power = text.replace("−", "-").partition("e")
    return 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))


def check(line):
    """Fail unless the calculator agrees with ``expression = result`` within one unit of the last digit shown.

    A trailing 0 is not shown, so the last of six digits may not be seen: then too, nothing before the fifth may differ.
    """
    expression, sign, result = line.rpartition(" = ")
    assert sign, line
    given, number = calculate(expression), float(result.replace("−", "-"))
    if number == 0:
        numbers = [float(x) for x in re.findall(r"\d+\.?\d*(?:e-?\d+)?", expression.replace("e−", "e-"))]
        assert abs(given) <= 1e-6 * max(numbers), (line, given)
    else:
        assert abs(given - number) <= unit_of_last_digit(result), (line, given)
        assert abs(given - number) <= 1e-4 * abs(number), (line, given)
