"""The paired data set: what a sample is before anything is computed. Frozen and validated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import DataError

__all__ = ["KINDS", "MEDIA_KINDS", "Modality", "PairedDataset"]

MEDIA_KINDS = ("picture", "sound", "video")
"""What is kept in files of its own."""

KINDS = (*MEDIA_KINDS, "text", "numbers", "vectors")
"""What a modality can be made of. Texts are strings, numbers a table of columns, vectors ready-made features."""


@dataclass(frozen=True)
class Modality:
    """One side of every pair.

    Parameters
    ----------
    name : str
        The user's own word for it; used everywhere on screen and in exports.
    kind : {"picture", "text", "sound", "video", "numbers", "vectors"}
    items : sequence of length n_samples
        ``pathlib.Path`` for pictures, sounds and videos, ``str`` for texts, and for numbers and vectors
        a float ndarray of shape (n_samples, n_features).
    names : sequence of str, optional
        The files' own names, where items are kept under others.
    """

    name: str
    kind: str
    items: Sequence[Path] | Sequence[str] | np.ndarray
    names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            kinds = ", ".join(KINDS)
            raise DataError(f"The modality '{self.name}' has the kind '{self.kind}'; choose one of {kinds}.")

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: np.ndarray) -> Modality:
        """Return this modality with only the given rows, in the given order."""
        if isinstance(self.items, np.ndarray):
            return replace(self, items=self.items[rows])
        names = None if self.names is None else [self.names[i] for i in rows]
        return replace(self, items=[self.items[i] for i in rows], names=names)


@dataclass(frozen=True)
class PairedDataset:
    """Samples that pair two modalities and carry a category.

    Parameters
    ----------
    name : str
    sample_ids : ndarray of str, shape (n_samples,)
        Unique.
    labels : ndarray of str, shape (n_samples,)
    modalities : tuple of two Modality
    extras : pandas.DataFrame with n_samples rows
        The user's other columns, carried unchanged into the scores and exports.
    known : pandas.DataFrame with n_samples rows, or no columns
        Known answers of synthetic data: the exact ingredients i1, i2, i12, h1, h2, b1, b2 in nats, and ``regime``.
    attribution : str
        Who made the material and under which licence; shown wherever it is shown.
    rows : int ndarray of shape (n_samples,)
        Where each sample stood in the user's file, counted from 1; by default the order given.

    Raises
    ------
    DataError
        When lengths differ, identifiers repeat, the two modalities share a name, or nothing is left.
    """

    name: str
    sample_ids: np.ndarray
    labels: np.ndarray
    modalities: tuple[Modality, Modality]
    extras: pd.DataFrame = field(default_factory=pd.DataFrame)
    known: pd.DataFrame = field(default_factory=pd.DataFrame)
    attribution: str = ""
    rows: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.rows is None:
            object.__setattr__(self, "rows", np.arange(1, len(self) + 1))
        if len(self.modalities) != 2 or self.modalities[0].name == self.modalities[1].name:
            raise DataError("A pair needs exactly two modalities with different names.")
        if "both" in self.modality_names:
            raise DataError("A modality cannot be named 'both', which stands for the two together; rename it.")
        if len(self) == 0:
            raise DataError("No usable sample is left; see the list of problems for the reasons.")
        lengths = {len(self), len(self.labels), len(self.rows), *(len(m) for m in self.modalities)}
        lengths |= {len(frame) for frame in (self.extras, self.known) if frame.shape[1]}
        if len(lengths) > 1:
            raise DataError(f"The data set '{self.name}' has parts of different lengths: {sorted(lengths)}.")
        if len(np.unique(self.sample_ids)) != len(self):
            raise DataError("Sample identifiers repeat; give every row its own.")

    def __len__(self) -> int:
        return len(self.sample_ids)

    @property
    def modality_names(self) -> tuple[str, str]:
        """The user's words for the two modalities."""
        return self.modalities[0].name, self.modalities[1].name

    def take(self, rows: np.ndarray) -> PairedDataset:
        """Return the data set with only the given rows, in the given order."""
        return replace(
            self,
            sample_ids=self.sample_ids[rows],
            labels=self.labels[rows],
            modalities=tuple(m.take(rows) for m in self.modalities),
            extras=_take(self.extras, rows),
            known=_take(self.known, rows),
            rows=self.rows[rows],
        )


def _take(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    return frame.iloc[rows].reset_index(drop=True) if frame.shape[1] else pd.DataFrame()
