"""The map of samples: drawn on the client, a click or a box brings back sample identifiers only."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from curation.figures import Cloud, Names, Reading, Score, map_figure
from curation.queries import describe_samples, with_places
from curation.words import terms
from curation.workspace import ScoredRun
from ui import state
from ui.components import chart

__all__ = ["sample_map"]


def sample_map(run: ScoredRun, frame: pd.DataFrame, measure: str) -> None:
    """Draw the map with its colour choice; a click chooses a sample."""
    places = run.map()
    if places is None:
        _wait_for_map()
        return
    titles = {"label": "category"} | {term.key: term.title for term in terms(run.modality_names)}
    colour = st.selectbox("Colour by", list(titles), format_func=titles.get, key="map_colour", persist_state="session")
    placed = with_places(frame, places)
    cloud = Cloud(
        placed["x"].to_numpy(), placed["y"].to_numpy(), placed["sample_id"].to_numpy(),
        lambda rows: describe_samples(run, placed.iloc[rows]), chosen=state.chosen_sample(run),
    )  # fmt: skip
    colours = (Names if colour == "label" else Score)(titles[colour], placed[colour])
    figure = map_figure(cloud, colours, Reading(measure))
    chart(
        figure, "map", "Map of the samples: neighbours are alike in both modalities", on_select=_choose,
        selection_mode="points",
    )  # fmt: skip
    st.caption("Neighbours are alike in both modalities (UMAP). Click a point to see its sample.")


def _choose() -> None:
    points = st.session_state["map"].selection.points
    if points:
        chosen = points[0].get("customdata")
        state.choose_sample(chosen[0] if isinstance(chosen, list) else chosen)


@st.fragment(run_every=1.5)
def _wait_for_map() -> None:
    """Say that the map is on its way, and draw it when it is there."""
    now = state.status()
    if now.active:
        st.info("The map is being drawn; everything else is ready to use.", icon=":material/hourglass_top:")
    elif now.state == "done":
        st.rerun()
    else:
        st.info("The map of this run was not drawn; everything else is ready to use.", icon=":material/info:")
        st.button("Draw the map", on_click=state.resume, icon=":material/resume:")
