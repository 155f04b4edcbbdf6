"""What an application found, in plain words: whether it helped, by how much, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.workspace import ScoredRun
from lsmi_core.applications.comparison import Comparison
from lsmi_core.intervals import mean_interval

__all__ = ["Applied", "Finding", "Wording", "read_applied", "wording"]

CEILING = "teacher"
NATS = ("i12", "s")


@dataclass(frozen=True)
class Wording:
    """How an application is spoken of, with the data set's own names.

    Attributes
    ----------
    title, lead : str
    ours, plainest : str
        The method of the comparison that is ours, and the one that is no method at all.
    methods, conditions, metrics : dict of str to str
        Names of the comparison in plain words, in the order of showing; the first metric is the one that counts.
    gives : str
        What the trained model is good for.
    """

    title: str
    lead: str
    ours: str
    plainest: str
    methods: dict[str, str]
    conditions: dict[str, str]
    metrics: dict[str, str]
    gives: str


def wording(what: str, names: tuple[str, str]) -> Wording:
    """Return the words of one of :data:`~curation.settings.APPLICATIONS` for two modality names."""
    a, b = names
    right = {"accuracy": "Right answers"}
    if what == "ensemble":
        return Wording(
            "One answer from both sides",
            f"Three models, one that sees the {a}, one that sees the {b} and one that sees both, give one answer. How "
            "much each counts is decided sample by sample, from what the sides are predicted to tell; the label is "
            "not looked at. It also answers when a side is missing.",
            "interactions",
            "best single",
            {
                "interactions": "Weighed by predicted interactions",
                "stacking with corruptions": "Stacking that saw swapped and missing sides, too",
                "stacking": "Stacking",
                "validation-weighted": "Weights by how good each is on others",
                "uniform": "All count the same",
                "best single": "The best one alone",
            },
            {
                "intact": "With both sides as they are",
                "first missing": f"When the {a} is missing",
                "second missing": f"When the {b} is missing",
                "swapped": "When half of the pairs are swapped",
            },
            right | {"ece": "Probabilities off by", "log_loss": "Surprise at the label, nats"},
            "predicts the category of new pairs, or of one side where the other is missing",
        )
    if what == "fusion":
        return Wording(
            "A joint representation",
            f"A small network learns, without labels, to describe {a} and {b} together (InfMasking). Then it is seen "
            "whether the estimator finds more with that description than with the features alone: above all what only "
            "both together tell.",
            "with fusion",
            "features alone",
            {"with fusion": "With the joint representation", "features alone": "With the features alone"},
            {"intact": "Out of fold"},
            {"i12": "What both tell together, nats", "s": "Only together (synergy), nats"},
            "turns new pairs into joint feature vectors",
        )
    kept, other = names if what == "student1" else (b, a)
    return Wording(
        f"A student that sees the {kept} only",
        f"A teacher that sees both sides teaches a model that will only ever see the {kept}. How much each sample's "
        f"label and the teacher's opinion count is decided by what the {kept} and the {other} tell about it.",
        "targeted",
        "none",
        {
            "targeted": "Taught sample by sample",
            "uniform logit": "Taught the teacher's opinion, all samples alike",
            "uniform feature": "Taught the teacher's features, all samples alike",
            "random weights": "Our weights, dealt out by chance",
            "none": "Not taught, labels only",
            CEILING: "The teacher, which sees both",
        },
        {"every label": "With every label", "20% of the labels": "With a fifth of the labels"},
        right | {"balanced_accuracy": "Every category counts alike", "log_loss": "Surprise at the label, nats"},
        f"predicts the category from the {kept} alone",
    )


@dataclass(frozen=True)
class Finding:
    """Ours against another way, under one condition.

    Attributes
    ----------
    condition : str
        In plain words.
    value, plain : float
        Of ours, and of the other way.
    way : str
        The other way, in plain words.
    gain, low, high : float
        Ours less the other way, with its 90 % interval over repeats.
    in_nats : bool
        Otherwise a share.
    """

    condition: str
    value: float
    plain: float
    way: str
    gain: float
    low: float
    high: float
    in_nats: bool

    @property
    def helps(self) -> bool:
        """Whether the gain is above nothing beyond its interval."""
        return self.low > 0

    @property
    def harms(self) -> bool:
        """Whether the gain is below nothing beyond its interval."""
        return self.high < 0

    @property
    def reached(self) -> str:
        """What ours reached, in words."""
        value = f"{self.value:.3f} nats" if self.in_nats else f"{self.value:.1%} right"
        return f"{self.condition}: {value}"

    @property
    def compared(self) -> str:
        """How that compares with the other way, in words; the interval has 90 %."""
        if self.in_nats:
            by = f"{self.gain:+.3f} nats ({self.low:+.3f} to {self.high:+.3f})"
        else:
            by = f"{100 * self.gain:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f})"
        verdict = "better" if self.helps else "worse" if self.harms else "no certain difference"
        return f"{by} against “{self.way}”: {verdict}"


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

    def against_best(self) -> list[Finding]:
        """Return ours against the best of the other ways under every condition, by the metric that counts.

        The best is the one that turned out best on the samples that were asked: nobody could know before.
        """
        return [self._finding(condition, self._best(condition)) for condition in self.told["conditions"]]

    def against_plainest(self) -> list[Finding]:
        """Return ours against no method at all under every condition, by the metric that counts."""
        return [self._finding(condition, self.words.plainest) for condition in self.told["conditions"]]

    def findings(self) -> list[list[Finding]]:
        """Return both for every condition, or one where the best of the other ways is no method at all."""
        return [list(dict.fromkeys(pair)) for pair in zip(self.against_plainest(), self.against_best(), strict=True)]

    def lines(self) -> str:
        """Return all findings as a list in Markdown, two levels deep."""
        return "\n".join(
            "\n".join([f"- {found[0].reached}", *(f"    - {other.compared}" for other in found)])
            for found in self.findings()
        )

    @property
    def _counts(self) -> str:
        return next(iter(self.words.metrics))

    def _best(self, condition: str) -> str:
        compared = self.comparison
        others = [method for method in compared.methods if method not in (self.words.ours, CEILING)]
        return max(others, key=lambda method: compared.of(method, condition, self._counts).mean())

    def _finding(self, condition: str, other: str) -> Finding:
        compared, ours = self.comparison, self.words.ours
        values = (float(compared.of(method, condition, self._counts).mean()) for method in (ours, other))
        return Finding(
            self.words.conditions.get(condition, condition), *values, self.words.methods.get(other, other),
            *compared.gain(ours, other, condition, self._counts), self._counts in NATS,
        )  # fmt: skip

    @property
    def headline(self) -> str:
        """In a sentence or two whether it helped."""
        plainest, best = self.words.methods[self.words.plainest], self.against_best()
        told = f"On these samples, {_verdict(self.against_plainest(), f'against “{plainest}”')}."
        alone = all(found.way == plainest for found in best)
        return told if alone else f"{told} {_capital(_verdict(best, 'against the best of all other ways'))}."

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
