"""A selection is plain data: an expression over samples that can be kept, linked to, named and combined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from curation.errors import DataError
from curation.exploring.groups import GROUPS
from curation.exploring.partition import PARTS, Partition, PartitionRecipe, partitioned
from curation.exploring.samples import SPACES, SUSPECTS, Samples

__all__ = ["MOST_CORNERS", "NAMED", "Node", "checked", "facet", "mask", "simplified", "split"]

Node = dict[str, Any]
MOST_CORNERS = 200
NAMED = "named/"
"""Before the names that people give to selections: other recipes are kept in the same table."""
_DEEPEST = 20


def mask(node: Node, samples: Samples) -> np.ndarray:
    """Return which samples an expression selects.

    Parameters
    ----------
    node : dict
        See :func:`checked` for its forms.
    samples : Samples

    Returns
    -------
    ndarray of shape (n_samples,), bool

    Raises
    ------
    DataError
        When the expression asks for what these samples do not have.
    """
    return _MASKS[node["kind"]](node, samples)


def _categories(node: Node, samples: Samples) -> np.ndarray:
    codes, names = samples.labels
    return np.isin(codes, np.flatnonzero(names.astype("str").isin(node["labels"])))


def _range(node: Node, samples: Samples) -> np.ndarray:
    values = samples.column(node["column"])
    low, high = node.get("low"), node.get("high")
    return (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))


def _group(node: Node, samples: Samples) -> np.ndarray:
    return np.isin(samples.group, [GROUPS.index(name) for name in node["groups"]])


def _region(node: Node, samples: Samples) -> np.ndarray:
    places = samples.places(node["space"])
    if places is None:
        raise DataError("A selection was drawn on a map that this run does not have; clear it, or draw the map.")
    return np.any([inside(places, np.array(corners)) for corners in node["polygons"]], axis=0)


def inside(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return which points lie inside a polygon: a ray to the right of them crosses its sides an odd number of times.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2)
        NaN is outside.
    corners : ndarray of shape (n_corners, 2)

    Returns
    -------
    ndarray of shape (n_points,), bool
    """
    low, high = corners.min(axis=0), corners.max(axis=0)
    found = np.zeros(len(points), bool)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    x, y = points[near].T
    odd = np.zeros(len(near), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            odd ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    found[near] = odd
    return found


def _suspects(node: Node, samples: Samples) -> np.ndarray:
    scores = samples.suspicion(node["which"])
    if scores is None:
        raise DataError("This run does not tell suspects; score the pairs again to see them.")
    found = np.zeros(len(samples), bool)
    order = np.argsort(-scores, kind="stable")[: node["count"]]
    found[order[np.isfinite(scores[order])]] = True
    return found


def _rows(node: Node, samples: Samples) -> np.ndarray:
    return samples.at(node["ids"])


def split(recipe: PartitionRecipe, samples: Samples) -> Partition:
    """Split samples by a recipe, in its own measure and within its own selection.

    Raises
    ------
    DataError
        When the run does not have what the recipe goes by.
    """
    twin = samples.in_measure(recipe.measure)
    return partitioned(recipe, twin, mask(checked(recipe.within), twin))


def _partition(node: Node, samples: Samples) -> np.ndarray:
    return split(PartitionRecipe.from_json(node["recipe"]), samples).part(node["part"])


_MASKS: dict[str, Callable[[Node, Samples], np.ndarray]] = {
    "all": lambda node, samples: np.ones(len(samples), bool),
    "categories": _categories,
    "words": lambda node, samples: samples.holding(node["text"]),
    "range": _range,
    "tag": lambda node, samples: samples.tagged(node["tag"]),
    "group": _group,
    "region": _region,
    "suspects": _suspects,
    "ids": _rows,
    "partition": _partition,
    "named": lambda node, samples: mask(node["part"], samples),
    "and": lambda node, samples: np.logical_and.reduce([mask(part, samples) for part in node["parts"]]),
    "or": lambda node, samples: np.logical_or.reduce([mask(part, samples) for part in node["parts"]]),
    "not": lambda node, samples: ~mask(node["part"], samples),
}


def checked(node: object, depth: int = 0) -> Node:
    """Return an expression that :func:`mask` understands, or say that it is none.

    Its forms, by ``kind``: ``all``; ``categories`` (labels); ``words`` (text); ``range`` (column, low, high in nats,
    either may be None); ``tag`` (tag); ``group`` (groups); ``region`` (space, polygons: at least three [x, y] each);
    ``suspects`` (which, count); ``ids`` (ids); ``partition`` (recipe, part); ``named`` (name, part); ``and`` and ``or``
    (parts); ``not`` (part).

    Parameters
    ----------
    node : object
        As read from a file, an address or a table.

    Returns
    -------
    dict

    Raises
    ------
    DataError
        When it is no such expression.
    """
    if isinstance(node, dict) and depth <= _DEEPEST:
        try:
            return {"kind": node["kind"], **_FORMS[node["kind"]](node, depth + 1)}
        except (KeyError, TypeError, ValueError, OverflowError):
            pass
    raise DataError("The selection is damaged or was made by a later version of Interplay; clear it and select again.")


def _strings(values: object) -> list[str]:
    if not isinstance(values, list | tuple):
        raise TypeError
    return [str(value) for value in values]


def _number(value: object) -> float | None:
    if value is None:
        return None
    if not np.isfinite(float(value)):
        raise ValueError
    return float(value)


def _one_of(value: object, known: tuple[str, ...]) -> str:
    return known[known.index(value)]


def _polygons(values: list) -> list[list[list[float]]]:
    polygons = [np.array(polygon, dtype=float) for polygon in values]
    if not polygons or any(p.ndim != 2 or p.shape[1] != 2 or len(p) < 3 or not np.isfinite(p).all() for p in polygons):
        raise ValueError
    return [simplified(polygon).tolist() for polygon in polygons]


def simplified(corners: np.ndarray) -> np.ndarray:
    """Return at most 200 evenly chosen corners of a drawn line, to four digits: more cannot be seen."""
    kept = np.linspace(0, len(corners) - 1, min(len(corners), MOST_CORNERS)).round().astype(int)
    return np.vectorize(lambda value: float(f"{value:.5g}"))(corners[kept])


_FORMS: dict[str, Callable[[Node, int], Node]] = {
    "all": lambda node, depth: {},
    "categories": lambda node, depth: {"labels": _strings(node["labels"])},
    "words": lambda node, depth: {"text": str(node["text"])[:200]},
    "range": lambda node, depth: {
        "column": str(node["column"]), "low": _number(node.get("low")), "high": _number(node.get("high")),
    },
    "tag": lambda node, depth: {"tag": str(node["tag"])},
    "group": lambda node, depth: {"groups": [_one_of(name, GROUPS) for name in node["groups"]]},
    "region": lambda node, depth: {
        "space": _one_of(node["space"], SPACES), "polygons": _polygons(node["polygons"]),
    },
    "suspects": lambda node, depth: {"which": _one_of(node["which"], SUSPECTS), "count": int(node["count"])},
    "ids": lambda node, depth: {"ids": _strings(node["ids"])},
    "partition": lambda node, depth: {
        "recipe": _recipe(node["recipe"], depth), "part": _one_of(node["part"], PARTS),
    },
    "named": lambda node, depth: {"name": str(node["name"]), "part": checked(node["part"], depth)},
    "and": lambda node, depth: {"parts": _parts(node, depth)},
    "or": lambda node, depth: {"parts": _parts(node, depth)},
    "not": lambda node, depth: {"part": checked(node["part"], depth)},
}  # fmt: skip


def _recipe(data: object, depth: int) -> Node:
    recipe = PartitionRecipe.from_json(data)
    return replace(recipe, within=checked(recipe.within, depth)).to_json()


def _parts(node: Node, depth: int) -> list[Node]:
    parts = [checked(part, depth) for part in node["parts"]]
    if not parts:
        raise ValueError
    return parts


def facet(node: Node) -> str:
    """Return what a filter is about: a new one about the same takes the place of the old one."""
    detail = {"range": "column", "region": "space"}.get(node["kind"])
    own = node["kind"] in ("categories", "words", "group", "suspects", "ids", "range", "region")
    return f"{node['kind']} {node.get(detail, '')}".strip() if own else ""
