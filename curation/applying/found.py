"""What an application found, in plain words: whether it helped, by how much, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.applying.wording import CEILING, Wording, wording
from curation.workspace import ScoredRun
from lsmi_core.applications.comparison import Comparison
from lsmi_core.intervals import mean_interval

__all__ = ["SHARES", "Applied", "Finding", "read_applied"]

SHARES = ("accuracy", "balanced_accuracy", "ece")
"""Metrics that are shares; the others are in nats."""

SURPRISE = "log_loss"


@dataclass(frozen=True)
class Finding:
    """Ours against another way, under one condition.

    Attributes
    ----------
    condition : str
        In plain words.
    metric : str
    value, other : float
        Of ours, and of the other way.
    way : str
        The other way, in plain words.
    gain, low, high : float
        Ours less the other way, with its 90 % interval over repeats.
    """

    condition: str
    metric: str
    value: float
    other: float
    way: str
    gain: float
    low: float
    high: float

    @property
    def helps(self) -> bool:
        """Whether ours is better beyond the interval."""
        return self.high < 0 if self.metric == SURPRISE else self.low > 0

    @property
    def harms(self) -> bool:
        """Whether ours is worse beyond the interval."""
        return self.low > 0 if self.metric == SURPRISE else self.high < 0

    @property
    def reached(self) -> str:
        """What ours reached, in words."""
        value = f"{self.value:.1%} right" if self.metric in SHARES else f"{self.value:.3f} nats"
        return f"{self.condition}: {value}"

    @property
    def compared(self) -> str:
        """How that compares with the other way, in words; the interval has 90 %."""
        if self.metric in SHARES:
            by = f"{100 * self.gain:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f})"
        else:
            by = f"{self.gain:+.3f} nats ({self.low:+.3f} to {self.high:+.3f})"
        what = "surprise at the label " if self.metric == SURPRISE else ""
        verdict = "better" if self.helps else "worse" if self.harms else "no certain difference"
        return f"{what}{by} against “{self.way}”: {verdict}"


@dataclass(frozen=True)
class Applied:
    """What an application found.

    Attributes
    ----------
    what : str
    told : dict
        Contents of its JSON file.
    words : Wording
    """

    what: str
    told: dict
    words: Wording

    @property
    def comparison(self) -> Comparison:
        """The figures of all methods."""
        names = (tuple(self.told[key]) for key in ("methods", "conditions", "metrics"))
        return Comparison(*names, np.array(self.told["values"]))

    def against_best(self, metric: str | None = None) -> list[Finding]:
        """Return ours against the best of the other ways under every condition, by the metric that counts unless told.

        The best is the one that turned out best on the samples that were asked: nobody could know before.
        """
        metric = metric or self._counts
        return [self._finding(c, self._best(c, metric), metric) for c in self.told["conditions"]]

    def against_plainest(self) -> list[Finding]:
        """Return ours against no method at all under every condition, by the metric that counts."""
        return [self._finding(c, self.words.plainest, self._counts) for c in self.told["conditions"]]

    def findings(self) -> list[list[Finding]]:
        """Return for every condition ours against no method, against the best other way, and that by surprise."""
        columns = [self.against_plainest(), self.against_best()]
        columns += [self.against_best(SURPRISE)] if SURPRISE in self.told["metrics"] else []
        return [list(dict.fromkeys(found)) for found in zip(*columns, strict=True)]

    def lines(self) -> str:
        """Return all findings as a list in Markdown, two levels deep."""
        return "\n".join(
            "\n".join([f"- {found[0].reached}", *(f"    - {other.compared}" for other in found)])
            for found in self.findings()
        )

    @property
    def _counts(self) -> str:
        return next(iter(self.words.metrics))

    def _best(self, condition: str, metric: str) -> str:
        compared, sign = self.comparison, -1 if metric == SURPRISE else 1
        others = [method for method in compared.methods if method not in (self.words.ours, CEILING)]
        return max(others, key=lambda method: sign * compared.of(method, condition, metric).mean())

    def _finding(self, condition: str, other: str, metric: str) -> Finding:
        compared, ours = self.comparison, self.words.ours
        values = (float(compared.of(method, condition, metric).mean()) for method in (ours, other))
        return Finding(
            self.words.conditions.get(condition, condition), metric, *values, self.words.methods.get(other, other),
            *compared.gain(ours, other, condition, metric),
        )  # fmt: skip

    @property
    def headline(self) -> str:
        """In a few sentences whether it helped."""
        plainest, best = self.words.methods[self.words.plainest], self.against_best()
        told = [f"On these samples, {_verdict(self.against_plainest(), f'against “{plainest}”')}."]
        if any(found.way != plainest for found in best):
            told.append(f"{_capital(_verdict(best, 'against the best of all other ways'))}.")
        if SURPRISE in self.told["metrics"]:
            told.append(f"By surprise at the label, {_verdict(self.against_best(SURPRISE), 'against the best')}.")
        return " ".join(told)

    def spread(self, condition: str, metric: str) -> pd.DataFrame:
        """Return ``method, mean, low, high`` under a condition, in plain words, with 90 % intervals over repeats."""
        compared = self.comparison
        rows = [
            (title, *mean_interval(compared.of(method, condition, metric)))
            for method, title in self.words.methods.items()
            if method in compared.methods
        ]
        return pd.DataFrame(rows, columns=["method", "mean", "low", "high"])

    def table(self, condition: str) -> pd.DataFrame:
        """Return the means over repeats under a condition: a row a method, a column a metric, in plain words."""
        compared = self.comparison
        rows = {
            title: [compared.of(method, condition, metric).mean() for metric in self.words.metrics]
            for method, title in self.words.methods.items()
            if method in compared.methods
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.words.metrics.values()))


def _verdict(findings: list[Finding], against: str) -> str:
    """Return where it helps and where it does harm, beginning with a small letter."""
    places = {"helps": [f for f in findings if f.helps], "does harm": [f for f in findings if f.harms]}
    told = [f"it {verb} {_joined(found)}" for verb, found in places.items() if found]
    if not told:
        return f"it makes no certain difference {against}"
    rest = "" if sum(map(len, places.values())) == len(findings) else ", and makes no certain difference otherwise"
    return f"{against} {' and '.join(told)}{rest}"


def _joined(findings: list[Finding]) -> str:
    lowered = [found.condition[0].lower() + found.condition[1:] for found in findings]
    return lowered[0] if len(lowered) == 1 else f"{', '.join(lowered[:-1])} and {lowered[-1]}"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def read_applied(run: ScoredRun, what: str) -> Applied | None:
    """Return what an application found on a run, or None where it was not put to work."""
    told = run.applied(what)
    return None if told is None else Applied(what, told, wording(what, run.modality_names))
