"""Linear algebra, named as in torch.linalg."""

from .operations.linear_algebra import cholesky, det, inv, matrix_power, slogdet, solve
from .operations.norms import linalg_norm as norm
from .operations.norms import matrix_norm, vector_norm
from .operations.pseudo_inverse import pinv
from .operations.vectors import linalg_cross as cross
from .operations.vectors import multi_dot, vecdot
