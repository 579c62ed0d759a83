"""Nested dicts, lists and tuples as JSON text and named arrays, and back: what a file of tensors can hold.

JSON has no tuples, no keys that are numbers, no NaN and (in many readers) no whole numbers above 2⁵³. What it has
stands for itself; everything else is a list that begins with what it is:

    {"epoch": 3, "betas": ["tuple", 0.9, 0.999], "best": ["float", "inf"], "weight": ["tensor", "model/weight"]}
"""

import json
import math
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np

from ..engine.arrays import on_host
from ..engine.tensor import Tensor

LONGEST_TEXT = 4_000_000    # bytes; about 200 000 numbers outside tensors
LONGEST_NAME = 1000         # of one array, in characters
DEEPEST = 100               # dicts, lists and tuples inside each other
EXACT = 2 ** 53             # the whole numbers below this are exact in every JSON reader
DTYPES = {np.dtype(kind) for kind in "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split()}


def take_apart(thing: Any) -> tuple[str, dict[str, np.ndarray]]:
    """The structure of `thing` as JSON text, and its tensors and arrays, named after their places in it.

    Examples
    --------
    >>> take_apart({"w": Tensor([1.0, 2.0]), "history": [(1, 0.5)]})
    ('{"w":["tensor","w"],"history":["list",["tuple",1,0.5]]}', {'w': array([1., 2.], dtype=float32)})
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(described(thing, (), arrays), separators=(",", ":"))
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"what is not in tensors takes {len(text)} bytes, and at most {LONGEST_TEXT} can be saved: "
                         "make tensors of long lists of numbers")
    return text, arrays


def described(thing: Any, place: tuple, arrays: dict[str, np.ndarray]) -> Any:
    """`thing`, which is at this place in the whole, as JSON can hold it; its arrays are added to `arrays`."""
    if len(place) > DEEPEST:
        raise ValueError(f"{at(place[:3])}it is nested more than {DEEPEST} deep, or inside itself")
    if isinstance(thing, np.generic):
        thing = thing.item()                    # a NumPy scalar is a number; arrays and tensors may have no dimensions
    match thing:
        case Tensor() | np.ndarray():
            name = "/".join(map(str, place))
            if name in arrays or not is_name(name):
                name = next(other for i in count(len(arrays)) if (other := f"array{i}") not in arrays)
            arrays[name] = as_saved(thing, place)
            return ["tensor", name]
        case Mapping():
            thing = {key.item() if isinstance(key, np.generic) else key: value for key, value in thing.items()}
            for key in thing:
                if not isinstance(key, (str, int)) or isinstance(key, bool):
                    raise TypeError(f"{at(place)}the key {key!r} cannot be saved: only texts and whole numbers can")
            values = {key: described(value, (*place, key), arrays) for key, value in thing.items()}
            if all(isinstance(key, str) for key in values):
                return values
            return ["dict", *([described(key, place, arrays), value] for key, value in values.items())]
        case list() | tuple():
            kind = "list" if isinstance(thing, list) else "tuple"
            return [kind, *(described(x, (*place, i), arrays) for i, x in enumerate(thing))]
        case None | bool() | str():
            return thing
        case int():
            return thing if abs(thing) < EXACT else ["int", hex(thing)]
        case float():
            return thing if math.isfinite(thing) else ["float", repr(float(thing))]
    can = ("its .state_dict() can" if hasattr(thing, "state_dict") else
           "tensors, arrays, numbers, texts, True, False and None can, in dicts, lists and tuples")
    raise TypeError(f"{at(place)}a {type(thing).__name__} cannot be saved; {can}")


def at(place: tuple) -> str:
    """How to find a place in an object that is saved, to begin an error with."""
    return f"at {'/'.join(map(str, place))}: " if place else ""


def as_saved(array: Any, place: tuple) -> np.ndarray:
    """An array on the host, least significant byte first, of a type that both formats know."""
    array = on_host(array.data) if isinstance(array, Tensor) else np.asarray(array)
    if array.dtype.newbyteorder("=") not in DTYPES:
        raise TypeError(f"{at(place)}an array of {array.dtype} cannot be saved; floating-point numbers of 16 to 64 "
                        "bits, integers and booleans can")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def is_name(name: str) -> bool:
    """Whether an array may have this name in a file, also in a zip file that somebody unpacks."""
    if name == "__metadata__":                  # in a .safetensors file that is no array
        return False
    parts = name.split("/")
    return name.isprintable() and len(name) <= LONGEST_NAME and "\\" not in name and not {"", ".", ".."} & {*parts}


def put_together(text: str, tensors: dict[str, Tensor]) -> Any:
    """What `take_apart` was given, with tensors where tensors and arrays were.

    Raises
    ------
    ValueError
        If the text is not what `take_apart` writes, or does not name each tensor exactly once.

    Examples
    --------
    >>> put_together('{"w":["tensor","w"],"history":["list",["tuple",1,0.5]]}', {"w": Tensor([1.0, 2.0])})
    {'w': tensor([1., 2.]), 'history': [(1, 0.5)]}
    """
    rest = dict(tensors)
    try:
        node = json.loads(text, object_pairs_hook=unique, parse_int=short_int, parse_constant=no_constant)
        thing = rebuilt(node, rest)
    except RecursionError:
        raise ValueError("its structure is nested too deeply") from None
    if rest:
        raise ValueError(f"its structure has no place for the tensor {next(iter(rest))!r}")
    return thing


def rebuilt(node: Any, tensors: dict[str, Tensor]) -> Any:
    """The reverse of `described`; takes the tensors that it uses out of `tensors`."""
    match node:
        case dict():
            return {key: rebuilt(value, tensors) for key, value in node.items()}
        case ["tensor", str(name)] if name in tensors:
            return tensors.pop(name)
        case ["list", *parts]:
            return [rebuilt(part, tensors) for part in parts]
        case ["tuple", *parts]:
            return tuple([rebuilt(part, tensors) for part in parts])
        case ["dict", *pairs] if all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            return unique([(as_key(rebuilt(key, tensors)), rebuilt(value, tensors)) for key, value in pairs])
        case ["int", str(digits)]:
            return int(digits, 16)              # hexadecimal: takes no longer than reading them
        case ["float", "nan" | "inf" | "-inf" as name]:
            return float(name)
        case None | bool() | int() | float() | str():
            return node
    raise ValueError(f"its structure holds {repr(node)[:60]}, which says nothing")


def as_key(key: Any) -> str | int:
    if type(key) not in (str, int):
        raise ValueError(f"its structure has the key {repr(key)[:60]}, neither a text nor a whole number")
    return key


def unique(pairs: list[tuple[Any, Any]]) -> dict:
    """A dict of (key, value) pairs, of which none may hide another."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("its structure has a key twice in one dict")
    return result


def short_int(digits: str) -> int:
    if len(digits) > len(str(-EXACT)):
        raise ValueError(f"its structure has a whole number of {len(digits)} digits, too many for JSON")
    return int(digits)


def no_constant(name: str) -> None:
    raise ValueError(f"its structure has {name}, which is not JSON")
