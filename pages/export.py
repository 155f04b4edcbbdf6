"""Export: take the scores or one part of the partition away as a file."""

import streamlit as st

from curation.export import FORMATS, export_bytes
from curation.partitioning import parts_for_export
from ui import state
from ui.components import empty_state
from ui.text import plain

st.title("Export", anchor=False)
run = state.scored_run()
if run is None:
    empty_state(
        "Nothing to export yet", "Score some pairs first; their scores and partitions can be downloaded here.",
        "pages/start.py", "Go to the start",
    )  # fmt: skip

parts = parts_for_export(run, state.load_partition(run))
titles = {name: f"{part.title} ({len(part.frame):,} samples)" for name, part in parts.items()}
chosen = st.radio("What to take", list(titles), format_func=titles.get, index=min(1, len(titles) - 1))
if len(parts) == 1:
    st.page_link("pages/curate.py", label="Make a partition to export only a part", icon=":material/content_cut:")
form = st.radio(
    "Format", list(FORMATS), format_func=lambda f: FORMATS[f][0],
    captions=[plain(FORMATS[f][2]) for f in FORMATS],
)  # fmt: skip
frame = parts[chosen].frame
st.download_button(
    f"Download {len(frame):,} samples as {FORMATS[form][0]}",
    data=lambda: export_bytes(frame, form),
    file_name=parts[chosen].file_name(form),
    mime=FORMATS[form][1],
    type="primary",
    icon=":material/download:",
    on_click="ignore",
)
st.markdown("**First rows**")
st.dataframe(frame.head(20).style.format(precision=3), hide_index=True)
with st.expander("Repeat this without a screen", icon=":material/terminal:"):
    st.markdown("The record of the run repeats it exactly; the second line repeats the partition.")
    st.code(parts[chosen].commands, language="bash")
