"""A small table, and ways to say what reading it must give."""


import numpy as np
import pytest

from tinygrad_nuc.utils.tables import read_table

PT = [1.5, 2.5, -3.0]
ETA = [0.1, 2e-3, 4.0]
LABEL = [1, 0, 1]
CSV = "pt,eta,label\n1.5,0.1,1\n2.5,2e-3,0\n-3,4,1\n"


def assert_is_the_table(table, names=("pt", "eta")):
    np.testing.assert_array_equal(table.features, np.column_stack([PT, ETA]))
    assert table.features.dtype == np.float64
    assert table.labels.tolist() == LABEL
    assert table.labels.dtype == np.int64
    assert table.names == list(names)
    assert table.classes == ("0", "1")
    assert table.dropped == 0


def refused(path, *fragments, error=ValueError, read=read_table, **options):
    """Assert that the file is refused with one line that begins with its name and says all this."""
    with pytest.raises(error) as caught:
        read(path, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for fragment in fragments:
        assert fragment in message
