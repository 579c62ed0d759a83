"""Pictures with matplotlib: data first, then ``ax=...``; without it each function makes a figure of its own.

What comes back is what was drawn or counted; ``line.figure.savefig("picture.png")`` writes the picture. Nothing here
touches matplotlib's global state, so it works without a screen. ``tn.plots`` is imported when it is first asked for:
``import tinygrad_nuc`` stays quick.
"""

from .animation import TrainingAnimation, animate
from .boundary import decision_boundary, fitted_curve
from .classification import (
    confusion_matrices,
    response_histogram,
    roc_curves,
    variable_histogram,
)
from .comparison import response_histograms, roc_curves_and_corner, variable_histograms
from .directions import Directions, path_directions, random_directions
from .figures import BLUE, ORANGE, PALETTE, finish, finish_scale, grid
from .functions import activation_functions
from .graph import computational_graph
from .images import filters, images
from .learning import draw_history, learning_curve
from .measurement import measurements
from .parameters import gradient_norms, histograms_over_time
from .pieces import activation_regions, linear_pieces
from .surface import loss_surface
