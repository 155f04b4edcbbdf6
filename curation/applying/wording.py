"""How every application is spoken of, in the words of the data set."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CEILING", "Wording", "wording"]

CEILING = "teacher"
"""A method that is no competitor: what could be reached at best."""


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
