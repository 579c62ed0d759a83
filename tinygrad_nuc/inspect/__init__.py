"""What learners look with: the gradient check, why a gradient is missing, and a table of a network's layers."""

from .folding import folding_network
from .gradient_check import GradcheckError, gradcheck, gradgradcheck
from .linear_regions import LinearRegions, linear_regions, max_linear_regions
from .model_summary import ModelSummary, summary
from .no_gradient import why_no_gradient
from .snapshots import Snapshots
