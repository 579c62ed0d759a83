"""The one seeded generator behind every random number of the library."""

import numpy as np

_generator = np.random.default_rng()


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
    global _generator
    _generator = np.random.default_rng(seed)
    return _generator


def default_generator() -> np.random.Generator:
    """The generator that `manual_seed` restarts.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.default_generator() is tn.manual_seed(0)
    False
    """
    return _generator
