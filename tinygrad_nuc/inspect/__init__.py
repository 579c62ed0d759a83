"""What learners look with: the gradient check, and why a gradient is missing."""

from .gradient_check import GradcheckError, gradcheck, gradgradcheck
from .no_gradient import why_no_gradient
