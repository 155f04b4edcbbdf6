"""Selections in plain words."""

from __future__ import annotations

from curation.exploring.groups import groups
from curation.exploring.partition import PartitionRecipe
from curation.exploring.selection import Node
from curation.plainly import listed, short
from curation.words import ORDERS_TOLD, terms, within_sentence
from lsmi_core.applications.pruning.policies import Recipe

__all__ = ["SUSPECT_TITLES", "column_title", "order_told", "recipe_told", "sentence", "space_title"]

SUSPECT_TITLES = {
    "label_error": "label errors",
    "swapped_pair": "swapped pairs",
    "copies": "near-duplicates",
}
"""The kinds of suspects as people know them."""


def space_title(space: str, modality_names: tuple[str, str]) -> str:
    """Return what a map shows, in the words of the data set."""
    a, b = modality_names
    return {
        "both": f"{a} and {b}", "first": f"{a} alone", "second": f"{b} alone", "terms": "the scores",
        "quadrant": f"{a} against {b}",
    }[space]  # fmt: skip


def column_title(column: str, modality_names: tuple[str, str]) -> str:
    """Return what a score is called, in the words of the data set."""
    a, b = modality_names
    told = {term.key: term.title for term in terms(modality_names)}
    told |= {"i1": f"What the {a} tells", "i2": f"What the {b} tells", "i12": "What both tell together"}
    told |= {f"suspect.{key}": f"Suspicion: {title}" for key, title in SUSPECT_TITLES.items()}
    return told.get(column, column)


def sentence(node: Node, modality_names: tuple[str, str]) -> str:
    """Return what an expression selects, in plain words.

    Parameters
    ----------
    node : dict
        As :func:`~curation.exploring.selection.checked` returns it.
    modality_names : tuple of str

    Returns
    -------
    str
        Part of a sentence, such as "category 'boot' and tag 'odd'".
    """
    kind = node["kind"]
    if kind in ("and", "or"):
        told = [sentence(part, modality_names) for part in node["parts"]]
        return told[0] if len(told) == 1 else "(" + f" {kind} ".join(told) + ")"
    if kind == "not":
        return f"not {sentence(node['part'], modality_names)}"
    return _SINGLE[kind](node, modality_names)


def _range(node: Node, names: tuple[str, str]) -> str:
    title, low, high = within_sentence(column_title(node["column"], names)), node["low"], node["high"]
    if low is not None and high is not None:
        return f"“{title}” from {low:.2f} to {high:.2f} nats"
    return f"“{title}” of {'at least' if high is None else 'at most'} {low if high is None else high:.2f} nats"


def _groups(node: Node, names: tuple[str, str]) -> str:
    titles = {group.key: group.title for group in groups(names)}
    return " or ".join(f"“{within_sentence(titles[key])}”" for key in node["groups"])


def order_told(trim: float, order: str) -> str:
    """Return who goes and who stays by a policy of pruning, in plain words."""
    if trim == 0:
        return ORDERS_TOLD[order]
    inside = "of every category " if Recipe(trim, order).balanced else ""
    return f"without the {trim:.0%} {inside}that mislead most; of the others {ORDERS_TOLD[order]}"


def recipe_told(recipe: PartitionRecipe, names: tuple[str, str]) -> str:
    """Return what a partition keeps, in plain words."""
    if recipe.how == "groups":
        told = _groups({"groups": recipe.groups}, names) if recipe.groups else "no group"
    elif recipe.how == "policy":
        told = order_told(recipe.trim, recipe.order)
    else:
        title = f"“{within_sentence(column_title(recipe.by, names))}”"
        edge = "at least" if recipe.side == "high" else "at most"
        told = f"the {recipe.side}est {title}"
        if recipe.threshold is not None:
            told = f"{title} of {edge} {recipe.threshold:.2f} nats"
        told += ", the same share of every category" if recipe.balanced else ""
    least = f", at least {recipe.minimum:,} of every category" if recipe.minimum and recipe.how != "groups" else ""
    inside = "" if recipe.within["kind"] == "all" else f", among {sentence(recipe.within, names)}"
    return told + least + inside


def _partition(node: Node, names: tuple[str, str]) -> str:
    told = recipe_told(PartitionRecipe.from_json(node["recipe"]), names)
    return f"what stays: {told}" if node["part"] == "selected" else f"what leaves where this stays: {told}"


_SINGLE = {
    "all": lambda node, names: "all samples",
    "categories": lambda node, names: (
        f"{'category' if len(node['labels']) == 1 else 'categories'} {listed(node['labels'], most=3)}"
    ),
    "words": lambda node, names: f"holding “{short(node['text'], 40)}”",
    "range": _range,
    "tag": lambda node, names: f"tag '{short(node['tag'], 40)}'",
    "group": _groups,
    "region": lambda node, names: f"drawn on the map of {space_title(node['space'], names)}",
    "suspects": lambda node, names: f"the {node['count']:,} most suspect of {SUSPECT_TITLES[node['which']]}",
    "ids": lambda node, names: f"{len(node['ids']):,} chosen one by one",
    "partition": _partition,
    "named": lambda node, names: f"selection “{short(node['name'], 40)}”",
}
