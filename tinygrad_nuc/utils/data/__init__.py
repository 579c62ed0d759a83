"""Data sets, and loaders that cut them into batches."""

from .dataset import Dataset, Subset, TensorDataset, random_split
from .loader import DataLoader
