"""Pieces several pages share: the error box, the banner, plain-word legend, sample cards, empty states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import streamlit as st

from curation.encoders import encoders_told
from curation.errors import USER_ERRORS
from curation.plainly import short
from curation.words import terms
from curation.workspace import ScoredRun
from ui import state
from ui.text import plain

__all__ = [
    "chart", "empty_state", "encoders_note", "error_box", "gallery", "item", "legend", "preview", "problem_list",
    "run_banner", "sample_card",
]  # fmt: skip

_LONGEST_TEXT = 2_000  # characters shown of a caption
_LARGEST_VIDEO = 25 * 2**20
_PLAYED = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
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


def chart(figure: object, key: str, alt: str, **more: object) -> object:
    """Draw a figure in the house's way."""
    return st.plotly_chart(figure, key=key, config=FIGURE_CONFIG, alt=alt, **more)


def legend(modality_names: tuple[str, str]) -> None:
    """Explain the four terms in plain words, each in its colour, the formula one click further."""
    for column, term in zip(st.columns(4), terms(modality_names), strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"<b style='color:{term.colour}'>■</b> **{plain(term.title)}**", unsafe_allow_html=True,
                        help=f"Formula: {term.formula}")  # fmt: skip
            st.caption(plain(term.explanation))


def item(run: ScoredRun, row: pd.Series, name: str, width: int | str = "stretch") -> None:
    """Show one side of a sample: the picture at the given width, the text, or a player."""
    kind, column = run.kinds[name], f"item.{name}"
    if column not in row.index:
        st.caption(f"{plain(name)}: a feature vector, nothing to look at")
    elif kind == "text":
        st.text(row[column] if len(row[column]) <= _LONGEST_TEXT else row[column][:_LONGEST_TEXT] + "…")
    elif not Path(row[column]).is_file():
        st.caption(f"{plain(name)}: the file is not where it was ({plain(Path(row[column]).name)})")
    elif kind == "picture":
        st.image(row[column], width=width, alt=f"{name} of the sample")
    elif kind == "video":
        _player(name, Path(row[column]))
    else:
        st.audio(row[column])


def _player(name: str, video: Path) -> None:
    """Play a video that browsers can play; Streamlit holds what it plays in memory, so only one that is not large."""
    how = _PLAYED.get(video.suffix.lower())
    if how is None:
        st.caption(f"{plain(name)}: browsers do not play {plain(video.suffix)} files; save it as MP4 or WebM to see it")
    elif video.stat().st_size > _LARGEST_VIDEO:
        size, most = (f"{n / 2**20:,.0f} MB" for n in (video.stat().st_size, _LARGEST_VIDEO))
        st.caption(f"{plain(name)}: the file has {size}; up to {most} are played here")
    else:
        st.video(str(video), format=how, alt=f"{name} of the sample")


def sample_card(run: ScoredRun, row: pd.Series) -> None:
    """Explain one sample: what each modality says, the label, and its four terms."""
    with st.container(border=True):
        st.markdown(f"**{plain(row['label'])}**")
        for name in run.modality_names:
            item(run, row, name, width=220)
        for name in run.modality_names:
            said = plain(row[f"says.{name}"])
            st.markdown(f"The {plain(name)} says **{said}** with {row[f'sure.{name}']:.0%}.")
        st.markdown(f"Together they say **{plain(row['says.both'])}** with {row['sure.both']:.0%}.")
        table = pd.DataFrame(
            [{"": term.title, "nats": row[term.key]} for term in terms(run.modality_names)],
        )
        st.dataframe(table, hide_index=True, column_config={"nats": st.column_config.NumberColumn(format="%.3f")})
        st.caption(f"Sample {plain(row['sample_id'])}")


def gallery(run: ScoredRun, rows: pd.DataFrame, key: str) -> None:
    """Show a few samples side by side."""
    with st.container(horizontal=True, gap="small", key=key):
        for _, row in rows.iterrows():
            with st.container(border=True, width=156):
                for name in run.modality_names:
                    item(run, row, name)
                st.caption(plain(row["label"]))


def problem_list(problems: pd.DataFrame, key: str) -> None:
    """List what was left out, row by row, with the way to mend it."""
    shown = problems.rename(columns={"row": "Row", "column": "Column", "problem": "Problem", "mend": "How to mend it"})
    st.dataframe(shown, hide_index=True, key=key, height=min(38 * (len(shown) + 1), 320))
