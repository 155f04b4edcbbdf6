"""The plain words, colours and formulas of everything that is shown; one table for figures, pages and reports."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from curation.errors import DataError

__all__ = [
    "EARLIER", "MEASURES", "ORDERS_TOLD", "PER_NAT", "SIGNS", "Term", "quantity", "quantity_names", "terms",
    "within_sentence",
]  # fmt: skip


@dataclass(frozen=True)
class Term:
    """One quantity as people see it.

    Attributes
    ----------
    key : str
        Column of the scores.
    name : str
        What the command line calls it.
    title : str
        Plain words with the user's modality names.
    explanation : str
        One line for someone who never heard of mutual information.
    formula : str
    colour : str
        One colour per meaning, colour-blind-safe.
    """

    key: str
    name: str
    title: str
    explanation: str
    formula: str
    colour: str


MEASURES = {
    "cautious": "Cautious: the smaller of what the two tell, less where the surer side falls short (Interplay's own)",
    "lsmi": "LSMI: what the less surprising modality already gives away (the published measure)",
    "mmi": "MMI: the smaller of what the two modalities tell",
    "ccs": "CCS: what the two modalities tell in common, where all signs agree",
    "sx": "SX: what the statement 'one or the other' would tell",
}
"""Definitions of redundancy in plain words, the default first."""

PER_NAT = {"nats": 1.0, "bits": 1 / log(2)}
"""Units that information is shown in: how many of each make one nat."""

EARLIER = "This run was scored before the measure “cautious” was there, and did not keep what it is made of"


_MISLEADS = "A bar to the left of 0 means that this part misleads more often than it helps."
SIGNS = {
    "cautious": "Under this measure bars of a single side never lie left of 0. “Both” does where a side misleads or "
    "falls far short of what it seemed to know, “only together” where the two together tell less than the other parts "
    "add up to.",
    "lsmi": "This measure credits what the more telling side says to “both”, so bars of a single side may lie "
    "left of 0.",
    "mmi": _MISLEADS,
    "ccs": _MISLEADS,
    "sx": "This measure gives “both” the average case, so bars of a single side may lie left of 0.",
}
"""How to read negative means under each measure."""


ORDERS_TOLD = {
    "random": "a random sample, the same share of every category",
    "even": "crowds are thinned out, so that clear and unclear samples of every category stay alike",
    "mostly-hard": "a random sample with more of the hard ones, and so more of the categories that are hard",
    "redundant-first": "those leave first whose category both sides give away",
    "misleading-first": "those leave first that mislead",
    "duplicates-first": "those leave first that look like another sample of their category",
    "hardest": "those stay that a quick model finds hardest",
}
"""Who leaves and who stays when samples are pruned, as part of a sentence."""


def terms(modality_names: tuple[str, str]) -> tuple[Term, Term, Term, Term]:
    """Return redundancy, both uniquenesses and synergy in the words of the data set."""
    a, b = modality_names
    return (
        Term("r", "redundancy", "Both say it",
             f"The {a} and the {b} each give the category away.", "r, see the measure", "#CC79A7"),
        Term("u1", f"unique:{a}", f"Only the {a} knows",
             f"The {a} tells something about the category that the {b} does not.", "u1 = i1 − r", "#0072B2"),
        Term("u2", f"unique:{b}", f"Only the {b} knows",
             f"The {b} tells something about the category that the {a} does not.", "u2 = i2 − r", "#E69F00"),
        Term("s", "synergy", "Only together",
             f"Neither the {a} nor the {b} tells it alone; the two together do.",
             "s = i12 − i1 − i2 + r", "#009E73"),
    )  # fmt: skip


def within_sentence(title: str) -> str:
    """Return a title as it reads within a sentence; names in it keep their capitals."""
    return title[:1].lower() + title[1:]


def quantity_names(modality_names: tuple[str, str]) -> dict[str, str]:
    """Return every name a quantity may be called by on the command line, with its column."""
    names = {term.name: term.key for term in terms(modality_names)}
    names |= {key: key for key in ("r", "u1", "u2", "s", "i1", "i2", "i12")}
    return names | {name: f"suspect.{name}" for name in ("label_error", "swapped_pair")}


def quantity(name: str, modality_names: tuple[str, str]) -> str:
    """Return the column of the scores that a quantity name stands for.

    Raises
    ------
    DataError
        When the name is unknown.
    """
    known = quantity_names(modality_names)
    if name not in known:
        raise DataError(f"There is no score called '{name}'; choose one of: {', '.join(known)}.")
    return known[name]
