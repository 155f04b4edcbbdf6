"""Curate: decide what stays, see what leaving the rest out costs, and look at both parts before anything leaves."""

import streamlit as st

from curation.partitioning import kept_partition, part_node
from ui import showing as show
from ui import state
from ui.before_after import before_and_after
from ui.components import empty_state
from ui.curating import curating, how_to_repeat, keep_tried, take_advice, told
from ui.partition_controls import controls
from ui.pricing import price_panel
from ui.showing import showing
from ui.text import plain

st.title("Curate", anchor=False)
now = showing()
if now is None:
    empty_state(
        "Nothing to curate yet", "Score some pairs first; then you can split them here.",
        "pages/start.py", "Go to the start",
    )  # fmt: skip

st.markdown(
    "Decide what stays. Nothing is deleted: an export leaves out what you leave out, and both parts can be taken."
)
made = curating(now)
left, right = st.columns([1, 1.35], gap="large")
with left:
    st.subheader("What stays", anchor=False)
    controls(made)
    st.markdown(told(made))
    st.caption(f"Scores by the measure {plain(now.samples.measure)}.")
    names = [name for name, node in show.named().items() if node == part_node(made.recipe)]
    if names and kept_partition(state.workspace(), now.run) == made.recipe:
        st.success(f"Kept as “{plain(names[0])}”.", icon=":material/bookmark_added:")
        with st.container(horizontal=True):
            if st.button("Show on Explore", icon=":material/insights:"):
                show.only_named(names[0])
                st.switch_page("pages/explore.py", query_params=state.address())
            if st.button("Export it", icon=":material/download:", type="primary"):
                st.switch_page("pages/export.py", query_params=state.address())
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Name of what stays", placeholder="what stays", max_chars=60, key="partition_name")
            st.button("Keep this partition", type="primary", icon=":material/bookmark_add:", on_click=keep_tried)
    how_to_repeat(made)
with right:
    st.subheader("What leaving the rest out costs", anchor=False)
    price_panel(now.run, made.partition.share, take_advice)
before_and_after(made)
