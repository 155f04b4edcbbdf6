"""Comparisons of methods: the right cell, and intervals of differences within repeats."""

import numpy as np
import pytest

from lsmi_core import InvalidInputError
from lsmi_core.applications.comparison import Comparison, over_repeats
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


class StopHereError(Exception):
    pass


def test_repeats_are_measured_once_kept_and_told_of():
    done, told, kept = [], [], {}

    def measure(repeat, report):
        report(0.5)
        done.append(repeat)
        return np.full((2, 1), repeat)

    found = over_repeats(measure, 3, lambda *at: told.append(at), {1: np.full((2, 1), 7)}, kept.__setitem__)
    assert found.tolist() == [[[0, 7, 2]], [[0, 7, 2]]]
    assert done == sorted(kept) == [0, 2]
    assert told == [(100, 300), (150, 300), (200, 300), (250, 300), (300, 300)]


def test_a_listener_that_raises_ends_it_and_what_was_kept_stays_kept():
    kept = {}

    def cancel(done, total):
        if done == 100:
            raise StopHereError

    with pytest.raises(StopHereError):
        over_repeats(lambda repeat, report: np.zeros(1), 2, cancel, keep=kept.__setitem__)
    assert list(kept) == [0]
