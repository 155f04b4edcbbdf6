"""Comparisons of methods: the right cell, and intervals of differences within repeats."""

import numpy as np
import pytest

from lsmi_core import InvalidInputError
from lsmi_core.applications.comparison import Comparison
from lsmi_core.intervals import mean_interval

VALUES = np.arange(24.0).reshape(2, 2, 2, 3) ** 2
COMPARED = Comparison(("ours", "plain"), ("intact", "missing"), ("accuracy", "ece"), VALUES)


def test_a_cell_is_found_by_its_names():
    assert COMPARED.of("plain", "intact", "ece").tolist() == [225, 256, 289]


def test_a_gain_is_that_of_the_repeats_one_by_one():
    assert COMPARED.gain("plain", "ours", "missing", "accuracy") == mean_interval(VALUES[1, 1, 0] - VALUES[0, 1, 0])
    assert COMPARED.gain("ours", "ours", "missing", "accuracy") == (0, 0, 0)


def test_every_value_has_a_row():
    rows = COMPARED.rows()
    assert len(rows) == 24
    assert rows[4] == {"method": "ours", "condition": "intact", "metric": "ece", "repeat": 1, "value": 16.0}


@pytest.mark.parametrize("names", [("none", "intact", "ece"), ("ours", "none", "ece"), ("ours", "intact", "none")])
def test_a_name_that_is_none_is_refused(names):
    with pytest.raises(InvalidInputError, match="must be one of .* Got 'none' instead"):
        COMPARED.of(*names)
