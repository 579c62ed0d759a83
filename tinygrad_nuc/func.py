"""Derivatives of functions (``tn.func``), named and called as in torch.autograd.functional, and modules as functions.

They compose. Results carry a history exactly if they can pass a gradient on: to an input that requires one, to the
vector v, or to another tensor that the function uses; ``create_graph=False`` drops it.
"""

from .engine.functions import hessian, hvp, jacobian, jvp, vjp
from .engine.value_gradient import value_and_grad
from .nn.stateless import functional_call
