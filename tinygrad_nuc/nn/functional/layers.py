"""Layers as plain functions of tensors and weights."""

from ...engine.tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b.

    Parameters
    ----------
    input : Tensor, shape (…, in_features)
    weight : Tensor, shape (out_features, in_features)
    bias : Tensor, shape (out_features,), optional

    Raises
    ------
    TypeError
        If `input` is not a tensor, or of another dtype than the weights.
    ValueError
        If the last dimension of `input` is not in_features.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.linear(tn.ones(1, 2), tn.tensor([[1.0, 2.0]]), tn.tensor([0.5]))
    tensor([[3.5000]])
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"linear: the input is a {type(input).__name__}, not a tensor: write tn.tensor(x)")
    if input.dtype != weight.dtype:
        raise TypeError(f"linear: the input is {input.dtype} and the weights are {weight.dtype}; convert the input "
                        "with .float() or .double(), or the model with model.float() or model.double()")
    if not input.ndim or input.shape[-1] != weight.shape[-1]:
        raise ValueError(f"linear: the input of shape {input.shape} does not fit weights of shape {weight.shape}; "
                         f"its last dimension must be {weight.shape[-1]}")
    rows = input if input.ndim <= 2 else input.flatten(0, -2)       # one large product, not many small ones
    y = rows @ weight.T
    if bias is not None:
        y = y + bias
    return y if input.ndim <= 2 else y.reshape(*input.shape[:-1], weight.shape[0])
