"""A network that has as many linear regions as its size allows."""

from typing import Any

import numpy as np

from ..engine.generator import get_rng_state, set_rng_state
from ..nn.activations import ReLU
from ..nn.containers import Sequential
from ..nn.layers import Linear
from ..utils.arguments import whole_number


def folding_network(layers: int = 5, units: int = 10, *, dtype: Any = np.float64) -> Sequential:
    """A network with one input that has (units + 1)^layers linear regions between 0 and 1: more are impossible.

    Every hidden layer computes the same f, which goes up and down between 0 and 1 in units + 1 straight pieces. Like a
    strip of paper that is folded, and folded again, the interval has units + 1 times as many pieces after each layer.

    f(x) = c + Σ_j a_j max(s_j (x − t_j), 0). The joints t_j lie between pieces of lengths ℓ_0, ℓ_1, … The slopes
    m_i = (−1)^i / ℓ_i alternate, so a_j = m_j − m_{j−1}. To the left of all joints only units that face left (s = −1)
    are active, so there −Σ a_j over those units must be m_0 = 1 / ℓ_0. With pieces of equal lengths all a_j are
    ± 2 m_0, and no sum of them is −m_0. Here the third unit faces left and ℓ_2 = ℓ_3 = 2 ℓ_0, so that
    a_3 = −(1/ℓ_2 + 1/ℓ_3) = −m_0.

    With 10 units the lengths are 1, 1, 2, 2, 2, 2, 2, 1, 1, 1, 1 sixteenths, and all numbers are exact in binary.

    Source for the idea of folding: G. Montúfar et al., "On the number of linear regions of deep neural networks",
    NeurIPS 2014.

    Parameters
    ----------
    layers : int
        Hidden layers.
    units : int
        Of each hidden layer, at least 3: with fewer, no f reaches from 0 to 1 on each of its pieces.
    dtype : dtype
        Of the weights. float32 has too few digits for most sizes.

    Returns
    -------
    Sequential
        Of Linear and ReLU; 471 parameters with 5 layers of 10.

    Raises
    ------
    ValueError
        If a number is not whole, or too small.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> model = tn.inspect.folding_network(layers=5, units=10)
    >>> sum(p.numel() for p in model.parameters())
    471
    >>> tn.inspect.linear_regions(model, 0, 1)
    LinearRegions(count=161,051, from 0 to 1, activation_patterns=161,051, upper_bound=161,051)
    """
    layers = whole_number("folding_network", "layers", layers)
    units = whole_number("folding_network", "units", units, least=3)
    lengths = piece_lengths(units)
    t = np.cumsum(lengths)[:-1]
    m = np.resize([1.0, -1.0], units + 1) / lengths
    a = np.diff(m)
    s = np.ones(units)
    s[2] = -1.0
    c = -a[2] * t[2]                                                        # f(0) = 0

    wide = Sequential(*[part for i in range(layers) for part in (linear(1 if i == 0 else units, units, dtype), ReLU())],
                      linear(units, 1, dtype))
    state: dict[str, np.ndarray] = {}
    for i in range(layers):
        into = np.outer(s, a) if i else s[:, None]                          # s_j (f − t_j), where f = c + a · h
        state |= {f"{2 * i}.weight": into, f"{2 * i}.bias": s * ((c if i else 0.0) - t)}
    state |= {f"{2 * layers}.weight": a[None], f"{2 * layers}.bias": np.array([c])}
    wide.load_state_dict(state)
    return wide


def piece_lengths(units: int) -> np.ndarray:
    """ℓ_0, ℓ_1, …, which add up to 1: all equal but for the third, the fourth and some after them, twice as long."""
    # as many twice as long as make the sum a power of 2, if that can be, so that nothing has to be rounded
    long = 2 ** (units + 2).bit_length() - (units + 1)
    lengths = np.ones(units + 1)
    lengths[2:2 + (long if long <= units - 1 else 2)] = 2.0
    return lengths / lengths.sum()


def linear(in_features: int, out_features: int, dtype: Any) -> Linear:
    """A layer whose first weights, which are to be replaced, are not taken from the random numbers of others."""
    state = get_rng_state()
    try:
        return Linear(in_features, out_features, dtype=dtype)
    finally:
        set_rng_state(state)
