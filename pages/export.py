"""Export: take samples away with their scores, as a table, as arrays or with their media, and a report to pass on."""

import streamlit as st

from ui.components import empty_state
from ui.exports import chosen_format, chosen_samples, download, how_to_repeat, report_to_pass_on
from ui.showing import showing
from ui.text import plain

st.title("Export", anchor=False)
now = showing()
if now is None:
    empty_state(
        "Nothing to export yet", "Score some pairs first; their scores and partitions can be downloaded here.",
        "pages/start.py", "Go to the start",
    )  # fmt: skip

chosen = chosen_samples(now)
st.caption(f"Scores in nats, by the measure {plain(now.samples.measure)}; tags go along.")
form, features = chosen_format(chosen)
download(chosen, form, features)
how_to_repeat(chosen, form, features)
st.markdown("**First rows**")
st.dataframe(chosen.frame.head(20).style.format(precision=3), hide_index=True)
report_to_pass_on(now)
st.page_link("pages/curate.py", label="Make a partition to export only a part", icon=":material/content_cut:")
