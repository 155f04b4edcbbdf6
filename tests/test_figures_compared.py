"""The figure of methods side by side: exact dots and intervals, ours in colour, the ceiling hollow."""

import numpy as np
import pandas as pd

from curation.figures import compared_figure
from curation.figures.style import GREY, SELECTED

VALUES = pd.DataFrame(
    [("Ours", 0.8, 0.7, 0.9), ("<b>Plain</b>", 0.6, -np.inf, np.inf), ("Ceiling", 0.95, 0.94, 0.96)],
    columns=["method", "mean", "low", "high"],
)


def drawn(in_shares=True):
    return compared_figure(VALUES, "Ours", ["Ceiling"], "Right answers", in_shares, "2 repeats")


def test_dots_and_intervals_are_the_figures():
    first, last, dots = drawn().data
    assert list(dots.x) == [0.8, 0.6, 0.95]
    assert list(dots.y) == [2, 1, 0]
    assert (list(first.x), list(first.y)) == ([0.7, 0.9], [2, 2])
    assert (list(last.x), list(last.y)) == ([0.94, 0.96], [0, 0])
    assert list(dots.text) == ["80.0%", "60.0%", "95.0%"]
    assert list(drawn(in_shares=False).data[-1].text) == ["0.800", "0.600", "0.950"]


def test_ours_is_in_colour_and_the_ceiling_hollow():
    dots = drawn().data[-1]
    assert list(dots.marker.color) == [SELECTED, GREY, GREY]
    assert list(dots.marker.symbol) == ["circle", "circle", "diamond-open"]


def test_names_stay_text():
    figure = drawn()
    assert figure.layout.yaxis.ticktext[1] == "&lt;b>Plain&lt;/b>"
    assert figure.data[-1].hovertext[1].startswith("&lt;b>Plain&lt;/b>: <b>60.0%</b>")
