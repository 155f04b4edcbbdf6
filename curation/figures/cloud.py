"""Samples as points in a plane, what colours them, and how few of them are drawn one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb, sequential

from curation.figures.style import FAINT, NAME_COLOURS, letters, shortened

__all__ = ["Cloud", "Names", "Score", "points", "ring", "sensors"]

SIGNED = ("#D55E00", "#EBA46E", "#B4BABF", "#6FA5CF", "#2B72B3")  # misleading, through nothing, to telling
REST = "#737D85"  # names beyond those that have a colour
_SOLID = {"size": 7, "opacity": 0.85, "line": {"width": 0}}
_HOLLOW = {"size": 7, "opacity": 0.8, "symbol": "circle-open", "line": {"width": 1.5}}


@dataclass(frozen=True)
class Cloud:
    """Samples in a plane.

    Attributes
    ----------
    x, y : ndarrays of shape (n_samples,)
        Samples without a place are NaN and left out.
    sample_id : ndarray of shape (n_samples,)
    describe : callable
        From positions of samples to the short texts that are shown when one is pointed at; safe as markup.
    selected : bool ndarray of shape (n_samples,), optional
        What is outside is faint grey.
    uncertain : bool ndarray of shape (n_samples,), optional
        Drawn hollow or fainter.
    chosen : str, optional
        Identifier of the sample with a ring.
    """

    x: np.ndarray
    y: np.ndarray
    sample_id: np.ndarray
    describe: Callable[[np.ndarray], Sequence[str]]
    selected: np.ndarray | None = None
    uncertain: np.ndarray | None = None
    chosen: str | None = None

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def at_chosen(self) -> np.ndarray:
        """Position of the sample with a ring; empty where there is none, or where it has no place."""
        return np.flatnonzero((self.sample_id == self.chosen) & self.placed)

    @cached_property
    def placed(self) -> np.ndarray:
        """Which samples have a place."""
        return np.isfinite(self.x) & np.isfinite(self.y)

    @cached_property
    def lit(self) -> np.ndarray:
        """Which samples are in full colour."""
        return self.placed if self.selected is None else self.placed & self.selected


class Names:
    """Colours by category, tag or group: the ten most frequent have one each, the others a common grey.

    Parameters
    ----------
    title : str
    values : sequence of shape (n_samples,)
        A name a sample; a pandas Categorical is quickest.
    colours : dict, optional
        Names with a fixed meaning and their colours, in the order of the legend; by default the most frequent names.
    """

    unit = None

    def __init__(self, title: str, values: Sequence[str], colours: dict[str, str] | None = None) -> None:
        self.title = title
        codes, names = pd.factorize(pd.Series(values))
        if colours is None:
            often = np.argsort(-np.bincount(codes, minlength=len(names)), kind="stable")[: len(NAME_COLOURS)]
            colours = {str(names[i]): colour for i, colour in zip(often, NAME_COLOURS, strict=False)}
        place = {name: i for i, name in enumerate(colours)}
        to = np.array([place.get(str(name), len(colours)) for name in names], dtype=np.intp)
        self.codes, self.colours = to[codes], tuple(colours.values()) + (REST,)
        others = len(names) - int((to < len(colours)).sum())
        self.names = (*colours, f"{others} other{'s' if others > 1 else ''}")

    def legend(self) -> list[go.Scatter]:
        """Return an empty trace a name that occurs, to be pointed at in the legend."""
        return [
            _entry(shortened(self.names[code], 30), self.colours[code], self._group(code))
            for code in np.unique(self.codes)
        ]

    def parts(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, dict, str]]:
        """Yield positions, marker and legend group of the samples of every name; grey others first, below."""
        for code in np.unique(self.codes[rows])[::-1]:
            yield rows[self.codes[rows] == code], {"color": self.colours[code]}, self._group(code)

    def blend(self, cells: np.ndarray, rows: np.ndarray, n_cells: int) -> np.ndarray:
        """Return the colour of the most frequent name in every cell, shape (n_cells, 3); of grey others only alone."""
        counts = np.bincount(self.codes[rows] * n_cells + cells, minlength=len(self.colours) * n_cells)
        counts = counts.reshape(len(self.colours), n_cells)
        most = np.where(counts[:-1].any(axis=0), counts[:-1].argmax(axis=0), len(counts) - 1)
        return np.array([hex_to_rgb(colour) for colour in self.colours], dtype=np.uint8)[most]

    @staticmethod
    def _group(code: int) -> str:
        return f"name {code}"


class Score:
    """Colours by a number: around 0 where it has a sign, else from little to much.

    Parameters
    ----------
    title : str
    values : ndarray of shape (n_samples,)
        As they are to be read.
    unit : str
        Stands beside the colours.
    signed : bool
        Scores such as nats have a sign; suspicions do not.
    """

    def __init__(self, title: str, values: np.ndarray, unit: str = "nats", signed: bool = True) -> None:
        self.title, self.unit, self.values, self.signed = title, unit, np.asarray(values, float), signed
        seen = self.values[np.isfinite(self.values)]
        low, high = np.quantile(seen, (0.01, 0.99)) if len(seen) else (0.0, 1.0)
        reach = max(abs(low), abs(high)) or 1.0
        self.low, self.high = (-reach, reach) if signed else (float(low), float(high if high > low else low + 1.0))
        self.scale = SIGNED if signed else tuple(sequential.Viridis)

    def legend(self) -> list[go.Scatter]:
        """Return an empty trace that carries the colour bar."""
        bar = {"title": {"text": self.unit, "side": "right", "font": {"size": 11}}, "thickness": 9, "outlinewidth": 0,
               "orientation": "h", "y": 0, "yanchor": "top", "len": 0.7, "nticks": 5}  # fmt: skip
        marker = {"color": [self.low], "colorbar": bar, "showscale": True, **self._scale()}
        return [go.Scatter(x=[None], y=[None], mode="markers", marker=marker, showlegend=False, hoverinfo="skip")]

    def parts(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, dict, str]]:
        """Yield positions, marker and legend group of the samples."""
        yield rows, {"color": self.values[rows], **self._scale()}, "score"

    def blend(self, cells: np.ndarray, rows: np.ndarray, n_cells: int) -> np.ndarray:
        """Return the colour of the mean score of every cell, shape (n_cells, 3)."""
        known = np.nan_to_num(self.values[rows], nan=self.low, posinf=self.high, neginf=self.low)
        count = np.maximum(np.bincount(cells, minlength=n_cells), 1)
        mean = np.bincount(cells, np.clip(known, self.low, self.high), minlength=n_cells) / count
        step = (mean - self.low) / (self.high - self.low) * (len(self.scale) - 1)
        stops = np.array([hex_to_rgb(colour) for colour in self.scale], dtype=float)
        channels = [np.interp(step, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
        return np.stack(channels, axis=1).astype(np.uint8)

    def _scale(self) -> dict:
        stops = [[i / (len(self.scale) - 1), colour] for i, colour in enumerate(self.scale)]
        return {"cmin": self.low, "cmax": self.high, "colorscale": stops}


def points(cloud: Cloud, colours: Names | Score) -> list[go.Scattergl]:
    """Return every sample as a point that carries its identifier."""
    away = np.flatnonzero(cloud.placed & ~cloud.lit)
    faint = {"color": FAINT, "opacity": 0.3, "size": 5}
    traces = [go.Scattergl(_points(cloud, away, faint, "away"))] if len(away) else []
    for rows, marker, group in colours.parts(np.flatnonzero(cloud.lit)):
        open_ = cloud.uncertain[rows] if cloud.uncertain is not None else np.zeros(len(rows), bool)
        for part, look in ((~open_, _SOLID), (open_, _HOLLOW)):
            if part.any():
                some = {
                    **marker,
                    "color": marker["color"] if isinstance(marker["color"], str) else marker["color"][part],
                }
                traces.append(go.Scattergl(_points(cloud, rows[part], look | some, group)))
    return traces


def sensors(cloud: Cloud, extent: Sequence[float], columns: int = 30, rows: int = 24) -> go.Scatter:
    """Return invisible points over a raster, one a cell of a coarse grid, that can be pointed at and clicked.

    A cell gives the first of its selected samples, else the first of the others; the chosen sample is always there.
    So few are drawn quicker without WebGL, which takes half a second to begin where there is no accelerator.
    """
    low_x, high_x, low_y, high_y = extent
    inside = np.flatnonzero(
        cloud.placed & (cloud.x >= low_x) & (cloud.x <= high_x) & (cloud.y >= low_y) & (cloud.y <= high_y)
    )
    column = np.minimum((cloud.x[inside] - low_x) * (columns / (high_x - low_x)), columns - 1).astype(np.intp)
    row = np.minimum((cloud.y[inside] - low_y) * (rows / (high_y - low_y)), rows - 1).astype(np.intp)
    cell, found = row * columns + column, np.full(columns * rows, -1)
    for some in (~cloud.lit[inside], cloud.lit[inside]):  # what is written last stays
        found[cell[some][::-1]] = inside[some][::-1]
    taken = found[found >= 0]
    marker = {"color": FAINT, "opacity": 0.0, "size": 9}
    return go.Scatter(_points(cloud, np.union1d(taken, cloud.at_chosen), marker, "sensors"))


def ring(cloud: Cloud) -> list[go.Scatter]:
    """Return a ring around the chosen sample, dark within white, so that it is seen on every ground."""
    at = cloud.at_chosen
    return [
        go.Scatter(
            x=cloud.x[at],
            y=cloud.y[at],
            mode="markers",
            hoverinfo="skip",
            showlegend=False,
            marker={"size": size, "symbol": "circle-open", "color": colour, "line": {"width": width}},
        )  # fmt: skip
        for size, colour, width in ((20, "#FFFFFF", 5), (20, "#1B2730", 2))
        if len(at)
    ]


def _points(cloud: Cloud, rows: np.ndarray, marker: dict, group: str) -> dict:
    return dict(
        x=cloud.x[rows], y=cloud.y[rows], mode="markers", marker=marker, customdata=cloud.sample_id[rows],
        text=list(cloud.describe(rows)), hovertemplate="%{text}<extra></extra>", showlegend=False, legendgroup=group,
    )  # fmt: skip


def _entry(name: str, colour: str, group: str) -> go.Scatter:
    return go.Scatter(
        x=[None], y=[None], mode="markers", marker={"color": colour, "size": 9}, name=letters(name), legendgroup=group,
        showlegend=True, hoverinfo="skip",
    )  # fmt: skip
