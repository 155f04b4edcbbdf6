"""What narrows every view: groups, categories, words, scores and tags; and what can be done with what is left."""

from __future__ import annotations

import streamlit as st

from curation.exploring import GROUPS, groups, sentence
from curation.exploring.selection import facet
from curation.exploring.sentences import column_title
from curation.words import PER_NAT
from ui import showing as show
from ui.components import error_box
from ui.showing import Showing
from ui.text import plain
from ui.widgets import follow

__all__ = ["group_filter", "more_filters", "selection_bar"]

_SCORES = ("r", "u1", "u2", "s", "i1", "i2", "i12")


def group_filter(now: Showing) -> None:
    """Offer the interaction groups with their counts: the quickest filter, and a summary by itself."""
    named = {g.key: g for g in groups(now.run.modality_names)}
    counts = now.samples.group_counts
    chosen = now.view.filter_about("group")
    follow("filter_groups", chosen["groups"] if chosen else [])
    st.pills(
        "What carries the category", GROUPS, selection_mode="multi", wrap=True, key="filter_groups", on_change=_groups,
        format_func=lambda key: f"{plain(named[key].title)} {counts[GROUPS.index(key)]:,}",
        help="Every sample belongs to one group: the largest of its four scores, or misleading, or neither. "
        "Choose groups to see only their samples.",
    )  # fmt: skip


def _groups() -> None:
    keys = st.session_state["filter_groups"]
    _narrow_or_widen("group", {"kind": "group", "groups": list(keys)} if keys else None)


def _narrow_or_widen(about: str, node: dict | None) -> None:
    view = show.current()
    show.step(view.narrowed(node) if node else view.widened(about))


def more_filters(now: Showing) -> None:
    """Offer the other filters behind a button."""
    with st.popover("Filter", icon=":material/filter_alt:", width="content"):
        _categories_and_words(now)
        _tags(now)
        _range(now)


def _categories_and_words(now: Showing) -> None:
    _, names = now.samples.labels
    chosen = now.view.filter_about("categories")
    options = names.astype("str").tolist()
    follow("filter_categories", [c for c in chosen["labels"] if c in options] if chosen else [])
    st.multiselect("Categories", options, key="filter_categories", on_change=_categories, placeholder="all categories")
    words = now.view.filter_about("words")
    follow("filter_words", words["text"] if words else "")
    st.text_input("Words", key="filter_words", on_change=_words, placeholder="in a text, or in an identifier")


def _categories() -> None:
    labels = st.session_state["filter_categories"]
    _narrow_or_widen("categories", {"kind": "categories", "labels": labels} if labels else None)


def _words() -> None:
    text = st.session_state["filter_words"].strip()
    _narrow_or_widen("words", {"kind": "words", "text": text} if text else None)


def _tags(now: Showing) -> None:
    counts = now.samples.tag_counts
    if len(counts):
        st.selectbox(
            "Tag", counts.index.tolist(), index=None, key="filter_tag", on_change=_tag, placeholder="any tag, or none",
            format_func=lambda tag: f"{tag} ({counts[tag]:,})",
        )  # fmt: skip


def _tag() -> None:
    tag = st.session_state["filter_tag"]
    st.session_state["filter_tag"] = None
    show.narrow({"kind": "tag", "tag": tag})


def _range(now: Showing) -> None:
    unit = now.view.unit
    titles = {key: column_title(key, now.run.modality_names) for key in _SCORES}
    column = st.selectbox("Score", list(titles), format_func=titles.get, key="filter_score")
    left, right = st.columns(2)
    low = left.number_input(f"at least, {unit}", value=None, step=0.1, format="%.2f", key="filter_low")
    high = right.number_input(f"at most, {unit}", value=None, step=0.1, format="%.2f", key="filter_high")
    ends = [None if end is None else end / PER_NAT[unit] for end in (low, high)]
    node = {"kind": "range", "column": column, "low": ends[0], "high": ends[1]}
    st.button("Narrow by this score", on_click=show.narrow, args=(node,), disabled=ends == [None, None])


def selection_bar(now: Showing) -> None:
    """Say what is selected and how many samples that are, and offer what can be done with them."""
    total, count = len(now.samples), int(now.selected.sum())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        told = f"**{count:,} of {total:,} samples**" if now.narrowed else f"**All {total:,} samples**"
        st.markdown(told, width="content")
        for position, node in enumerate(now.view.filters):
            about = facet(node) or f"{position}"
            st.button(
                plain(_chip(node, now)), key=f"chip_{about}_{position}", icon=":material/close:", help="Take it off",
                on_click=_without, args=(position,), width="content",
            )  # fmt: skip
        st.button("Undo", icon=":material/undo:", on_click=show.undo, disabled=not show.can_undo(), key="undo")
        st.button(
            "Clear", icon=":material/filter_alt_off:", on_click=show.clear, disabled=not now.narrowed, key="clear"
        )
        with st.popover("Tag", icon=":material/sell:", width="content"):
            _tagging(now, count)
        with st.popover("Selections", icon=":material/bookmarks:", width="content"):
            _names(now)
    if now.narrowed and count == 0:
        st.info("No sample is left. Take a filter off, or undo the last step.", icon=":material/info:")


def _chip(node: dict, now: Showing) -> str:
    told = sentence(node, now.run.modality_names)
    return told if len(told) <= 60 else told[:59] + "…"


def _without(position: int) -> None:
    show.step(show.current().without(position))


def _tagging(now: Showing, count: int) -> None:
    st.markdown(f"Tag the {count:,} selected samples. Nothing is deleted: a tag marks them for a filter or an export.")
    name = st.text_input("Tag", key="tag_name", max_chars=60, placeholder="odd, check label, …")
    give, take = st.columns(2)
    give.button("Give the tag", type="primary", on_click=_tag_selected, args=(name, True), disabled=not name.strip())
    take.button("Take it away", on_click=_tag_selected, args=(name, False), disabled=not name.strip())


def _tag_selected(name: str, add: bool) -> None:
    now = show.showing()
    with error_box():
        changed = show.tag(now.samples.ids[now.selected], name, add)
        st.toast(f"{changed:,} samples {'got' if add else 'lost'} the tag “{plain(name.strip())}”.")


def _names(now: Showing) -> None:
    name = st.text_input("Name what is selected", key="selection_name", max_chars=60, placeholder="worth a look")
    st.button("Keep it under this name", on_click=show.name_selection, args=(name,), disabled=not name.strip())
    kept = show.named()
    if not kept:
        st.caption("Named selections can be combined: and, or, not.")
        return
    other = st.selectbox("Combine with", list(kept), key="selection_other")
    for how, label in (("and", "Only what is in both"), ("or", "Add its samples"), ("not", "Leave its samples out")):
        st.button(label, key=f"combine_{how}", on_click=show.combine, args=(how, other), width="stretch")
    st.button("Forget this name", key="forget", on_click=show.drop_named, args=(other,), width="stretch")
