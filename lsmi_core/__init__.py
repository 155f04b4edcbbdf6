"""Pointwise interactions between two modalities and a label, in nats."""

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
