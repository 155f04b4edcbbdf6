"""Curate: decide what stays, see what leaving the rest out costs, and look at both parts before anything leaves."""

from dataclasses import replace

import streamlit as st

from curation.partitioning import keep_partition, kept_partition, part_node, share_of
from curation.recommending import POLICY_NAMES, policy_recipe
from ui import showing as show
from ui import state
from ui.before_after import before_and_after
from ui.components import empty_state, error_box
from ui.curating import change, controls, curating, how_to_repeat, told
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


def take(share: float) -> None:
    """Make the recommended policy the partition, at the share on show."""
    recipe = policy_recipe(now.run, POLICY_NAMES["chosen"], share)
    change(replace(recipe, within=made.recipe.within, count=share_of(share, made.partition.total, of=1)))


def keep() -> None:
    """Keep the partition for the export, and under a name for everything else."""
    with error_box():
        name = show.name_free(st.session_state["partition_name"] or "what stays")
        keep_partition(state.workspace(), now.run, made.recipe)
        show.name_node(name, part_node(made.recipe))


left, right = st.columns([1, 1.35], gap="large")
with left:
    st.subheader("What stays", anchor=False)
    controls(made)
    st.markdown(told(made))
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
            st.button("Keep this partition", type="primary", icon=":material/bookmark_add:", on_click=keep)
    how_to_repeat(made)
with right:
    st.subheader("What leaving the rest out costs", anchor=False)
    price_panel(now.run, made.partition.share, take)
before_and_after(made)
