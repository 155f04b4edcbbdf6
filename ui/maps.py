"""Samples as points: the maps, and what one side tells against what the other tells. Box, lasso and click select."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from curation.exploring import groups
from curation.exploring.sentences import column_title, space_title
from curation.figures import Cloud, Names, Score, map_figure, quadrants_figure
from curation.queries import describe_samples
from curation.words import PER_NAT
from ui import showing as show
from ui import state
from ui.components import chart
from ui.showing import Showing
from ui.text import plain
from ui.widgets import follow

__all__ = ["drawn_map", "drawn_quadrants"]

_SCORES = ("r", "u1", "u2", "s", "i1", "i2", "i12", "suspect.label_error", "suspect.swapped_pair")
_HOW = "Draw a box or a lasso to select samples; click a point to see its sample."


def drawn_map(now: Showing) -> None:
    """Draw the map of a space in a colour, both of the user's choice."""
    names = now.run.modality_names
    left, right = st.columns(2)
    follow("space", now.view.space)
    left.selectbox(
        "Map of", ["both", "first", "second", "terms"], key="space", on_change=_amended, args=("space",),
        format_func=lambda space: space_title(space, names),
        help="Neighbours on the map are alike in what it is a map of (UMAP).",
    )  # fmt: skip
    colours = {"label": "category", "group": "what carries the category"}
    colours |= {"tag": "tag"} if len(now.samples.tag_counts) else {}
    colours |= {c: column_title(c, names) for c in _SCORES if c in now.samples.frame}
    follow("colour", now.view.colour if now.view.colour in colours else "label")
    colour = right.selectbox(
        "Colour by", list(colours), format_func=colours.get, key="colour", on_change=_amended, args=("colour",)
    )
    if now.samples.places(now.view.space) is None:
        _wait_for_map(now.view.space)
        return
    x, y = now.samples.places(now.view.space).T
    chart(
        map_figure(_cloud(now, x, y), _colours(now, colour, colours[colour]), now.reading), "map",
        f"Map of the samples: neighbours are alike in {space_title(now.view.space, names)}",
        f"Neighbours are alike in {plain(space_title(now.view.space, names))} (UMAP). {_HOW}",
        on_select=partial(_drawn, "map", now.view.space), selection_mode=("points", "box", "lasso"),
    )  # fmt: skip


def drawn_quadrants(now: Showing) -> None:
    """Draw what one side tells against what the other tells."""
    names = a, b = now.run.modality_names
    cloud = _cloud(now, *now.samples.places("quadrant").T)
    chart(
        quadrants_figure(cloud, _colours(now, "group", "what carries the category"), names, now.reading), "quadrants",
        f"What the {a} tells against what the {b} tells about the category",
        f"Right of 0 the {plain(a)} points to the category, above 0 the {plain(b)} does. {_HOW}",
        on_select=partial(_drawn, "quadrants", "quadrant", PER_NAT[now.view.unit]),
        selection_mode=("points", "box", "lasso"),
    )  # fmt: skip


def _cloud(now: Showing, x: np.ndarray, y: np.ndarray) -> Cloud:
    return Cloud(
        x, y, now.samples.ids.to_numpy(), lambda rows: describe_samples(now.run, now.samples.frame.iloc[rows]),
        now.selected if now.narrowed else None, now.uncertain, now.chosen,
    )  # fmt: skip


def _colours(now: Showing, colour: str, title: str) -> Names | Score:
    """Return what colours the points: names for categories, groups and tags, else a score in the unit on show."""
    if colour == "label":
        codes, labels = now.samples.labels
        return Names(title, pd.Categorical.from_codes(codes, labels))
    if colour == "group":
        named = groups(now.run.modality_names)
        values = pd.Categorical.from_codes(now.samples.group, [g.title for g in named])
        return Names(title, values, {g.title: g.colour for g in named})
    if colour == "tag":
        return Names(title, now.samples.first_tag)
    values = now.samples.column(colour)
    if colour.startswith("suspect."):
        return Score(title, values, "suspicion", signed=False)
    return Score(title, values * PER_NAT[now.view.unit], now.view.unit)


def _amended(name: str) -> None:
    show.amend(**{name: st.session_state[name]})


def _drawn(key: str, space: str, per_nat: float = 1.0) -> None:
    """Select what was drawn around, by its outline in the space's own units (for the quadrants, nats).

    A quick browser can tell of a figure that another one, or another view, has replaced meanwhile: that is let go.
    """
    if key not in st.session_state:
        return
    drawn = st.session_state[key].selection
    boxes = [_corners(box["x"], box["y"]) for box in drawn.box]
    lassos = [[list(corner) for corner in zip(lasso["x"], lasso["y"], strict=True)] for lasso in drawn.lasso]
    polygons = [(np.array(polygon) / per_nat).tolist() for polygon in boxes + lassos if len(polygon) >= 3]
    if polygons:
        show.narrow({"kind": "region", "space": space, "polygons": polygons})
    elif drawn.points:
        chosen = drawn.points[0].get("customdata")
        show.amend(chosen=str(chosen[0] if isinstance(chosen, list) else chosen))


def _corners(x: list[float], y: list[float]) -> list[list[float]]:
    left, right, low, high = min(x), max(x), min(y), max(y)
    return [[left, low], [right, low], [right, high], [left, high]]


@st.fragment(run_every=1.5)
def _wait_for_map(space: str) -> None:
    """Say that the map is on its way, and draw it when it is there."""
    now, run = state.status(), state.scored_run()
    if run is not None and run.map(space) is not None:
        st.rerun()
    elif now.active:
        st.info("This map is being drawn; everything else is ready to use.", icon=":material/hourglass_top:")
    else:
        st.info("This map was not drawn; everything else is ready to use.", icon=":material/info:")
        st.button("Draw the map", on_click=state.resume, icon=":material/resume:")
