"""Curate: split the samples by a score, percent and count in step, and look at both parts before anything leaves."""

import streamlit as st

from curation.figures import Reading, balance_figure, histogram_figure
from curation.partitioning import category_balance, partition_scores, share_of
from curation.queries import examples
from curation.summary import with_measure
from curation.words import terms
from ui import state
from ui.components import chart, empty_state, gallery
from ui.text import plain

st.title("Curate", anchor=False)
run = state.scored_run()
if run is None:
    empty_state(
        "Nothing to curate yet", "Score some pairs first; then you can split them here.",
        "pages/start.py", "Go to the start",
    )  # fmt: skip

names, total = run.modality_names, len(run.scores)
kept = state.load_partition(run) or {}
by_key = {term.key: term for term in terms(names)}
frame = with_measure(run.scores, run.summary["redundancy"])

st.markdown(
    "Select a share of the samples by what their two sides know. Nothing is deleted: both parts can be exported."
)
first, second, third = st.columns(3)
keys = list(by_key)
by = first.selectbox(
    "Split by", keys, index=keys.index(kept.get("by", "r")), format_func=lambda key: by_key[key].title,
    help="Both say it: redundancy. The others: uniqueness and synergy.",
)  # fmt: skip
sides = {"high": "the highest scores", "low": "the lowest scores"}
side = second.selectbox("Select", list(sides), index=list(sides).index(kept.get("side", "high")), format_func=sides.get)
balanced = third.toggle("Same share of every category", value=kept.get("balanced", False))


def count_follows() -> None:
    """Bring the count in step with the percent."""
    st.session_state["count"] = share_of(st.session_state["percent"], total)


def percent_follows() -> None:
    """Bring the percent in step with the count."""
    st.session_state["percent"] = share_of(st.session_state["count"], 100, of=total)


st.session_state.setdefault("percent", kept.get("percent", 30))
st.session_state["count"] = min(st.session_state.get("count", kept.get("count", share_of(30, total))), total)
if st.session_state.get("budget_of") != run.folder.name:
    st.session_state["budget_of"] = run.folder.name
    st.session_state["percent"] = kept.get("percent", 30)
    st.session_state["count"] = kept.get("count", share_of(30, total))
left, right = st.columns([3, 1])
left.slider("Percent to select", 0, 100, key="percent", on_change=count_follows, format="%d %%")
right.number_input("Number of samples", 0, total, key="count", on_change=percent_follows)

split = partition_scores(frame, by, st.session_state["count"] / total, side, balanced)
st.markdown(f"**{plain(split.sentence(by_key[by].title))}**")
st.caption(
    f"Ranked with the measure that the run was scored with ({run.summary['redundancy']}). "
    "A high score does not make a sample superfluous: what leaving samples out costs depends on the task, so keep both "
    "parts and compare."
)
if st.button("Keep this partition for export", type="primary", icon=":material/bookmark_added:"):
    recipe = {"by": by, "side": side, "balanced": balanced}
    state.save_partition(run, recipe | {"percent": st.session_state["percent"], "count": st.session_state["count"]})
    st.switch_page("pages/export.py", query_params=state.address())
reading = Reading(run.summary["redundancy"])
chart(
    histogram_figure(frame[by].to_numpy(), by_key[by], split.selected, split.threshold, reading), "histogram",
    "Scores of both parts",
)  # fmt: skip

st.subheader("What each category gives", anchor=False)
chart(balance_figure(category_balance(frame, split.selected)), "balance", "Selected samples of every category")

st.subheader("Examples", anchor=False)
for title, rows, highest in (
    ("Selected", split.selected, side == "high"),
    ("The rest", ~split.selected, side != "high"),
):
    if rows.any():
        st.markdown(f"**{title}**, the most extreme first")
        gallery(run, examples(frame, rows, by, highest, count=7), f"examples_{title}")
