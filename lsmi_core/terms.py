"""Arithmetic on scored terms: modalities swapped, repeats averaged, labels averaged out."""

from __future__ import annotations

import numpy as np

from lsmi_core.interactions import INGREDIENTS, TERMS
from lsmi_core.redundancy import decompose

__all__ = ["expected", "mean_of", "turned"]


def turned(terms: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Swap what belongs to the first modality with what belongs to the second."""
    other = {"1": "2", "2": "1"}
    names = {name: name if name.endswith("12") else name[:-1] + other.get(name[-1], name[-1]) for name in terms}
    return {names[name]: values for name, values in terms.items()}


def mean_of(scored: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return means over repeats; what is most likely is told as the first repeat found it."""
    if len(scored) == 1:
        return scored[0]
    averaged = {*INGREDIENTS, "label_error", "swapped_pair"} & scored[0].keys()
    return scored[0] | {name: np.mean([one[name] for one in scored], axis=0) for name in averaged}


def expected(
    log_p: list[np.ndarray], surprisals: tuple[np.ndarray, np.ndarray], log_prior: np.ndarray, redundancy: str
) -> dict[str, np.ndarray]:
    """Return every field averaged over what both modalities together say of the label."""
    ratios = [p - log_prior for p in log_p]
    shape = ratios[0].shape
    fields = dict(zip(("i1", "i2", "i12"), ratios, strict=True))
    fields |= {f"h{k + 1}": np.broadcast_to(h[:, None], shape) for k, h in enumerate(surprisals)}
    for k in range(2):
        carried = (np.exp(log_p[k]) * ratios[k]).sum(axis=1, keepdims=True)
        fields[f"b{k + 1}"] = np.broadcast_to(carried, shape)
    fields |= dict(zip(TERMS, decompose(redundancy, **fields), strict=True))
    odds = np.exp(log_p[2])
    return {name: (odds * values).sum(axis=1) for name, values in fields.items()}
