"""Pointwise interactions between two modalities and a label, in nats.

Names are imported when they are first asked for: errors and formulas need none of the heavy libraries of the estimator.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsmi_core.errors import InvalidInputError
    from lsmi_core.estimator import LSMIEstimator, score_pairs
    from lsmi_core.interactions import FIELDS, TERMS, PointwiseInteractions, Predictions

__all__ = [
    "FIELDS",
    "TERMS",
    "InvalidInputError",
    "LSMIEstimator",
    "PointwiseInteractions",
    "Predictions",
    "score_pairs",
]

_HOME = {"InvalidInputError": "errors", "LSMIEstimator": "estimator", "score_pairs": "estimator"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'interactions')}"), name)
