"""What a physicist does with a classifier's response: how many kaons are in the sample, and how sure?

Reading order: `cuts` (a classifier made by hand), `abundance` (counting), `template_fit` (using the whole
response), `methods` (all side by side).
"""

from .abundance import Abundance, adjusted_count, count_two_bins, naive_count, toy_pulls
from .cuts import RectangularCuts
from .methods import all_abundances, pulls_of_methods
from .template_fit import count_in_bins, fit_counts, quantile_bins, template_fit

__all__ = [
    "Abundance",
    "RectangularCuts",
    "adjusted_count",
    "all_abundances",
    "count_in_bins",
    "count_two_bins",
    "fit_counts",
    "naive_count",
    "pulls_of_methods",
    "quantile_bins",
    "template_fit",
    "toy_pulls",
]
