"""A job as people watch it: stages behind it, the one it is in, and how to stop it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from curation.jobs import JobStatus
from ui.text import plain

__all__ = ["job_progress"]


def job_progress(now: JobStatus, cancel: Callable[[], None], cancel_label: str) -> None:
    """Show the stages of a job that waits or works, count and time left, and offer to cancel it.

    Parameters
    ----------
    now : JobStatus
    cancel : callable
    cancel_label : str
    """
    if now.state == "queued":
        st.info(_waiting(now.before), icon=":material/hourglass_top:")
    for stage, seconds in now.finished:
        st.markdown(f":material/check_circle: {plain(stage)} :gray[{seconds:.1f} s]")
    left = "" if now.seconds_left is None else f" · about {now.seconds_left:,.0f} s left"
    count = f" · {now.done:,} of {now.total:,}" if now.total > 1 else ""
    if now.state == "running":
        st.progress(now.fraction, text=f"**{plain(now.stage or 'Starting')}**{count}{left}")
    st.caption("You may reload or close this page; the work goes on. Keep its address to come back.")
    if st.button(cancel_label, icon=":material/stop_circle:"):
        cancel()
        st.rerun()


def _waiting(before: int) -> str:
    others = "one other run goes" if before == 1 else f"{before} other runs go"
    return f"In the queue: {others} first." if before else "Starting …"
