"""How far the scores of a run can be trusted: how much they move, and what its checks mean in plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from curation.fitting import CHECKED
from curation.summary import with_measure
from curation.words import terms
from curation.workspace import ScoredRun
from lsmi_core import TERMS
from lsmi_core.interactions import INGREDIENTS

__all__ = ["advice", "standard_errors"]

NOTHING = 0.02  # nats
PART = 0.25


def standard_errors(run: ScoredRun, measure: str) -> pd.DataFrame | None:
    r"""Return how much every score would move if all were learned again from the same samples.

    The standard deviation (with :math:`R - 1`) over the R = 3 fits of a run: its own and two with other folds and
    seeds. :meth:`lsmi_core.PointwiseInteractions.standard_errors` divides it by :math:`\sqrt R`, because what it stands
    beside is the mean of R fits. What is shown of a run is one fit, so here it is not divided. With three fits a
    single value is rough (were the fits normal, nine in ten would lie between .23 and 1.73 times the truth); averages
    over many samples are not.

    Parameters
    ----------
    run : ScoredRun
    measure : {"cautious", "lsmi", "mmi", "ccs", "sx"}

    Returns
    -------
    pandas.DataFrame or None
        ``r, u1, u2, s, i1, i2, i12`` in nats, in the order of the scores; None while there are no further fits.

    Raises
    ------
    DataError, InvalidInputError
        As :func:`curation.summary.with_measure`.
    """
    repeats = run.repeats()
    if repeats is None:
        return None
    fits = [run.scores] + [_fit(repeats, k) for k in range(1, 1 + (repeats.shape[1] - 1) // len(INGREDIENTS))]
    each = [with_measure(fit, measure)[list(CHECKED)].to_numpy() for fit in fits]
    return pd.DataFrame(np.std(each, axis=0, ddof=1), columns=CHECKED)


def _fit(repeats: pd.DataFrame, k: int) -> pd.DataFrame:
    return pd.DataFrame({name: repeats[f"{name}.{k}"] for name in INGREDIENTS})


def advice(run: ScoredRun) -> list[str]:
    """Return in plain words what the checks of a run say about reading it; nothing while they are not made.

    Parameters
    ----------
    run : ScoredRun

    Returns
    -------
    list of str
        Whole sentences.
    """
    checks = run.checks()
    if checks is None:
        return []
    told = [_on_power(run, checks["power"]), *_on_null(run, checks["null"])]
    if checks["looked_at"] < checks["n_samples"]:
        told.append(f"These checks looked at {checks['looked_at']:,} of the {checks['n_samples']:,} samples.")
    return told + _on_repeats(run)


def _on_power(run: ScoredRun, power: dict) -> str:
    (a, b), found = run.modality_names, f"{max(power['found'], 0):.2f} of {power['planted']:.2f} nats were found again"
    if power["seen"]:
        return (
            f"Something that only the {a} and the {b} together tell would have been seen: planted as a test, {found}."
        )
    hidden = f"Something that only the {a} and the {b} together tell could have stayed hidden"
    why = f"planted as a test, only {found}" if power["planted"] else "there are too few samples to test it"
    return f"{hidden} ({why}): read a small “only together” as “not known”, not as “none”."


def _on_null(run: ScoredRun, null: dict) -> list[str]:
    """Tell the terms that come out of nothing: with categories dealt out at random every mean should be near zero."""
    told = []
    for term in terms(run.modality_names):
        found, nothing = run.summary["means"][term.key]["mean"], null[term.key]
        if abs(nothing) > max(NOTHING, PART * abs(found)):
            told.append(
                f"“{term.title}” comes out at {nothing:.2f} nats even when the categories are dealt out at random, "
                f"and at {found:.2f} here: do not read much into it."
            )
    return told or ["With the categories dealt out at random next to nothing is found, as it should be."]


def _on_repeats(run: ScoredRun) -> list[str]:
    errors = standard_errors(run, run.summary["redundancy"])
    if errors is None:
        return []
    told = []
    for term, key in zip(terms(run.modality_names), TERMS, strict=True):
        spread, error = float(run.scores[key].std()), float(np.sqrt((errors[key] ** 2).mean()))
        if error > max(NOTHING, spread / 2):
            told.append(
                f"“{term.title}” of a single sample moves by about {error:.2f} nats when "
                f"all is learned again, and samples differ by {spread:.2f}: read its means, not single samples."
            )
    return told
