"""The price of pruning on screen: measured on request, watched, and read as advice beside a figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from curation.figures import price_figure
from curation.jobs import JobStatus, cancel_job, resume_job
from curation.jobs.price import price_job, price_status, start_price
from curation.recommending import BASELINE, POLICY_TITLES, Price, metric_titles, price_of
from curation.workspace import ScoredRun
from ui import state
from ui.components import chart, error_box
from ui.jobs import job_progress
from ui.text import plain

__all__ = ["price_panel"]

_FOLLOWED = "price_followed"  # the run whose measurement this session watched to its end


def price_panel(run: ScoredRun, share: float, take: Callable[[float], None]) -> None:
    """Show what leaving samples out costs, or offer to measure it.

    Parameters
    ----------
    run : ScoredRun
    share : float
        That stays by the partition on show.
    take : callable
        Told the share at which the advice is to be taken.
    """
    status, price = price_status(state.workspace(), run.folder.name), price_of(run)
    if price is not None:
        _shown(price, share, take)
    if status is not None and status.active:
        _watch(run)
    elif status is not None and status.state in ("failed", "stopped", "cancelled"):
        _ended(run, status)
    elif price is None:
        _offer(run)
    elif 0.01 <= share <= 0.99 and abs(price.nearest(share) - share) >= 0.01:
        st.button(f"Measure {share:.0%} as well", icon=":material/add_chart:", on_click=_start, args=(run, share),
                  help="What was measured stays; only this share is measured now.")  # fmt: skip


def _offer(run: ScoredRun) -> None:
    st.markdown(
        "A quick model learns from what stays and is asked about samples that nobody has seen, for several ways to "
        "leave samples out and several shares. Then you see what it costs before anything leaves."
    )
    st.button("Measure the price", type="primary", icon=":material/query_stats:", on_click=_start, args=(run,))
    st.caption("It takes minutes, in the background; you may go on working.")


def _start(run: ScoredRun, share: float | None = None) -> None:
    with error_box():
        start_price(state.workspace(), run, share)


@st.fragment(run_every=1.0)
def _watch(run: ScoredRun) -> None:
    now = price_status(state.workspace(), run.folder.name)
    if not now.active:
        st.rerun()
    job_progress(now, partial(cancel_job, state.workspace(), price_job(run.folder.name)), "Cancel the measurement")


def _ended(run: ScoredRun, status: JobStatus) -> None:
    if status.state == "cancelled":
        st.info("The measurement was cancelled; what it finished is kept.", icon=":material/info:")
    else:
        st.error(plain(status.message), icon=":material/info:")
    st.button("Go on measuring", icon=":material/resume:", on_click=_resume, args=(run,))


def _resume(run: ScoredRun) -> None:
    with error_box():
        resume_job(state.workspace(), price_job(run.folder.name))


def _shown(price: Price, share: float, take: Callable[[float], None]) -> None:
    budget = price.nearest(share)
    advice = price.advise(budget)
    near = (
        "" if abs(budget - share) < 0.01 else f" ({budget:.0%} is the measured share that is nearest to {share:.0%}.)"
    )
    found = advice.policy != BASELINE
    (st.success if found else st.info)(
        plain(" ".join(advice.sentences) + near), icon=":material/recommend:" if found else ":material/casino:"
    )
    label = "Take this advice" if found else "Take such a random sample"
    st.button(label, type="primary", icon=":material/check:", on_click=take, args=(share,))
    titles = metric_titles(price.modality_names)
    metric = st.pills("What is measured", list(titles), format_func=lambda key: plain(titles[key]), default="accuracy",
                      key="price_metric", required=True, persist_state="session", wrap=True)  # fmt: skip
    asked = f"{price.told['n_repeats']} repeats · bands: 90 % intervals · learned from {price.told['measured_on']:,}"
    if price.told["measured_on"] < price.told["n_samples"]:
        asked += f" of {price.told['n_samples']:,}"
    chart(
        price_figure(price.lines(metric), POLICY_TITLES, advice.policy, share, f"{titles[metric]}", f"{asked} samples"),
        "price", "Right answers of a quick model against the share of the samples that stays, by policy",
        "Each line is one way to leave samples out: the higher, the less it costs. Where bands overlap, the difference "
        "may be chance.",
    )  # fmt: skip
    with st.expander("How this was measured", icon=":material/help:"):
        st.markdown(_HOW)


_HOW = """
A quick model (two layers, the same number of steps each time) learns from what stays and is asked about samples that
were held out: neither the scores nor the choice of a policy have seen them. With one side missing it is asked with that
side left blank.

- **Chosen for your samples**: of eleven ways the one that did best on parts of the samples that are learned from.
- **Random, the same share of every category**: what everything else has to beat.
- **What both sides give away leaves first**, **What misleads leaves first**: by the weaker of the two sides.
- **Near-duplicates leave first**: those most like an earlier sample of their category.
- **The hardest for a quick model stay**: where a model that has just begun to learn is furthest from the label (EL2N).
"""
