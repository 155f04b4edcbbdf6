"""Interplay in the browser: page set-up, the way through, and the one place where errors become sentences."""

from pathlib import Path

import streamlit as st

from ui.components import error_box, run_banner
from ui.people import sign_in_gate

st.logo("ui/assets/logo.svg", size="large")
st.set_page_config(page_title="Interplay", page_icon="ui/assets/icon.svg", layout="wide")
st.html(Path("ui/assets/ink.css"))
with error_box():
    sign_in_gate()

page = st.navigation(
    [
        st.Page("pages/start.py", title="Start", icon=":material/home:", default=True),
        st.Page("pages/import_data.py", title="Import", icon=":material/upload_file:"),
        st.Page("pages/score.py", title="Score", icon=":material/calculate:"),
        st.Page("pages/explore.py", title="Explore", icon=":material/insights:"),
        st.Page("pages/curate.py", title="Curate", icon=":material/content_cut:"),
        st.Page("pages/apply.py", title="Apply", icon=":material/model_training:"),
        st.Page("pages/export.py", title="Export", icon=":material/download:"),
    ],
    position="top",
)
with error_box():
    run_banner()
with error_box():
    page.run()
