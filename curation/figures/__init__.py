"""Scores to plotly figures. Pure: frames and arrays in, a Figure out, nothing read from disk or screen.

Frames and arrays are raw and in nats; a :class:`Reading` says how they are drawn and what the subtitle says. However
many samples there are, no figure holds more than a few thousand points.
"""

from curation.figures.cloud import Cloud, Names, Score
from curation.figures.compared import compared_figure
from curation.figures.counts import balance_figure, before_after_figure, groups_figure, histogram_figure
from curation.figures.fingerprint import fingerprint_figure
from curation.figures.known import known_answers_figure
from curation.figures.maps import MOST_POINTS, map_figure, quadrants_figure
from curation.figures.price import price_figure
from curation.figures.reading import Reading, reading_of
from curation.figures.ridges import ridges_figure

__all__ = [
    "MOST_POINTS", "Cloud", "Names", "Reading", "Score", "balance_figure", "before_after_figure", "compared_figure",
    "fingerprint_figure", "groups_figure", "histogram_figure", "known_answers_figure", "map_figure", "price_figure",
    "quadrants_figure", "reading_of", "ridges_figure",
]  # fmt: skip
