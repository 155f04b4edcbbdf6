"""Start: the demo one click away, own data, earlier runs."""

import time

import streamlit as st

from curation.demos import DEMOS, sample_pictures
from curation.roots import configured_roots
from curation.settings import RunSettings
from curation.sources import demo_source
from ui import state
from ui.components import legend
from ui.text import plain


@st.cache_data(show_spinner=False)
def pictures(name: str) -> list[bytes]:
    """Draw the demo's sample pictures once."""
    return sample_pictures(name)


st.title("See what each modality knows", anchor=False)
st.markdown(
    "You have pairs, such as a picture and its text, and a category for each pair. Interplay tells for every pair "
    "**which side gives the category away**: both, only one, or only the two together. Then you decide what to keep."
)

columns = st.columns(3)
for column, demo in zip(columns, DEMOS.values(), strict=False):
    with column.container(border=True, height="stretch"):
        st.subheader(demo.title, anchor=False)
        st.markdown(demo.description)
        if demo.samples:
            drawn = pictures(demo.name)
            st.image(drawn, width=44, alt=["Drawing of the demo"] * len(drawn))
        first = demo.name == "emoji"
        if st.button(
            "Run the demo" if first else "Run the check",
            type="primary" if first else "secondary",
            icon=":material/play_arrow:",
            key=f"demo_{demo.name}",
        ):
            state.launch(RunSettings(demo_source(demo.name)))
        st.caption(
            "Encoded and scored live on this computer, in about a minute." if first else "Takes about ten seconds."
        )

with columns[2].container(border=True, height="stretch"):
    st.subheader("Your own pairs", anchor=False)
    st.markdown(
        "A table with pictures, texts, sounds, videos or numbers and a category, or ready-made feature vectors."
    )
    st.page_link("pages/import_data.py", label="Import your data", icon=":material/upload_file:")
    st.caption("Nothing leaves this computer." if state.is_local() else "They stay on this server, for you alone.")

st.subheader("What you will see", anchor=False)
legend(("picture", "text"))

earlier = state.earlier_runs()
if earlier:
    st.subheader("Earlier runs on this computer" if state.is_local() else "Your earlier runs", anchor=False)
    with st.container(horizontal=True):
        for workspace, run in earlier:
            told = f"{run.name}, {time.strftime('%d %b %H:%M', time.localtime(run.when))}"
            key = f"open_{workspace}_{run.id}"  # a copied workspace has the same runs
            if st.button(plain(told), key=key, icon=":material/history:", help=f"Run {run.id}"):
                state.open_run(workspace, run.id)
                st.switch_page("pages/explore.py", query_params=state.address())

if configured_roots():
    with st.expander("Open a workspace folder", icon=":material/folder_open:"):
        folder = st.text_input("Folder of the workspace, as named with --out", placeholder="/home/me/demo-run")
        if folder:
            state.open_folder(folder)
