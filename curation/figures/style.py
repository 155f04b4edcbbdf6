"""What all figures share: colours with one meaning each, labels that fit, margins, subtitles."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from curation.plainly import one_line

__all__ = [
    "ALL", "FAINT", "GREY", "NAME_COLOURS", "SELECTED", "beside", "category_axis", "finished", "letters", "on_lines",
    "shortened",
]  # fmt: skip

ALL = "All samples"
GREY = "#8A8A8A"
FAINT = "#A9B1B7"
SELECTED = "#0072B2"
# The farthest apart of forty candidates for normal, protan and deutan eyes, all visible on white and on the dark page.
# None of them is the colour of a term: those have one meaning everywhere.
NAME_COLOURS = (
    "#3E6FB0", "#B2182B", "#8CD17D", "#B07AA1", "#66CCEE", "#999933", "#5A5AD6", "#FFAABB", "#9D7660", "#BBCC33",
)  # fmt: skip
LINE = 20
"""Characters on a line beside an axis: two thirds of a narrow screen are left to the figure."""
LEAST_HEIGHT = 380
"""Plotly gives a legend half of a figure at most: a narrow screen wraps it into five lines and a subtitle."""
TOOLS = {"bgcolor": "rgba(0,0,0,0)", "color": "#7B8790", "activecolor": "#1F87A8"}
"""Of the buttons above a figure: plotly would make a grey bar of a ground that is see-through."""
CROWDED = 40
"""Rows from which labels have one line only."""


def letters(text: object) -> str:
    """Return text that plotly shows letter by letter: it reads some HTML, and braces as places to fill."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace("%{", "%&#123;")


def shortened(text: object, longest: int) -> str:
    """Return text without its middle where it is too long: names of a kind often differ at their ends."""
    line = " ".join(one_line(text).split())
    if len(line) <= longest:
        return line
    kept = longest - 1
    return f"{line[: kept - kept // 2].rstrip()}…{line[-(kept // 2) :].lstrip()}"


def on_lines(label: object, lines: int = 2, width: int = LINE) -> str:
    """Return a label on a few lines, safe to put on an axis; a long one keeps its beginning and its end."""
    wrapped = textwrap.wrap(one_line(label), width)
    if len(wrapped) > lines:
        rest = one_line(label).strip()[len(" ".join(wrapped[: lines - 1])) :]
        wrapped = [*wrapped[: lines - 1], shortened(rest, width) if lines == 1 else f"…{rest[1 - width :].lstrip()}"]
    return "<br>".join(letters(line) for line in wrapped) or "(blank)"


def category_axis(labels: Sequence[str | None], places: np.ndarray, height: float, above: float = 0.6) -> dict:
    """Return a vertical axis with one row a category; None is the whole data set.

    ``height`` in pixels of a row decides about lines and letters, ``above`` is the room over the top row.
    """
    lines = 2 if height >= 30 else 1
    text = [
        f"<b>{ALL}</b>" if label is None else on_lines(label, lines, LINE if lines == 2 else 24) for label in labels
    ]
    return {
        "tickvals": places, "ticktext": text, "range": [places.min() - 0.6, places.max() + above], "automargin": True,
        "showgrid": False, "zeroline": False, "tickfont": {"size": 12 if lines == 2 else 10}, "ticks": "",
        "fixedrange": True,
    }  # fmt: skip


def row_height(rows: int, roomy: int) -> int:
    """Return the pixels of a row: less where there are many."""
    return roomy if rows <= CROWDED else 20


def beside(text: str, **place: object) -> dict:
    """Return a small annotation without an arrow, in the colour that the page gives to figures."""
    return {"text": text, "font": {"size": 11}, "showarrow": False, **place}


def finished(figure: go.Figure, subtitle: str, height: int, legend: bool = True) -> go.Figure:
    """Return the figure with the house's margins, background, legend and subtitle.

    The subtitle stands above the legend as its title: as a title of the figure it would cover a legend that a narrow
    screen has wrapped.
    """
    small = {"size": 12, "weight": "normal"}  # no colour: no grey is readable on white and on the dark page
    at_top = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemsizing": "constant",
              "traceorder": "normal"}  # fmt: skip
    if legend:
        above = {"legend": at_top | {"title": {"text": subtitle, "side": "top", "font": small}}}
    else:  # Streamlit puts <b> around titles
        title = {"text": f'<span style="font-weight:normal">{subtitle}</span>', "font": small, "x": 0}
        place = {"xanchor": "left", "yref": "container", "y": 1 - 12 / height, "yanchor": "top"}
        above = {"title": title | place}
    return figure.update_layout(
        margin={"l": 8, "r": 8, "t": 28, "b": 8}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"align": "left"}, modebar=TOOLS, showlegend=legend,
        height=max(height, LEAST_HEIGHT if legend else 0), **above,
    )  # fmt: skip
