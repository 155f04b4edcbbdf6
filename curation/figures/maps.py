"""Maps of samples: points while they are few, a picture with invisible points above it when they are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from curation.figures.cloud import Cloud, Names, Score, points, ring, sensors
from curation.figures.raster import paint, picture
from curation.figures.reading import Reading
from curation.figures.style import GREY, beside, finished, letters, on_lines

__all__ = ["MOST_POINTS", "map_figure", "quadrants_figure"]

MOST_POINTS = 3_000
HEIGHT = 560


def map_figure(
    cloud: Cloud, colours: Names | Score, reading: Reading, extent: Sequence[float] | None = None
) -> go.Figure:
    """Return the map of the samples in any space, coloured by names or by a score.

    Up to 3,000 samples are points. More are a picture; above it lie at most 1,429 invisible points with identifiers, so
    that one can click, and boxes and lassos come back in the coordinates of the cloud.

    Parameters
    ----------
    cloud : Cloud
    colours : Names or Score
    reading : Reading
    extent : left, right, bottom, top, optional
        Part of the map to draw; by default all of it. A picture of a part has finer cells.

    Returns
    -------
    plotly.graph_objects.Figure
        Points carry their ``sample_id`` as customdata.
    """
    extent = extent or _extent(cloud)
    figure = _drawn(cloud, colours, extent)
    figure.update_layout(
        xaxis={"visible": False, "range": list(extent[:2])}, yaxis={"visible": False, "range": list(extent[2:])}
    )
    return _told(figure, cloud, colours, reading)


def quadrants_figure(
    cloud: Cloud, colours: Names | Score, modality_names: tuple[str, str], reading: Reading
) -> go.Figure:
    """Return what the first modality tells against what the second tells, with the corners in plain words.

    Parameters
    ----------
    cloud : Cloud
        x and y are i1 and i2, in nats.
    colours : Names or Score
    modality_names : tuple of str
    reading : Reading

    Returns
    -------
    plotly.graph_objects.Figure
        Both axes have the same range, in the unit of the reading: boxes and lassos come back in this unit.
    """
    cloud = replace(cloud, x=reading.values("i1", cloud.x), y=reading.values("i2", cloud.y))
    low, high = _common(cloud)
    figure = _drawn(cloud, colours, (low, high, low, high))
    titles = [f"what the {name} tells, {reading.unit}" for name in modality_names]
    axis = {"range": [low, high], "zeroline": True, "zerolinewidth": 1.5, "zerolinecolor": GREY, "nticks": 7}
    figure.update_layout(
        xaxis=axis | {"title": letters(titles[0]), "automargin": True},
        yaxis=axis | {"title": letters(titles[1]), "automargin": True},
        shapes=[{"type": "line", "x0": low, "y0": low, "x1": high, "y1": high, "line": {"color": GREY, "dash": "dot"}}],
        annotations=_corners(modality_names),
    )
    outside = int((cloud.placed & ((np.minimum(cloud.x, cloud.y) < low) | (np.maximum(cloud.x, cloud.y) > high))).sum())
    return _told(figure, cloud, colours, reading, f" · {outside:,} lie outside" if outside else "")


def _drawn(cloud: Cloud, colours: Names | Score, extent: Sequence[float]) -> go.Figure:
    """Return the samples without axes: as points, or as a picture below invisible points."""
    many = len(cloud) > MOST_POINTS
    marks = [sensors(cloud, extent)] if many else points(cloud, colours)
    figure = go.Figure([*marks, *ring(cloud), *colours.legend()])
    if many:
        left, right, bottom, top = extent
        figure.update_layout(images=[{
            "source": picture(paint(cloud, colours, extent)), "xref": "x", "yref": "y", "x": left, "y": top,
            "sizex": right - left, "sizey": top - bottom, "sizing": "stretch", "layer": "below",
        }])  # fmt: skip
        # Nothing but the picture is there to be hidden by a click on the legend.
        figure.update_layout(legend={"itemclick": False, "itemdoubleclick": False})
        figure.update_traces(selector={"legendgroup": "sensors"}, selected={"marker": {"opacity": 0}},
                             unselected={"marker": {"opacity": 0}})  # fmt: skip
    return figure


def _told(figure: go.Figure, cloud: Cloud, colours: Names | Score, reading: Reading, more: str = "") -> go.Figure:
    told = f"colour: {on_lines(colours.title, 1, 40)}<br>{reading.subtitle(int(cloud.lit.sum()), len(cloud))}{more}"
    if cloud.uncertain is not None:
        told += "<br>" + ("fainter" if len(cloud) > MOST_POINTS else "hollow") + ": not certain"
    finished(figure, told, HEIGHT, legend=isinstance(colours, Names))
    lines = told.count("<br>") + 1
    return figure.update_layout(dragmode="pan", margin={"t": 18 + 17 * lines})


def _extent(cloud: Cloud) -> tuple[float, float, float, float]:
    """Return the ends of the map with a margin, so that no point is cut."""
    ends = []
    for values in (cloud.x, cloud.y):
        seen = values[np.isfinite(values)]
        low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
        margin = 0.03 * (high - low) or 0.5
        ends += [low - margin, high + margin]
    return tuple(ends)


def _common(cloud: Cloud) -> tuple[float, float]:
    """Return one range for both axes that holds 0 and all but the outermost samples."""
    seen = np.concatenate([cloud.x[cloud.placed], cloud.y[cloud.placed], [0.0]])
    low, high = np.quantile(seen, (0.001, 0.999))
    margin = 0.06 * (high - low) or 0.5
    return float(min(low, 0.0) - margin), float(max(high, 0.0) + margin)


def _corners(modality_names: tuple[str, str]) -> list[dict]:
    """Return the words of the corners; on the diagonal they stand beside it."""
    a, b = modality_names
    words = (
        ("Both say it", 0.93, 0.99), (f"Only the {a} says it", 0.99, 0.01), (f"Only the {b} says it", 0.01, 0.99),
        ("Both mislead", 0.07, 0.01),
    )  # fmt: skip
    return [
        beside(f"<b>{on_lines(text, 2, 24)}</b>", xref="paper", yref="paper", x=x, y=y, align="right" if x > 0.5 else
               "left", xanchor="right" if x > 0.5 else "left", yanchor="top" if y > 0.5 else "bottom")
        for text, x, y in words
    ]  # fmt: skip
