"""What a sample is, and the strategies that draw arrays and settings that suit each other."""

import math
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import (
    array_shapes,
    basic_indices,
    integer_array_indices,
    mutually_broadcastable_shapes,
)


def mostly(usual, unusual):
    """Three draws of four from `usual`."""
    return st.integers(0, 3).flatmap(lambda i: unusual if i == 3 else usual)


# Left to itself, Hypothesis draws mostly arrays that are empty or hold one value, where wrong axes and mixed-up elements
# go unnoticed (tests/mutate.py found that). So most shapes are these.
USUAL = st.sampled_from([(2, 3), (3, 2), (3,), (2, 3, 2), (2, 1, 3)])
SIDES = {"min_dims": 0, "max_dims": 3, "min_side": 0, "max_side": 3}
SHAPES = mostly(USUAL, array_shapes(**SIDES))
NOT_EMPTY = mostly(USUAL, array_shapes(**{**SIDES, "min_side": 1}))
WITH_AXES = mostly(USUAL, array_shapes(**{**SIDES, "min_dims": 1}))
ALONG = mostly(USUAL, array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))     # softmax of nothing is undefined


class Sample(NamedTuple):
    """Inputs to try an operation on, and the result computed in another way, where there is one."""

    strategy: st.SearchStrategy          # of (arrays, settings)
    reference: object                    # function of (*arrays, **settings)


@st.composite
def values(draw, shapes, least=-2.0, most=2.0):
    """Arrays of these shapes with values that all differ and keep away from 0, so that no kink is near."""
    sizes = [math.prod(shape) for shape in shapes]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = max(sum(sizes), 1)
    spread = least + (most - least) * (rng.permutation(n) + rng.uniform(0.3, 0.7, n)) / n
    spread = np.where(np.abs(spread) < 1e-3, 0.01, spread)
    parts = np.split(spread[:sum(sizes)], np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def together(count):
    """Shapes that broadcast against each other."""
    parts = USUAL.flatmap(lambda shape: st.tuples(*[st.sampled_from([shape, shape[1:], (*shape[:-1], 1)])] * count))
    anything = mutually_broadcastable_shapes(num_shapes=count, **SIDES)
    return mostly(parts, anything.map(lambda shapes: shapes.input_shapes))


@st.composite
def elementwise(draw, count=1, least=-2.0, most=2.0, condition=False, **settings):
    """`count` arrays whose shapes broadcast together, and a strategy for each setting."""
    arrays = draw(values(draw(together(count)), least, most))
    if condition:
        arrays[0] = arrays[0] > 0
    return arrays, {name: draw(s) for name, s in settings.items()}


def axes(shape, one=False):
    """None, an axis, or several axes of an array of this shape."""
    ndim = len(shape)
    single = st.integers(-ndim, ndim - 1) if ndim else st.nothing()
    if one:
        return single
    if not ndim:
        return st.none() | st.just(())
    return mostly(single, st.none() | st.sets(st.integers(0, ndim - 1)).map(tuple))


@st.composite
def reduction(draw, shapes=SHAPES, one=False, keepdims=True):
    shape = draw(shapes)
    settings = {"axis": draw(axes(shape, one))}
    if keepdims:
        settings["keepdims"] = draw(mostly(st.just(False), st.just(True)))
    return draw(values([shape])), settings


@st.composite
def reshaping(draw):
    shape = draw(SHAPES)
    new = draw(st.permutations(shape)) + [1] * draw(st.integers(0, 1))
    if draw(st.booleans()) and 0 not in new:
        new = [math.prod(new)]
    return draw(values([shape])), {"shape": tuple(new)}


@st.composite
def permuting(draw):
    shape = draw(SHAPES)
    axes = draw(st.permutations(range(len(shape))))
    return draw(values([shape])), {"axes": tuple(i - len(shape) if draw(st.booleans()) else i for i in axes)}


@st.composite
def broadcasting(draw):
    shapes = draw(together(2))
    return draw(values(shapes[:1])), {"shape": np.broadcast_shapes(*shapes)}


@st.composite
def an_index(draw, shape):
    """Slices and numbers, arrays of positions (repeated ones too), a mask, or a mixture."""
    kinds = [basic_indices(shape, allow_newaxis=True)]
    if shape and 0 not in shape:
        kinds += [integer_array_indices(shape, result_shape=array_shapes(max_dims=2, max_side=3)),
                  st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=4).map(
                      lambda positions: (np.array(positions), Ellipsis, None))]
    kinds.append(st.lists(st.booleans(), min_size=math.prod(shape), max_size=math.prod(shape)).map(
        lambda flags: np.array(flags, bool).reshape(shape)))
    return draw(st.one_of(kinds))


@st.composite
def indexing(draw):
    shape = draw(SHAPES)
    return draw(values([shape])), {"index": draw(an_index(shape))}


@st.composite
def adding_at(draw):
    shape = draw(SHAPES)
    index = draw(an_index(shape))
    return draw(values([np.zeros(shape)[index].shape])), {"index": index, "shape": shape}


def add_at(a, *, index, shape):
    y = np.zeros(shape)
    where = np.arange(y.size).reshape(shape)[index]
    for position, value in zip(np.ravel(where), np.ravel(a), strict=True):
        y.flat[position] += value
    return y


@st.composite
def joining(draw):
    shape = draw(WITH_AXES)
    axis = draw(st.integers(-len(shape), -1) | st.integers(0, len(shape) - 1))
    lengths = draw(st.lists(mostly(st.integers(1, 3), st.just(0)), min_size=1, max_size=3))
    shapes = [tuple(n if i == axis % len(shape) else m for i, m in enumerate(shape)) for n in lengths]
    return draw(values(shapes)), {"axis": axis, "starts": (0, *(sum(lengths[:i + 1]) for i in range(len(lengths))))}


@st.composite
def factors(draw):
    """Values of which none, one or two are 0."""
    a, = draw(values([draw(WITH_AXES)]))
    for position in draw(st.lists(st.integers(0, max(a.size - 1, 0)), max_size=2)) if a.size else ():
        a.flat[position] = 0
    return [a], {}


@st.composite
def products(draw):
    n, k, m = (draw(mostly(st.integers(2, 3), st.integers(0, 1))) for _ in range(3))
    stacks = mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=2, min_side=0, max_side=2)
    left, right = draw(mostly(st.sampled_from([((), ()), ((2,), (2,)), ((2,), ()), ((2, 1), (2,))]),
                              stacks.map(lambda shapes: shapes.input_shapes)))
    return draw(values([(*left, n, k), (*right, k, m)])), {}
