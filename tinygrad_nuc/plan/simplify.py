"""What need not be computed in a replay: what is always the same, has been computed already, or is not used."""

import operator
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .calls import OF_SHAPE, Call, Value, leaves, replaced
from .numbers import Number
from .recording import Program

COPIES = {np.copy, np.ascontiguousarray, np.ndarray.copy}


class Simplified:
    """The calls of a program that have to be made, in order; views of what they make are no calls any more.

    Parameters
    ----------
    program : Program
    results : list of Value
        What the step returns.
    gradients : list of Value
        What becomes ``grad`` of a tensor: no two of them may share memory.

    Attributes
    ----------
    calls : list of Call
    makers : dict
        Value → the call that made it, views included.
    results, gradients : list
        The same as were given; an array in place of what is the same in every step.
    """

    def __init__(self, program: Program, results: list, gradients: list[Value]) -> None:
        self.stand_ins: dict[Value, Any] = {}        # what is used in place of an array
        self.makers: dict[Value, Call] = {}
        self.written = {call.writes.owner for call in program.calls if call.writes is not None}
        self.given = set(program.given)
        self.own: set[Value] = set()                 # the memory that a gradient has to itself
        self.gradient_ids = set(gradients)
        calls = self.without_repetitions(fewer_factors(program.calls))
        self.results = [self.instead(x) for x in results]
        self.gradients = [self.instead(x) for x in gradients]
        self.calls = self.needed(calls, [x for x in (*self.results, *self.gradients) if isinstance(x, Value)])

    def instead(self, x: Any) -> Any:
        """What is used in place of `x`."""
        while isinstance(x, Value) and x in self.stand_ins:
            x = self.stand_ins[x]
        return x

    def without_repetitions(self, program_calls: Iterable[Call]) -> list[Call]:
        """Without calls that are answered by constants, by one of their arguments, or by an earlier call."""
        kept: list[Call] = []
        earlier: dict[tuple, Call] = {}
        versions: dict[Value, int] = {}              # how often memory has been written into
        writes = Counter(call.writes.owner for call in program_calls if call.writes is not None)
        histories: dict[Value, Any] = {}             # memory that is written → all that has gone into it
        finished: dict[Any, Value] = {}              # such a history → the memory that has it
        for call in program_calls:
            call = self.with_stand_ins(call)
            if call.writes is not None:
                kept.append(call)
                owner = call.writes.owner
                histories[owner] = (histories.get(owner), self.way_to(call.writes),
                                    key_of(call, versions, owner, self.way_to))
                versions[owner] = versions.get(owner, 0) + 1
                if versions[owner] == writes[owner] and known(histories[owner]):
                    twin = finished.setdefault(histories[owner], owner)
                    if twin is not owner:               # it was written in the same way as another: that one is used
                        self.stand_ins[owner] = twin
                continue
            pure = not any(y.owner in self.written for y in call.results)
            # a gradient is computed anew in each replay, in memory of its own: whoever has it may have changed it
            if self.gradient_ids.intersection(call.results):
                same = self.same_as(call) if pure else None
                if same is not None:
                    self.stand_ins[call.results[0]] = same
                    continue
            elif (pure or call.is_view) and not call.draws:
                if pure and self.is_constant(call):
                    self.stand_ins.update({y: y.array for y in call.results})
                    continue
                key = key_of(call, versions)
                if key in earlier and (pure or call.is_view):
                    self.stand_ins.update(zip(call.results, earlier[key].results, strict=True))
                    continue
                same = self.same_as(call) if pure else None
                if same is not None:
                    self.stand_ins[call.results[0]] = same
                    continue
                if key is not None:
                    earlier[key] = call
            for y in call.results:
                y.owner = y if y.owner is y else self.owner(y)
                self.makers[y] = call
                if y.owner is y and y in self.written and len(call.results) == 1:
                    histories[y] = key_of(call, versions)
            if not call.is_view:
                kept.append(call)
        return kept

    def way_to(self, view: Value) -> tuple:
        """How a view is made from the memory that it looks at."""
        way: tuple = ()
        while view in self.makers and view.owner is not view:
            call = self.makers[view]
            way = (call.function, repr(call.args[1:]), repr(call.options), way)
            view = call.args[0]
        return way

    def owner(self, view: Value) -> Value:
        owner = self.instead(view.owner)
        return owner.owner if isinstance(owner, Value) else view

    def with_stand_ins(self, call: Call) -> Call:
        """The call, given what is used in place of its arguments."""
        new = Call(call.function, replaced(call.args, self.instead), replaced(call.options, self.instead), call.line)
        new.results, new.draws, new.quiet = call.results, call.draws, call.quiet
        new.writes = self.instead(call.writes)
        if isinstance(call.function, np.ufunc) and call.function.signature is None and len(call.results) == 1:
            others = [x for x in new.args if np.shape(x) == call.results[0].shape and isinstance(x, Value)]
            if others:                                  # an array full of one number is as good as that number
                new.args = tuple(one_number(x) for x in new.args)
        return new

    def is_constant(self, call: Call) -> bool:
        """Whether the results are the same in every step."""
        parts = list(leaves((call.args, call.options)))
        if call.function in OF_SHAPE:
            parts = parts[1:]
        return all(y.array is not None for y in call.results) and not any(isinstance(x, (Value, Number)) for x in parts)

    def same_as(self, call: Call) -> Value | None:
        """The argument that this call returns unchanged."""
        y = call.results[0]
        if call.function in COPIES or (call.function is np.ndarray.astype and call.args[0].dtype == y.dtype):
            x = call.args[0]
            return x if self.may_stand_for(x, y) else None
        if call.function in (np.multiply, np.divide) and not call.options:
            a, b = call.args
            for x, factor in ((a, b), (b, a)) if call.function is np.multiply else ((a, b),):
                if not isinstance(factor, (Value, Number)) and np.ndim(factor) == 0 and factor == 1:
                    if isinstance(x, Value) and (x.shape, x.dtype) == (y.shape, y.dtype):
                        return x if self.may_stand_for(x, y) else None
        return None

    def may_stand_for(self, x: Any, y: Value) -> bool:
        """Whether nobody would notice that x is used in place of its copy y."""
        if not isinstance(x, Value) or x.owner in self.written or y in self.own or x.strides != y.strides:
            return False
        if y in self.gradient_ids:
            if x.owner is not x or x in self.given or x in self.own:
                return False
            self.own.add(x)
        return True

    def needed(self, calls: list[Call], wanted: list[Value]) -> list[Call]:
        """Without calls whose results nobody uses."""
        used = {x.owner for x in wanted} | self.given
        kept = []
        for call in reversed(calls):
            made = [call.writes] if call.writes is not None else call.results
            if call.draws or any(y.owner in used for y in made):
                used |= {x.owner for x in call.reads}
                kept.append(call)
        return kept[::-1]


