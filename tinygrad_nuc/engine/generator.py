"""The one seeded generator behind every random number of the library."""

from typing import Any

import numpy as np

_generator = np.random.default_rng()
stand_in: Any = None            # while a step is recorded, to be replayed: draws, and has every draw noted
_seed: int | None = None


def manual_seed(seed: int) -> np.random.Generator:
    """Restart the generator behind every random number of this library, and return it.

    The same seed gives the same weights, shuffles and training run, bit for bit, on the same machine.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(1)
    >>> a = tn.rand(3)
    >>> _ = tn.manual_seed(1)
    >>> bool((tn.rand(3) == a).all())
    True
    """
    global _generator, _seed
    _generator, _seed = np.random.default_rng(seed), seed
    return _generator


def initial_seed() -> int | None:
    """The number that `manual_seed` was last given; None if it never was.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(8)
    >>> tn.initial_seed()
    8
    """
    return _seed


def default_generator() -> np.random.Generator:
    """The generator that `manual_seed` restarts.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.default_generator() is tn.manual_seed(0)
    False
    """
    return _generator if stand_in is None else stand_in


def uniform(low: float, high: float, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Numbers spread evenly over [low, high), drawn in float64 and rounded to `dtype`."""
    largest = float(np.finfo(dtype).max)
    if not -largest <= low <= high <= largest:
        raise ValueError(f"uniform numbers of {np.dtype(dtype)} need low ≤ high, both at most {largest:g} in size, not "
                         f"{low} and {high}")
    x = default_generator().uniform(low, high, shape).astype(dtype)
    below_high = np.nextafter(np.asarray(high, dtype), np.asarray(low, dtype))
    return np.where(x < high, x, below_high)                # rounding may have led to high itself


def get_rng_state() -> dict[str, Any]:
    """Where the generator stands, to go back there with `set_rng_state`; `tinygrad_nuc.save` can store it.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> state = tn.get_rng_state()
    >>> a = tn.rand(3)
    >>> tn.set_rng_state(state)
    >>> bool((tn.rand(3) == a).all())
    True
    """
    return dict(_generator.bit_generator.state)


def set_rng_state(state: dict[str, Any]) -> None:
    """Go back to where the generator stood when `get_rng_state` was asked.

    Examples
    --------
    See `get_rng_state`:

    >>> import tinygrad_nuc as tn
    >>> tn.set_rng_state(tn.get_rng_state())
    """
    _generator.bit_generator.state = generator_at(state).bit_generator.state


def generator_at(state: dict[str, Any]) -> np.random.Generator:
    """A new generator that stands at `state`, of whatever kind the state is of."""
    kind = getattr(np.random, str(state["bit_generator"]))
    bits = kind()
    bits.state = {name: _plain(part) for name, part in state.items()}
    return np.random.Generator(bits)


def _plain(part: Any) -> Any:
    """Arrays where a file gave tensors; NumPy's generators accept nothing else."""
    if isinstance(part, dict):
        return {name: _plain(x) for name, x in part.items()}
    return getattr(part, "data", part) if hasattr(part, "requires_grad") else part
