"""Automatic differentiation under PyTorch's names: ``tn.autograd.grad``, ``tn.autograd.functional.jacobian`` ..."""

from . import func as functional
from .engine.grad_mode import enable_grad, no_grad, set_grad_enabled
from .engine.transforms import grad
from .inspect.gradient_check import gradcheck, gradgradcheck
