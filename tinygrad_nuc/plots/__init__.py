"""Pictures with matplotlib: each function draws into the axes it is given and returns what it drew or counted.

Nothing here touches matplotlib's global state, so it works without a screen. The package does not import this
module by itself: ``import tinygrad_nuc`` stays quick.
"""

from .classification import (
    confusion_matrices,
    response_histogram,
    roc_curves,
    variable_histogram,
)
from .figures import grid
from .images import images
from .learning import draw_history, learning_curve
from .measurement import measurements
