"""What a reader should be told about a run before trusting its numbers."""

from __future__ import annotations

import numpy as np

from lsmi_core.crossed import could_be_seen

__all__ = ["run_warnings"]

NEAR_CHANCE = 0.02  # nats


def run_warnings(
    scored: dict[str, np.ndarray], codes: np.ndarray, classes: np.ndarray, widths: tuple[int, int]
) -> tuple[str, ...]:
    """Return in plain sentences what should be known before the numbers are trusted.

    Parameters
    ----------
    scored : dict of str to ndarray
        At least ``i1``, ``i2`` and ``i12``, in nats.
    codes : int ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
    widths : pair of int
        Numbers of features.

    Returns
    -------
    tuple of str
    """
    n, counts = len(codes), np.bincount(codes)
    told = []
    if n < 20 * len(classes):
        told.append(f"{n} samples for {len(classes)} categories are few: read the data-set means, not single samples.")
    small = classes[counts < 10]
    if len(small):
        names = ", ".join(str(c) for c in small[:3]) + (" and others" if len(small) > 3 else "")
        told.append(f"Categories with fewer than 10 samples are scored roughly: {names}.")
    if scored["i12"].mean() < NEAR_CHANCE:
        told.append(
            "Both modalities together predict the category no better than its frequency: "
            "the scores are close to noise, or more samples are needed to see anything."
        )
    elif silent := [name for name, key in (("first", "i1"), ("second", "i2")) if scored[key].mean() < NEAR_CHANCE]:
        alone = (
            "Neither modality alone predicts"
            if len(silent) == 2
            else f"The {silent[0]} modality alone does not predict"
        )
        told.append(f"{alone} the category better than its frequency does.")
    if not could_be_seen(n, widths):
        told.append(
            f"{n:,} samples with {widths[0]} and {widths[1]} columns have little power: synergy spread over all "
            "columns could not have been seen, so a small value does not mean that there is none."
        )
    return tuple(told)
