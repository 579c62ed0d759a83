"""What learners look with: the gradient check, why a gradient is missing, and a table of a network's layers."""

from .gradient_check import GradcheckError, gradcheck, gradgradcheck
from .model_summary import ModelSummary, summary
from .no_gradient import why_no_gradient
