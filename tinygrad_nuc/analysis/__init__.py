"""What a physicist does with a classifier's response: how many kaons are in the sample, and how sure?

Reading order: `cuts` (a classifier made by hand), `performance` (how often one is right), `calibration` (whether its
probabilities are), `abundance` (counting), `template_fit` (using the whole response), `methods` (all side by side),
`goodness` (whether the sample is a mixture at all).
"""

from .abundance import Abundance, adjusted_count, count_two_bins, naive_count, toy_pulls
from .calibration import Reliability, expected_calibration_error, reliability
from .cuts import RectangularCuts
from .goodness import mixture_chi2
from .methods import abundance_table, all_abundances, pulls_of_methods
from .performance import Performance, area_under_roc, performance_table
from .template_fit import count_in_bins, fit_counts, quantile_bins, template_fit

__all__ = [
    "Abundance",
    "Performance",
    "RectangularCuts",
    "Reliability",
    "abundance_table",
    "adjusted_count",
    "all_abundances",
    "area_under_roc",
    "count_in_bins",
    "count_two_bins",
    "expected_calibration_error",
    "fit_counts",
    "mixture_chi2",
    "naive_count",
    "performance_table",
    "pulls_of_methods",
    "quantile_bins",
    "reliability",
    "template_fit",
    "toy_pulls",
]
