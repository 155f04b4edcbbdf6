"""The categories: their mean interactions, what carries them, and how their scores are distributed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from curation.exploring import GROUPS, groups
from curation.figures import fingerprint_figure, groups_figure, ridges_figure
from curation.summary import category_counts, category_means, category_order
from curation.words import SIGNS, terms
from ui import showing as show
from ui.components import chart
from ui.showing import Showing
from ui.text import plain
from ui.widgets import follow

__all__ = ["drawn_categories", "drawn_distributions"]

_PAGES = (12, 24, 60, 200)
_RIDGES = 20


def drawn_categories(now: Showing) -> None:
    """Draw the mean terms of every category, or what carries how many of its samples."""
    categories, reading = category_means(now.frame), now.reading
    order = _chosen_categories(now, categories, now.view.top)
    names = now.run.modality_names
    # Only what is open is drawn: a figure out of sight takes as long as one in sight.
    amounts, shares = st.tabs(["How much", "How many samples"], key="categories_as", on_change="rerun")
    if amounts.open:
        with amounts:
            chart(
                fingerprint_figure(categories, now.means, names, reading, now.view.sort_by, order), "fingerprint",
                f"Mean shared, unique and joint information of every category, {reading.unit}",
                f"Each bar adds up what the {plain(names[0])} and the {plain(names[1])} tell about the category. "
                f"{SIGNS[now.samples.measure]}",
            )  # fmt: skip
    if shares.open:
        counts = category_counts(now.frame["label"], now.samples.group[now.selected], GROUPS).loc[order]
        with shares:
            chart(
                groups_figure(counts, groups(names), reading), "groups", "What carries how many samples",
                "Every sample counts once, for the largest of its four scores; or as misleading, or as neither.",
            )  # fmt: skip


def drawn_distributions(now: Showing) -> None:
    """Draw how the terms are distributed in every category."""
    order = _chosen_categories(now, category_means(now.frame), min(now.view.top, _RIDGES))
    told = terms(now.run.modality_names)
    titles = {"all": "All four"} | {term.key: term.title for term in told}
    one = st.pills("Score", list(titles), format_func=titles.get, default="all", key="ridge_term", required=True,
                   persist_state="session", label_visibility="collapsed")  # fmt: skip
    shown = told if one == "all" else [term for term in told if term.key == one]
    figure = ridges_figure(now.frame, shown, order, now.reading)
    chart(
        figure, "ridges", f"Distribution of the scores in every category, {now.reading.unit}",
        "A hill to the right of 0 helps to tell the category; what lies left of 0 misleads.",
    )  # fmt: skip


def _chosen_categories(now: Showing, categories: pd.DataFrame, most: int) -> list[str]:
    """Offer order, search and number of the categories, and return those to draw, the last one on top."""
    titles = {term.key: term.title for term in terms(now.run.modality_names)}
    titles |= {"label": "name", "n": "number of samples"}
    left, middle, right = st.columns([2, 2, 1])
    follow("sort_by", now.view.sort_by)
    left.selectbox(
        "Sort by", list(titles), format_func=titles.get, key="sort_by", on_change=_amended, args=("sort_by",)
    )
    count = categories["label"].nunique()
    follow("find", now.view.find)
    if count > _PAGES[0]:
        middle.text_input("Find a category", key="find", on_change=_amended, args=("find",), placeholder="its name")
        follow("top", now.view.top if now.view.top in _PAGES else _PAGES[0])
        right.selectbox("At most", _PAGES, key="top", on_change=_amended, args=("top",))
    found = categories[categories["label"].astype("str").str.contains(now.view.find, case=False, regex=False)]
    found = found if len(found) else categories
    order = category_order(found, now.view.sort_by, most)
    if len(order) < count:
        st.caption(f"{len(order)} of {count:,} categories are drawn.")
    return order


def _amended(name: str) -> None:
    show.amend(**{name: st.session_state[name]})
