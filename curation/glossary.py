"""The words of the screens, each in one plain sentence, with its formula."""

from __future__ import annotations

from dataclasses import dataclass

from curation.exploring.groups import LEAST, MISLED

__all__ = ["Word", "glossary"]


@dataclass(frozen=True)
class Word:
    """A word that people meet on the screens.

    Attributes
    ----------
    word, meaning : str
    formula : str
        Markdown; empty where there is none.
    """

    word: str
    meaning: str
    formula: str = ""


def glossary(modality_names: tuple[str, str]) -> tuple[Word, ...]:
    """Return the words besides the four terms, in the words of the data set."""
    a, b = modality_names
    return (
        Word("Nats and bits", "Units of information, as metres and feet are of length. One nat makes the right "
             "category e ≈ 2.7 times as likely as its frequency does, one bit twice as likely.",
             "1 nat = 1 / ln 2 ≈ 1.44 bits"),
        Word("What one side tells", f"How much likelier the right category becomes once the {a}, or the {b}, is seen. "
             "Below 0 it became less likely.", "i1 = ln p(y | x1) − ln p(y), i2 likewise, i12 with both"),
        Word("Measure", "The rule for how much counts as said by both. There are several, for nobody can prove one the "
             "only right one; what each side tells is the same in all of them.",
             "i1 = r + u1, i2 = r + u2, i12 = r + u1 + u2 + s; the measure chooses r"),
        Word("Adjusted", "Means, moved together by one number so that they can be read as shares of a whole. Single "
             "samples are never moved.", "r + c, u1 − c, u2 − c, s + c"),
        Word("Misleading", f"The {a} or the {b} points clearly to another category: often a swapped pair, or a wrong "
             "label.", f"min(i1, i2) < {MISLED:g} nats".replace("-", "−")),
        Word("Unclear (neither helps)", "No score is large enough to say what carries the category.",
             f"max(r, u1, u2, s) < {LEAST:g} nats"),
        Word("Suspect", "A sample that is worth a look before it is trusted. Nothing is changed or left out by itself.",
             "label error: both sides sure of another category; swapped pair: each side sure of a different one"),
        Word("Near-duplicate", "A sample nearly the same as another one of its category.",
             "cosine similarity of both sides' features, within the category"),
        Word("Interval", "Where the mean would lie in nine of ten repetitions with other samples of the same kind. A "
             "short line is a mean to rely on.", "mean ± 1.645 · standard deviation / √n"),
        Word("Hollow, or not certain", "Learned again, another of the four scores could come out as the largest.",
             "lead < 1.645 · √(se₁² + se₂²)"),
        Word("Teacher and student", f"A model that sees both sides explains its answers to one that will only ever see "
             f"the {a}, or only the {b} (distillation).", "loss = w · label + v · teacher's answer, sample by sample"),
        Word("Stacking", "A small model that learns from the answers of others how to make one of them.",
             "logistic regression on their log-probabilities"),
        Word("Probabilities off by", "How far what a model says and how often it is right lie apart: of answers given "
             "with 80 %, four in five should be right.", "expected calibration error, 15 bins"),
        Word("Joint representation", f"Numbers that describe the {a} and the {b} together, learned without labels.",
             "InfMasking: a whole pair has to be recognised from pairs of which most is hidden"),
    )  # fmt: skip
