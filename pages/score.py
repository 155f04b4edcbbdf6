"""Score: choose encoders and settings, then watch the run."""

import streamlit as st

from curation.encoders import encoder_choices, encoder_label, encoder_note
from curation.settings import RunSettings
from curation.words import MEASURES
from ui import state
from ui.components import empty_state
from ui.jobs import job_progress
from ui.text import plain

st.title("Score", anchor=False)


def finished(status) -> None:
    """Offer the next step, or take it where the user is waiting for the first figure."""
    if st.session_state.pop(state.FOLLOW, None) == state.run_id():
        st.switch_page("pages/explore.py", query_params=state.address())
    st.success("The scores are ready.", icon=":material/check_circle:")
    st.page_link("pages/explore.py", label="Explore the results", icon=":material/insights:")


@st.fragment(run_every=0.5)
def watch() -> None:
    """Show stage, count and time left until the state changes."""
    now = state.status()
    if not now.active or now.scored:
        st.rerun()
    job_progress(now, state.cancel, "Cancel the run")


def choose(prepared: dict) -> None:
    """Let the user pick encoders and settings for what was imported, and start."""
    st.markdown(f"**{plain(prepared['name'])}**: {prepared['count']:,} pairs are ready to be scored.")
    encoders = {}
    for column, (name, kind) in zip(st.columns(2), prepared["kinds"].items(), strict=True):
        with column:
            encoders[name] = st.selectbox(
                f"Encoder for the {plain(name)}", encoder_choices(kind), key=f"encoder_{name}",
                format_func=lambda choice, kind=kind: encoder_label(choice, kind),
            )  # fmt: skip
            st.caption(plain(encoder_note(encoders[name], kind)))
    with st.expander("Settings for the curious", icon=":material/tune:"):
        redundancy = st.selectbox("Measure of redundancy", list(MEASURES), format_func=MEASURES.get)
        folds = st.number_input("Folds: every sample is scored by models that never saw it", 2, 20, None,
                                placeholder="10 for fewer than 2,000 pairs, 5 for more")  # fmt: skip
        seed = st.number_input("Random seed: the same seed gives the same scores", 0, 2**31 - 1, 0)
    if st.button("Score the pairs", type="primary", icon=":material/play_arrow:"):
        state.launch(RunSettings(prepared["source"], encoders, redundancy, n_splits=folds, random_state=int(seed)))


now = state.status()
if now is not None and now.active and not now.scored:
    watch()
    st.stop()
if now is not None and now.state in ("failed", "stopped") and not now.scored:
    st.error(plain(now.message), icon=":material/info:")
if now is not None and now.state == "cancelled" and not now.scored:
    st.info("The run was cancelled.")
over = now is not None and not now.active and not now.scored
if over and st.button("Resume the run", icon=":material/resume:"):
    state.resume()
    st.rerun()
if now is not None and now.scored:
    finished(now)
if state.draft() is not None:
    choose(state.draft())
elif now is None:
    empty_state(
        "Nothing to score yet", "Import your own pairs, or run a demo from the start page.",
        "pages/import_data.py", "Import data",
    )  # fmt: skip
else:
    st.page_link("pages/start.py", label="Start another run", icon=":material/restart_alt:")
