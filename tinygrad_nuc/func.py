"""Derivatives of functions (``tn.func``), named and called as in torch.autograd.functional."""

from .engine.functions import hessian, hvp, jacobian, jvp, vjp