def fewer_factors(calls: list[Call]) -> list[Call]:
    """With one factor in place of several numbers by which the same array is multiplied and divided.

    So the step of Adam, −lr · (m / c), becomes m · (−lr / c): one pass over all parameters, instead of two.
    """
    uses = Counter(x for call in calls for x in call.reads)
    scaled: dict[Value, tuple[Any, Any]] = {}           # array → what it is made of: an array, and a factor
    short = []
    for call in calls:
        if call.writes is not None:                     # what is made of it was made of the numbers before
            scaled = {y: parts for y, parts in scaled.items() if parts[0].owner is not call.writes.owner}
        parts = factor_of(call)
        if parts is not None:
            x, factor = parts
            if x in scaled and uses[x] == 1 and scaled[x][0].dtype == x.dtype:
                x, factor = scaled[x][0], scaled[x][1] * factor
            y = call.results[0]
            if isinstance(factor, Number) and x.dtype == y.dtype:
                scaled[y] = x, factor
                new = Call(np.multiply, (x, factor), {}, call.line)
                new.results = call.results
                call = new
        short.append(call)
    return short


def factor_of(call: Call) -> tuple[Value, Any] | None:
    """The array and the number, if a call multiplies or divides one by the other."""
    if call.function not in (np.multiply, np.divide) or call.options or call.writes is not None:
        return None
    a, b = call.args
    if call.function is np.multiply and isinstance(b, Value):
        a, b = b, a
    if not isinstance(a, Value) or not isinstance(b, Number) or a.dtype.kind != "f":
        return None
    return a, b if call.function is np.multiply else operator.truediv(1, b)


def one_number(x: Any) -> Any:
    """An array all of whose numbers are equal as an array without dimensions."""
    if isinstance(x, np.ndarray) and x.ndim and x.size:
        first = x.ravel()[:1].reshape(())
        if (x == first).all() and (first != 0 or (np.signbit(x) == np.signbit(first)).all()):
            return first
    return x


def known(history: Any) -> bool:
    """Whether it can be told what has gone into some memory, from its first number on."""
    while history is not None and len(history) == 3 and isinstance(history[1], tuple):
        if history[2] is None:
            return False
        history = history[0]
    return history is not None


def key_of(call: Call, versions: dict[Value, int], written: Value | None = None,
           way_to: Callable = repr) -> tuple | None:
    """What two calls have in common that give the same; None if that cannot be told."""
    def part(x: Any) -> Any:
        if isinstance(x, Value) and x.owner is written:
            return "what is written", way_to(x)
        if isinstance(x, Value):
            return id(x), 0 if call.is_view else versions.get(x.owner, 0)
        if isinstance(x, Number):
            return id(x)
        if isinstance(x, np.ndarray):
            return id(x) if x.ndim else (x.dtype, x.tobytes())
        if isinstance(x, (np.dtype, float)):
            return type(x), str(x)                      # 0.0 == -0.0, but they are not the same
        return type(x), x
    try:
        key = (call.function, tuple(map(part, leaves(call.args))), shape_of(call.args),
               tuple((name, part(x)) for name, x in call.options.items()))
        hash(key)
    except TypeError:
        return None
    return key


def shape_of(x: Any) -> Any:
    """How tuples and lists nest."""
    return tuple(map(shape_of, x)) if isinstance(x, (tuple, list)) else slice if isinstance(x, slice) else None
