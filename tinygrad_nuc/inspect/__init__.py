"""What learners look with: so far, the gradient check."""

from .gradient_check import GradcheckError, gradcheck, gradgradcheck
