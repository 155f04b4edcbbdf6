"""An application on screen: asked for, watched, and read as a verdict beside its figures, and its model taken along."""

from __future__ import annotations

from functools import partial

import streamlit as st

from curation.applying import Applied, read_applied
from curation.applying.found import SHARES
from curation.applying.models import command_to_use, zip_model
from curation.applying.wording import CEILING, wording
from curation.figures import compared_figure
from curation.jobs import JobStatus, cancel_job, resume_job
from curation.jobs.apply import apply_job, apply_status, start_apply
from curation.workspace import ScoredRun
from ui import state
from ui.components import chart, error_box
from ui.jobs import job_progress
from ui.text import plain

__all__ = ["application_panel", "application_title"]


def application_title(run: ScoredRun, what: str) -> str:
    """Return the name of an application, with the data set's own words."""
    return plain(wording(what, run.modality_names).title)


def application_panel(run: ScoredRun, what: str) -> None:
    """Show what an application found, or offer to put it to work.

    Parameters
    ----------
    run : ScoredRun
    what : one of :data:`~curation.settings.APPLICATIONS`
    """
    status, applied = apply_status(state.workspace(), run.folder.name, what), read_applied(run, what)
    words = wording(what, run.modality_names)
    st.subheader(plain(words.title), anchor=False)
    st.markdown(plain(words.lead))
    if status is not None and status.active:
        _watch(run, what)
    elif applied is not None:
        _shown(run, applied)
    elif status is not None and status.state in ("failed", "stopped", "cancelled"):
        _ended(run, what, status)
    else:
        st.button("Try it on these samples", type="primary", icon=":material/model_training:", on_click=_start,
                  args=(run, what))  # fmt: skip
        st.caption("It takes minutes, in the background; you may go on working.")


def _start(run: ScoredRun, what: str) -> None:
    with error_box():
        start_apply(state.workspace(), run, what)


@st.fragment(run_every=1.0)
def _watch(run: ScoredRun, what: str) -> None:
    now = apply_status(state.workspace(), run.folder.name, what)
    if not now.active:
        st.rerun()
    job_progress(now, partial(cancel_job, state.workspace(), apply_job(run.folder.name, what)), "Cancel")


def _ended(run: ScoredRun, what: str, status: JobStatus) -> None:
    if status.state == "cancelled":
        st.info("It was cancelled; what was finished is kept.", icon=":material/info:")
    else:
        st.error(plain(status.message), icon=":material/info:")
    st.button("Go on", icon=":material/resume:", on_click=_resume, args=(run, what))


def _resume(run: ScoredRun, what: str) -> None:
    with error_box():
        resume_job(state.workspace(), apply_job(run.folder.name, what))


def _shown(run: ScoredRun, applied: Applied) -> None:
    best = applied.against_best()
    helps, harms = any(f.helps for f in [*best, *applied.against_plainest()]), any(f.harms for f in best)
    box, icon = (st.warning, "warning") if harms else (st.success, "check_circle") if helps else (st.info, "balance")
    box(plain(applied.headline), icon=f":material/{icon}:")
    left, right = st.columns([1, 1.2], gap="large")
    with left:
        for found in applied.findings():
            told = "".join(f"\n- {plain(other.compared)}" for other in found)
            st.markdown(f"**{plain(found[0].reached)}**{told}")
        st.caption(
            f"In brackets: 90 % intervals over {applied.told['n_repeats']} repeats. The model learned from "
            f"{applied.told['learned_from']:,} of {applied.told['n_samples']:,} samples. The best of the other ways is "
            "the one that turned out best on the samples that were asked."
        )
        _take_along(run, applied)
    with right:
        _figure(applied)


def _figure(applied: Applied) -> None:
    words, conditions = applied.words, applied.told["conditions"]
    condition = conditions[0]
    if len(conditions) > 1:
        condition = st.pills(
            "When", conditions, format_func=lambda name: plain(words.conditions.get(name, name)), required=True,
            default=conditions[0], key=f"apply_condition_{applied.what}", persist_state="session", wrap=True,
        )  # fmt: skip
    metric = st.pills(
        "What is measured", list(words.metrics), format_func=lambda name: plain(words.metrics[name]), required=True,
        default=next(iter(words.metrics)), key=f"apply_metric_{applied.what}", persist_state="session", wrap=True,
    )  # fmt: skip
    measured, title = words.metrics[metric], words.conditions.get(condition, condition)
    figure = compared_figure(
        applied.spread(condition, metric), words.methods[words.ours], [words.methods.get(CEILING, "")], measured,
        metric in SHARES, f"{title} · bars: 90 % intervals over repeats",
    )  # fmt: skip
    chart(figure, f"compared_{applied.what}", f"{measured} by each way to do it: {title}",
          "Each dot is a way to do it, its bar where it may lie on other samples of this kind.")  # fmt: skip


def _take_along(run: ScoredRun, applied: Applied) -> None:
    name = f"{applied.what}-model"
    st.download_button(
        "Download the model", data=lambda: zip_model(run, applied), file_name=f"{name}.zip", mime="application/zip",
        type="primary", icon=":material/download:", on_click="ignore",
        help="Its weights, its settings and a card that says what it is and what it is worth.",
    )  # fmt: skip
    st.caption(plain(f"It {applied.words.gives}."))
    with st.expander("Use it", icon=":material/terminal:"):
        st.code(command_to_use(run, applied, name), language="bash", wrap_lines=True)
