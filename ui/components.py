"""Pieces several pages share: the error box, the banner, the plain-word legend, empty states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from curation.encoders import encoders_told
from curation.errors import USER_ERRORS
from curation.exploring import Samples
from curation.plainly import short
from curation.words import terms
from curation.workspace import ScoredRun
from ui import state
from ui.text import plain

__all__ = [
    "chart", "empty_state", "encoders_note", "error_box", "legend", "preview", "problem_list", "run_banner",
    "trust",
]  # fmt: skip

_PREVIEW_COLUMNS, _PREVIEW_CELL = 50, 200
FIGURE_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["autoScale2d"],
    "toImageButtonOptions": {"format": "png", "scale": 2},
}


@contextmanager
def error_box() -> Iterator[None]:
    """Turn errors about the user's input into one calm sentence; everything else goes to the log."""
    try:
        yield
    except USER_ERRORS as error:
        st.error(plain(str(error)), icon=":material/info:")


def preview(frame: pd.DataFrame) -> None:
    """Show the first rows of a table; of a wide one the first columns, of a long cell the beginning."""
    few = frame.iloc[:8, :_PREVIEW_COLUMNS]
    st.dataframe(few.map(_beginning), hide_index=True)
    if frame.shape[1] > _PREVIEW_COLUMNS:
        st.caption(f"The first {_PREVIEW_COLUMNS} of {frame.shape[1]:,} columns.")


def _beginning(cell: object) -> object:
    sized = isinstance(cell, (str, list)) or hasattr(cell, "shape")
    return short(cell, _PREVIEW_CELL) if sized and len(cell) > _PREVIEW_CELL else cell


def run_banner() -> None:
    """Say which data set is open, on every page but the first."""
    run = state.scored_run()
    if run is not None:
        names = " + ".join(run.modality_names)
        st.caption(f":material/folder_open: **{plain(run.name)}** · {len(run.scores):,} pairs · {plain(names)}")


def encoders_note(run: ScoredRun) -> None:
    """Say which encoders ran, loudest where another was asked for, and that there are stronger ones."""
    for position, told in enumerate(reversed(encoders_told(run.summary["modalities"]))):
        if position:
            st.warning(plain(told), icon=":material/cloud_off:")
        else:
            st.caption(plain(told))


def empty_state(title: str, advice: str, page: str, label: str) -> None:
    """Say what to do next where there is nothing to show, and offer the way."""
    with st.container(border=True, horizontal_alignment="center"):
        st.subheader(title, anchor=False, text_alignment="center")
        st.markdown(advice, text_alignment="center")
        st.page_link(page, label=label, icon=":material/arrow_forward:")
    st.stop()


def chart(figure: object, key: str, alt: str, told: str, **more: object) -> None:
    """Draw a figure in the house's way.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
    key : str
    alt : str
        What it shows, for those who do not see it.
    told : str
        How to read it: a line of Markdown below it.
    **more
        For ``st.plotly_chart``.
    """
    st.plotly_chart(figure, key=key, config=FIGURE_CONFIG, alt=alt, **more)
    st.caption(told)


def trust(samples: Samples) -> None:
    """Say what should be known before the numbers are believed: warnings of the scoring, and what the checks found."""
    for sentence in (*samples.run.summary["warnings"], *samples.advice):
        st.markdown(f"- {plain(sentence)}")
    if not samples.advice:
        st.caption("Checks with random categories and with planted interactions are made after the maps.")


def legend(modality_names: tuple[str, str]) -> None:
    """Explain the four terms in plain words, each in its colour, the formula one click further."""
    for column, term in zip(st.columns(4), terms(modality_names), strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"<b style='color:{term.colour}'>■</b> **{plain(term.title)}**", unsafe_allow_html=True,
                        help=f"Formula: {term.formula}")  # fmt: skip
            st.caption(plain(term.explanation))


def problem_list(problems: pd.DataFrame, key: str) -> None:
    """List what was left out, row by row, with the way to mend it."""
    shown = problems.rename(columns={"row": "Row", "column": "Column", "problem": "Problem", "mend": "How to mend it"})
    st.dataframe(shown, hide_index=True, key=key, height=min(38 * (len(shown) + 1), 320))
