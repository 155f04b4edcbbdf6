"""Explore: how the categories differ, where the samples lie, and what one sample says."""

import streamlit as st

from curation.figures import fingerprint_figure, known_answers_figure, reading_of, ridges_figure
from curation.summary import category_means, category_order, dataset_means, finding, measures_of, with_measure
from curation.words import EARLIER, MEASURES, SIGNS, terms
from ui import state
from ui.components import chart, empty_state, legend, problem_list
from ui.samples import samples
from ui.text import plain

st.title("Explore", anchor=False)
run = state.scored_run()
if run is None:
    empty_state(
        "Nothing to explore yet", "Run a demo, or import and score your own pairs. The figures appear here.",
        "pages/start.py", "Go to the start",
    )  # fmt: skip

names = run.modality_names
findings = st.container()  # filled once the measure is known
st.subheader("Fingerprint of the categories", anchor=False)
left, right = st.columns(2)
titles = {term.key: term.title for term in terms(names)}
sort_by = left.selectbox("Sort by", list(titles), format_func=titles.get, key="sort_by", persist_state="session")
measures = list(measures_of(run.scores))
measure = right.selectbox(
    "Measure", measures, index=measures.index(run.summary["redundancy"]), format_func=MEASURES.get,
    key=state.MEASURE, persist_state="session",
    help="How “both say it” is defined. Switching needs no new run: all are computed from the same fit.",
)  # fmt: skip
if len(measures) < len(MEASURES):
    right.caption(f"{EARLIER}; score the pairs again to see it.")
frame = with_measure(run.scores, measure)
categories = category_means(frame)
means = dataset_means(frame)
reading = reading_of(means, measure)

with findings:
    st.markdown(plain(finding(frame, names)))
    for warning in run.summary["warnings"]:
        st.warning(plain(warning), icon=":material/info:")
    if len(run.problems):
        with st.expander(f"{run.summary['n_left_out']:,} rows were left out: why, and how to mend them"):
            problem_list(run.problems, "left_out")
    legend(names)

chart(
    fingerprint_figure(categories, means, names, reading, sort_by), "fingerprint",
    "Mean shared, unique and joint information of every category, in nats",
)  # fmt: skip
st.caption(f"Below each bar the mean of each part by itself; measure {measure}. {SIGNS[measure]}")

if "known.regime" in frame:
    st.subheader("Known answers beside the estimate", anchor=False)
    chart(known_answers_figure(frame, names, reading), "known", "Estimated means beside the known answers, in nats")
    st.caption(
        "Every sample was built to carry its information in one way. Diamonds are the known answers, bars what "
        f"Interplay found without being told (measure {measure}, nats)."
    )

st.subheader("Distributions in every category", anchor=False)
chart(
    ridges_figure(frame, terms(names), category_order(categories, sort_by, rows=20), reading), "distributions",
    "Distribution of the four terms in every category, in nats",
)  # fmt: skip

st.subheader("The samples", anchor=False)
samples(measure)
if run.summary["attribution"]:
    st.caption(plain(run.summary["attribution"]))
st.page_link("pages/curate.py", label="Decide what to keep", icon=":material/content_cut:")
