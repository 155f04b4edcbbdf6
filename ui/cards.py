"""Samples as people see them: one on a card that explains it, many in a gallery, both with the real media."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from curation.exploring import GROUPS, groups
from curation.queries import explanation
from curation.words import PER_NAT, terms
from curation.workspace import ScoredRun
from ui.text import plain
from ui.thumbnails import thumbnail

__all__ = ["gallery", "item", "sample_card"]

_LONGEST_TEXT = 2_000  # characters shown of a caption
_LARGEST_VIDEO = 25 * 2**20
_PLAYED = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
_GLANCE = 160  # of a caption in the gallery


def item(run: ScoredRun, row: pd.Series, name: str, width: int | str = "stretch", longest: int = _LONGEST_TEXT) -> None:
    """Show one side of a sample: the picture at the given width, the text, or a player."""
    kind, column = run.kinds[name], f"item.{name}"
    if column not in row.index:
        st.caption(f"{plain(name)}: a feature vector, nothing to look at")
    elif kind == "text":
        st.text(row[column] if len(row[column]) <= longest else row[column][:longest] + "…")
    elif not Path(row[column]).is_file():
        st.caption(f"{plain(name)}: the file is not where it was ({plain(Path(row[column]).name)})")
    elif kind == "picture":
        picture = thumbnail(row[column])
        # Streamlit writes an opaque PNG anew as JPEG every time, unless it is asked for PNG.
        kept = "PNG" if picture == row[column] and picture.lower().endswith(".png") else "auto"
        st.image(picture, width=width, alt=f"{name} of the sample", output_format=kept)
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


def sample_card(run: ScoredRun, row: pd.Series, unit: str = "nats", tags: tuple[str, ...] = ()) -> None:
    """Explain one sample: both sides, what each says, the label, its four terms and its tags."""
    with st.container(border=True):
        st.markdown(f"**{plain(row['label'])}**")
        for name in run.modality_names:
            item(run, row, name, width=220)
        st.markdown(plain(explanation(row, run.modality_names)))
        st.html(_bars(run, row, unit))
        told = f"Sample {plain(row['sample_id'])}" + (f" · tags: {plain(', '.join(tags))}" if tags else "")
        st.caption(told)


def _bars(run: ScoredRun, row: pd.Series, unit: str) -> str:
    """Return the four terms as bars on one axis, as markup that screen readers read as a table."""
    told = terms(run.modality_names)
    scale = PER_NAT[unit]
    values = [float(row[term.key]) * scale for term in told]
    reach = max(max(abs(v) for v in values), 0.1 * scale)
    cells = "".join(_bar(_escaped(t.title), t.colour, v, v / reach) for t, v in zip(told, values, strict=True))
    style = "width:100%;border-collapse:collapse;font-size:.9rem"
    return f"<table style='{style}' aria-label='Scores in {unit}'>{cells}</table>"


def _bar(title: str, colour: str, value: float, share: float) -> str:
    left, width = (50, 50 * share) if share >= 0 else (50 + 50 * share, -50 * share)
    bar = f"<div style='position:absolute;left:{left:.1f}%;width:{width:.1f}%;height:100%;background:{colour}'></div>"
    middle = "<div style='position:absolute;left:50%;width:1px;height:100%;background:#8A8A8A'></div>"
    return (
        f"<tr><td style='padding:2px 8px 2px 0'>{title}</td><td style='width:45%'>"
        f"<div style='position:relative;height:12px'>{bar}{middle}</div></td>"
        f"<td style='text-align:right;padding-left:8px;font-variant-numeric:tabular-nums'>{value:.2f}</td></tr>"
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def gallery(
    run: ScoredRun, rows: pd.DataFrame, group: list[int], key: str, unit: str = "nats", on_look: Callable | None = None
) -> None:
    """Show samples side by side: both sides, label, group and its strongest score; a click puts one on the card.

    Parameters
    ----------
    run : ScoredRun
    rows : pandas.DataFrame
        Scores of the samples, in nats.
    group : list of int
        Their interaction groups.
    key : str
    unit : {"nats", "bits"}
    on_look : callable, optional
        Given the identifier of the sample to look at.
    """
    named = {g.key: g for g in groups(run.modality_names)}
    with st.container(horizontal=True, gap="small", key=key):
        for position, ((_, row), code) in enumerate(zip(rows.iterrows(), group, strict=True)):
            with st.container(border=True, width=168):
                for name in run.modality_names:
                    item(run, row, name, longest=_GLANCE)
                kind = named[GROUPS[code]]
                st.html(f"<b>{_escaped(str(row['label']))}</b><br>{_square(kind.colour)} {_escaped(kind.title)}<br>"
                        f"{_numbers(run, row, unit)}")  # fmt: skip
                if on_look is not None:
                    st.button("Explain", key=f"{key}_{position}", on_click=on_look, args=(row["sample_id"],))


def _square(colour: str) -> str:
    return f"<span style='color:{colour}' aria-hidden='true'>■</span>"


def _numbers(run: ScoredRun, row: pd.Series, unit: str) -> str:
    """Return the four scores, each in its colour, as markup; in words for those who point at them or hear them."""
    told = [(term, float(row[term.key]) * PER_NAT[unit]) for term in terms(run.modality_names)]
    words = _escaped(", ".join(f"{term.title} {value:.2f} {unit}" for term, value in told)).replace("'", "&#39;")
    shown = " ".join(f"{_square(term.colour)}&#8239;{value:.1f}" for term, value in told)
    return f"<span style='font-size:.78rem;white-space:nowrap' title='{words}' aria-label='{words}'>{shown}</span>"
