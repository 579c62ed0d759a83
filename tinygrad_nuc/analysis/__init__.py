"""What a physicist does with a classifier's response: how many kaons are in the sample, and how sure?

Reading order: `abundance` (counting), `template_fit` (using the whole response).
"""

from tinygrad_nuc.analysis.abundance import Abundance, adjusted_count, naive_count, toy_pulls
from tinygrad_nuc.analysis.template_fit import fit_counts, quantile_bins, template_fit

__all__ = [
    "Abundance",
    "adjusted_count",
    "fit_counts",
    "naive_count",
    "quantile_bins",
    "template_fit",
    "toy_pulls",
]
