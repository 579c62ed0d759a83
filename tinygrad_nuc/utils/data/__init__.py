"""Data sets, and loaders that cut them into batches."""

from .dataset import Dataset, Subset, TensorDataset, random_split
from .idx import read_idx, read_idx_folder
from .loader import DataLoader
from .mapped import MappedDataset
from .public_files import fetch
