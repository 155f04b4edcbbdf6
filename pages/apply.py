"""Apply: put the scores to work, see whether that helped on these samples, and take the trained model along."""

import streamlit as st

from curation.settings import APPLICATIONS
from ui.applying import application_panel, application_title
from ui.components import empty_state
from ui.showing import showing

st.title("Apply", anchor=False)
now = showing()
if now is None:
    empty_state(
        "Nothing to put to work yet", "Score some pairs first; then their scores can be put to work here.",
        "pages/start.py", "Go to the start",
    )  # fmt: skip

st.markdown(
    "What the scores are good for beyond looking: models that go by them. Each is measured against plain ways, on "
    "samples that it has not seen, so that you see whether it helps on *your* data before you use it."
)
what = st.radio(
    "What to make", APPLICATIONS, format_func=lambda name: application_title(now.run, name), key="apply_what",
    persist_state="session",
)  # fmt: skip
application_panel(now.run, what)
