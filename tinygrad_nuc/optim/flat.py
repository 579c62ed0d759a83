"""Flat: parameters end to end in one array, so that an optimizer's formula is evaluated once for all of them."""

from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from ..devices.moving import placed_like
from ..engine import accelerator
from ..engine.arrays import in_memory
from ..engine.tensor import Tensor, value
from .in_place import Room, formulas

CACHE = 2 ** 16     # how many numbers a formula is given at a time: what it computes on the way stays in the cache


class Flat:
    """Several small parameters end to end, or one parameter alone, and what the optimizer remembers of them.

    Every parameter keeps its own array: values and gradients are gathered at each step, and the changes handed out.
    What is remembered stays here, end to end as well, and ``optimizer.state[p]`` shows each parameter's part.

    Parameters
    ----------
    params : list of Tensor
        Alike, as `arrange` sorts them.
    states : dict
        ``optimizer.state``: what was remembered until now, and where it is shown from now on.
    names : dict
        PyTorch's names for the letters of the formula.
    elementwise : bool
        Whether the formula may be given some of a parameter's numbers at a time.
    """

    def __init__(self, params: list[Tensor], states: MutableMapping[Tensor, Mapping[str, Any]],
                 names: Mapping[str, str], elementwise: bool) -> None:
        if accelerator.recording is not None:
            raise accelerator.NotRehearsed("the optimizer's parameters are joined anew")
        self.params, self.states, self.names, self.elementwise = params, states, names, elementwise
        self.layout = layout(params)
        self.arrays: dict[str, Any] = {}        # remembered of every number, by the letters of the formula ...
        self.common: dict[str, Any] = {}        # ... and of all together, such as the step count
        self.shown: list[dict[str, Any]] = [{} for _ in params]
        self.entries: list[Any] = [states.get(p) for p in params]
        self.update: Any = None                 # on a GPU, what makes the step in one launch
        if self.entries[0]:
            self.take_over(self.entries)
        self.room: Room | None = None           # memory for steps in place

    def fits(self, states: Mapping[Tensor, Any]) -> bool:
        """Whether the parameters still go together, and their state is what is shown of it here."""
        if states is not self.states or layout(self.params) != self.layout:
            return False
        moves = self.moves
        for p, entry in zip(self.params, self.entries, strict=True):
            if (p._grad is not None) is not moves or states.get(p) is not entry:
                return False
        return True

    def refuse_new_shapes(self, optimizer: str) -> None:
        """What is remembered of a matrix says nothing about one of another shape."""
        for p, (shape, *_) in zip(self.params, self.layout, strict=True):
            if p.shape != shape and self.states.get(p):
                raise ValueError(f"{optimizer}: a parameter of shape {shape} now has shape {p.shape}, which does not "
                                 "fit what is remembered of it; make a new optimizer, or `del optimizer.state[p]`")

    # ------------------------------------------------------------------ a step

    @property
    def moves(self) -> bool:
        """Whether there are gradients."""
        return self.params[0]._grad is not None

    def step(self, change: Callable, settings: Callable[[], dict[str, Any]], maximize: bool) -> None:
        """p ← p + change(p, g, state) for every parameter."""
        if accelerator.take_step is None or not accelerator.take_step(self, change, settings, maximize):
            chosen = settings()
            if maximize or not self.step_in_place(getattr(change, "__func__", None), chosen):
                self.step_by_numpy(change, chosen, maximize)
        for q in self.params:
            q.mark_changed()

    def step_by_numpy(self, change: Callable, settings: dict[str, Any], maximize: bool) -> None:
        """The formula as it stands, on arrays."""
        if accelerator.recording is not None:
            raise RuntimeError("the optimizer's formula is not one for a kernel, and its numbers, such as the step "
                               "count, would stay what they are when the step is recorded")
        values = [p.data for p in self.params]
        p, g = self.joined(values), self.joined([q.grad.data for q in self.params])
        arrays, common = dict(self.arrays), self.common         # as they are before the step
        for part in self.parts(p):
            state = {**common, **{letter: array[part] for letter, array in arrays.items()}}
            steps = change(p[part], -g[part] if maximize else g[part], state, **settings)
            self.remember(state, p, part)
            if len(values) == 1:
                p[part] += steps                    # p is the parameter's own array ...
        if len(values) > 1:
            for own, piece in zip(values, self.divided(steps), strict=True):
                own += piece                        # ... or a copy of several, all in one part
        self.show()

    def step_in_place(self, change: Callable | None, settings: dict[str, Any]) -> bool:
        """The same without new arrays; False if there is no such form of the formula."""
        if change is None or change not in formulas or not isinstance(self.params[0].data, np.ndarray):
            return False
        self.room = self.room or Room(self)
        return self.room.take_step(self, change, settings)

    def joined(self, arrays: list, room: Any = None) -> Any:
        """The arrays end to end; a single one as it is."""
        return np.concatenate([array.ravel() for array in arrays], out=room) if len(arrays) > 1 else arrays[0]

    def divided(self, array: Any) -> list:
        """The reverse: each parameter's part of the array, in the parameter's shape; views, not copies."""
        if len(self.params) == 1:
            return [array]
        ends = pairwise(accumulate((p.numel() for p in self.params), initial=0))
        return [array[start:end].reshape(p.shape) for (start, end), p in zip(ends, self.params, strict=True)]

    def parts(self, p: Any) -> list:
        """Where to find what the formula is given at a time: everything, or as many rows as the cache can hold."""
        if self.elementwise and len(self.params) == 1 and p.size > CACHE and in_memory(p):
            rows = max(1, CACHE * len(p) // p.size)
            return [slice(i, i + rows) for i in range(0, len(p), rows)]
        return [...]

    # ------------------------------------------------------------------ what is remembered

    def remember(self, state: dict[str, Any], p: Any, part: Any) -> None:
        """Keep what the formula has put into `state`, of each number or of all together, and forget the rest."""
        self.common = {}
        for letter, x in state.items():
            if getattr(x, "shape", None) == p[part].shape:
                if letter not in self.arrays:
                    self.arrays[letter] = np.empty_like(p, dtype=x.dtype)
                np.copyto(self.arrays[letter][part], x)
            else:
                self.common[letter] = x
        self.arrays = {letter: array for letter, array in self.arrays.items() if letter in state}

    def take_over(self, entries: list) -> None:
        """Go on from what has been remembered of each parameter."""
        letters = {name: letter for letter, name in self.names.items()}
        for name, x in entries[0].items():
            letter = letters.get(name, name)
            if isinstance(x, Tensor) and x.shape == self.params[0].shape:
                dtype = self.params[0].dtype if name in letters else x.dtype
                parts = [placed_like(p.data, entry[name].data) for p, entry in zip(self.params, entries, strict=True)]
                self.arrays[letter] = self.joined([part.astype(dtype, copy=False) for part in parts])
            else:
                self.common[letter] = value(x)
        self.show()

    def show(self) -> None:
        """Let ``optimizer.state`` show each parameter's part: arrays as views, which stay up to date by themselves."""
        common = self.shown_common(self.common)
        arrays = {self.names.get(letter, letter): array for letter, array in self.arrays.items()}
        if self.shown[0].keys() != common.keys() | arrays.keys():
            views = {name: [Tensor(part) for part in self.divided(array)] for name, array in arrays.items()}
            order = [name for name in self.names.values() if name in common or name in views]
            for i, p in enumerate(self.params):
                entry = common | {name: parts[i] for name, parts in views.items()}
                self.shown[i] = {name: entry[name] for name in order} | entry
                self.states[p] = self.entries[i] = MappingProxyType(self.shown[i])      # nobody may assign in vain
        for entry in self.shown:
            entry.update(common)

    def shown_common(self, common: dict[str, Any]) -> dict[str, Any]:
        """What is remembered of all parameters together, as it is shown."""
        return {self.names.get(letter, letter): Tensor(x) if getattr(x, "shape", ()) else x
                for letter, x in common.items()}


def layout(params: list[Tensor]) -> list[tuple]:
    """What an array of all parameters depends on."""
    arrays = [p.data for p in params]
    return [(a.shape, a.dtype, np.ndarray if type(a) is np.ndarray or in_memory(a) else type(a)) for a in arrays]


def arrange(params: list[Tensor], states: MutableMapping[Tensor, Mapping[str, Any]], names: Mapping[str, str],
            elementwise: bool) -> list[Flat]:
    """As few `Flat` as possible for these parameters.

    Those of one dtype are joined, if all or none of them have a gradient and their state has the same numbers in it,
    such as the step count. A large one stays alone, as does every one if the formula is not `elementwise`.
    """
    if not elementwise:
        return [Flat([p], states, names, elementwise) for p in params]
    alike: dict[tuple, list[Tensor]] = {}
    sizes: Counter = Counter()
    for p, (_, *kind) in zip(params, layout(params), strict=True):
        numbers = [(name, None if isinstance(x, Tensor) else x) for name, x in states.get(p, {}).items()]
        key = (*kind, p.grad is None, *numbers)
        if p.numel() > CACHE and in_memory(p.data):        # a GPU takes any number at a time
            alike[id(p), *key] = [p]
        else:
            part = sizes[key] // CACHE if in_memory(p.data) else 0
            alike.setdefault((part, *key), []).append(p)
            sizes[key] += p.numel()
    return [Flat(joined, states, names, elementwise) for joined in alike.values()]
