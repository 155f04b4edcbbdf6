"""Explore: how the categories differ, where the samples lie, and what one sample says."""

from dataclasses import replace

import streamlit as st

from curation.figures import known_answers_figure
from ui import explore
from ui.components import chart, empty_state, encoders_note, problem_list, trust
from ui.filters import group_filter, more_filters, selection_bar
from ui.showing import showing
from ui.text import plain
from ui.tour import guide, guide_button, words

st.title("Explore", anchor=False)
now = showing()
if now is None:
    empty_state(
        "Nothing to explore yet", "Run a demo, or import and score your own pairs. The figures appear here.",
        "pages/start.py", "Go to the start",
    )  # fmt: skip

run, names = now.run, now.run.modality_names
st.markdown(plain(now.samples.finding))
encoders_note(run)
group_filter(now)
with st.container(horizontal=True, gap="small"):
    more_filters(now)
    explore.settings(now)
    with st.popover("What the words mean", icon=":material/menu_book:", width="content"):
        words(names)
    with st.popover("How far to trust this", icon=":material/verified:", width="content"):
        trust(now.samples)
    if len(run.problems):
        with st.popover(f"{run.summary['n_left_out']:,} rows left out", icon=":material/rule:", width="content"):
            problem_list(run.problems, "left_out")
    guide_button()
guide(run)
selection_bar(now)

left, right = st.columns([3, 1.35], gap="medium")
with left:
    explore.draw(now)
with right:
    explore.side_card(now)
explore.samples_below(now)

if "known.regime" in now.frame:
    st.subheader("Known answers beside the estimate", anchor=False)
    chart(
        known_answers_figure(now.samples.frame, names, replace(now.reading, shift=None)), "known",
        f"Estimated means beside the known answers, in {now.view.unit}",
        "Every sample was built to carry its information in one way. Diamonds are the known answers, bars what "
        "Interplay found without being told.",
    )  # fmt: skip
if run.summary["attribution"]:
    st.caption(plain(run.summary["attribution"]))
st.page_link("pages/curate.py", label="Decide what to keep", icon=":material/content_cut:")
