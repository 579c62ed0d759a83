"""Derivatives of functions (``tn.func``), named and called as in torch.autograd.functional.

They compose. Results carry a history exactly if they can pass a gradient on: to an input that requires one, to the
vector v, or to another tensor that the function uses; ``create_graph=False`` drops it.
"""

from .engine.functions import hessian, hvp, jacobian, jvp, vjp
