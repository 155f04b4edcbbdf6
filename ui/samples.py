"""The samples on a map and in a table, and the chosen one beside them: a click draws this part of the page only."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from curation.queries import row_of, sample_table
from curation.summary import category_means, category_order, with_measure
from curation.words import terms
from curation.workspace import ScoredRun
from ui import state
from ui.components import error_box, sample_card
from ui.maps import sample_map

__all__ = ["samples"]


@st.fragment
def samples(measure: str) -> None:
    """Draw the samples of the open run in a measure.

    The run is asked for again, not handed in: what a fragment is given, Streamlit keeps as long as the session.
    """
    with error_box():
        run = state.scored_run()
        if run is None:
            st.rerun()
        frame = with_measure(run.scores, measure)
        left, right = st.columns([3, 2])
        with left:
            on_map, in_table = st.tabs(["Map", "Table"])
            with on_map:
                sample_map(run, frame, measure)
            with in_table:
                _table(run, frame)
        with right:
            sample_card(run, row_of(frame, state.chosen_sample(run)))


def _table(run: ScoredRun, frame: pd.DataFrame) -> None:
    labels = st.multiselect("Categories", category_order(category_means(frame), "r"), placeholder="all categories")
    words = st.text_input("Search", placeholder="a word in the text, or a sample identifier")
    table = sample_table(run, frame, labels, words)
    identifiers = table["sample"].to_numpy()

    def choose_row() -> None:
        """Show the sample of the clicked row; a table that has just been narrowed may have lost it."""
        rows = st.session_state["samples"].selection.rows
        if rows and rows[0] < len(identifiers):
            state.choose_sample(identifiers[rows[0]])

    titles = [term.title for term in terms(run.modality_names)]
    st.dataframe(
        table, hide_index=True, key="samples", on_select=choose_row, selection_mode="single-row", height=440,
        column_config={t: st.column_config.NumberColumn(format="%.2f") for t in titles},
    )  # fmt: skip
    st.caption(f"{len(table):,} samples. Click the box at the left of a row to see the sample.")
