"""Which samples leave: a selection, which may be one part of a partition; plain data that finds them again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.exploring import Samples, checked, mask, sentence
from curation.exploring.selection import NAMED, Node
from curation.plainly import listed
from curation.workspace import ScoredRun, Workspace, saved_selection, selection_names, with_tags

__all__ = ["Choice", "Chosen", "choose", "named_choice"]


@dataclass(frozen=True)
class Choice:
    """What is to be exported.

    Attributes
    ----------
    where : dict
        A selection; see :func:`curation.exploring.checked`.
    """

    where: Node = field(default_factory=lambda: {"kind": "all"})

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", checked(self.where))

    @classmethod
    def from_json(cls, data: object) -> Choice:
        """Return the choice that plain data tells: a selection, or a manifest with one.

        Raises
        ------
        DataError
            When it is neither.
        """
        is_manifest = isinstance(data, dict) and "kind" not in data and isinstance(data.get("recipe"), dict)
        return cls(data["recipe"] if is_manifest else data)

    @classmethod
    def read(cls, text: str | Path) -> Choice:
        """Return the choice in a JSON text, or in a file with one, such as the manifest of an earlier export.

        Raises
        ------
        DataError
            When there is none.
        """
        try:
            is_json = str(text).lstrip().startswith("{")
            return cls.from_json(json.loads(text if is_json else Path(text).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                "--where is neither a selection in JSON nor a file with one; give for example "
                '{"kind": "range", "column": "r", "low": 0.5} or the manifest of an earlier export.'
            ) from None

    def to_json(self) -> dict:
        """Return plain data that :meth:`from_json` understands."""
        return self.where


@dataclass(frozen=True)
class Chosen:
    """Samples of a run that are to be exported.

    Attributes
    ----------
    workspace : Workspace
    run : ScoredRun
    samples : Samples
        All of the run, in the measure of the export.
    choice : Choice
    rows : bool ndarray of shape (n_samples,)
    """

    workspace: Workspace
    run: ScoredRun
    samples: Samples
    choice: Choice
    rows: np.ndarray

    def __len__(self) -> int:
        return int(self.rows.sum())

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Scores of the samples, tags beside them."""
        return with_tags(self.workspace, self.run.dataset, self.samples.frame[self.rows])

    @property
    def told(self) -> str:
        """What was chosen, in plain words."""
        return sentence(self.choice.where, self.run.modality_names)


def choose(workspace: Workspace, run: ScoredRun, samples: Samples, choice: Choice) -> Chosen:
    """Return the samples of a choice.

    Raises
    ------
    DataError
        When the run does not have what the choice asks for, or nothing is selected.
    """
    rows = mask(choice.where, samples)
    if not rows.any():
        told = sentence(choice.where, run.modality_names)
        raise DataError(f"No sample is selected by {told}; choose something else to export.")
    return Chosen(workspace, run, samples, choice, rows)


def named_choice(workspace: Workspace, run: ScoredRun, name: str) -> Choice:
    """Return the selection that was given a name on the Explore page.

    Raises
    ------
    DataError
        When there is none of that name.
    """
    node = saved_selection(workspace, run.folder.name, NAMED + name)
    if node is None:
        names = [n for n in selection_names(workspace, run.folder.name) if n.startswith(NAMED)]
        known = f"its selections are: {listed(n.removeprefix(NAMED) for n in names)}" if names else "it has none yet"
        raise DataError(f"The run has no selection named '{name}'; {known}.")
    return Choice({"kind": "named", "name": name, "part": node})
