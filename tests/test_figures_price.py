"""The figure of the price of pruning: exact lines and bands, the recommended policy bold, the share marked."""

from __future__ import annotations

import pandas as pd
import pytest

from curation.figures import price_figure

LINES = pd.DataFrame(
    [
        ("random", 0.5, 0.70, 0.68, 0.72), ("random", 0.1, 0.50, 0.45, 0.55), ("random", 1.0, 0.9, 0.9, 0.9),
        ("chosen", 0.1, 0.60, 0.58, 0.62), ("chosen", 0.5, 0.75, 0.74, 0.76), ("chosen", 1.0, 0.9, 0.9, 0.9),
    ],
    columns=["policy", "budget", "mean", "low", "high"],
)  # fmt: skip
TITLES = {"chosen": "Chosen <b>for</b> you", "random": "Random"}


def drawn(share: float = 0.4):
    return price_figure(LINES, TITLES, "chosen", share, "Right answers", "5 repeats")


def test_lines_and_bands_are_the_figures():
    band, line, _, other = drawn().data
    assert (list(line.x), list(line.y)) == ([0.1, 0.5, 1.0], [0.60, 0.75, 0.9])
    assert (list(other.x), list(other.y)) == ([0.1, 0.5, 1.0], [0.50, 0.70, 0.9])
    assert list(band.x) == [0.1, 0.5, 1.0, 1.0, 0.5, 0.1]
    assert list(band.y) == [0.58, 0.74, 0.9, 0.9, 0.76, 0.62]
    assert line.hovertext[1].endswith("50% stays: <b>75.0%</b><br>90 % interval 74.0% … 76.0%")


def test_the_recommended_policy_is_bold_and_names_stay_text():
    _, line, _, other = drawn().data
    assert line.line.width > 2 * other.line.width and line.zorder > other.zorder, "and no other line covers it"
    assert line.name == "<b>Chosen &lt;b>for&lt;/b> you</b>" and other.name == "Random"
    assert line.line.color != other.line.color


@pytest.mark.parametrize(("share", "side"), [(0.05, "left"), (0.95, "right")])
def test_the_share_is_marked_with_words_inside_the_figure(share, side):
    figure = drawn(share)
    (mark,), (words,) = figure.layout.shapes, figure.layout.annotations
    assert mark.x0 == mark.x1 == words.x == share
    assert words.text == f"{share:.0%} stays" and words.xanchor == side


def test_the_subtitle_says_how_it_was_measured():
    assert "5 repeats" in drawn().layout.legend.title.text
    assert drawn().layout.yaxis.title.text == "Right answers"
