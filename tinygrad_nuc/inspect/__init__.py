"""What learners look with: the steps of a program and its graph, regions of a network, gradients checked or missing."""

from .folding import folding_network
from .gradient_check import GradcheckError, gradcheck, gradgradcheck
from .linear_regions import LinearRegions, linear_regions, max_linear_regions
from .model_summary import ModelSummary, summary
from .no_gradient import why_no_gradient
from .snapshots import Snapshots
from .stepping.drawing import Drawing, draw
from .stepping.player import player
from .stepping.trace import record, trace
from .stepping.trace_steps import Trace
