"""The samples of a run as the screens ask for them: in a measure, with tags, groups, places and suspects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.exploring.groups import GROUPS, certain, group_of
from curation.soundness import advice, standard_errors
from curation.summary import finding, with_measure
from curation.workspace import ScoredRun

__all__ = ["SUSPECTS", "Samples"]

T = TypeVar("T")
SUSPECTS = ("label_error", "swapped_pair", "copies")
SPACES = ("both", "first", "second", "terms", "quadrant")


class Samples:
    """All samples of a run in one measure. What is costly is computed when it is asked for, and once.

    Parameters
    ----------
    run : ScoredRun
    measure : str, optional
        A definition of redundancy; by default the one that the run was scored with.
    tags : pandas.DataFrame, optional
        Columns ``sample_id`` and ``tag``.

    Attributes
    ----------
    frame : pandas.DataFrame
        Scores in nats, one row a sample.
    """

    def __init__(self, run: ScoredRun, measure: str | None = None, tags: pd.DataFrame | None = None) -> None:
        self.run = run
        self.measure = measure or run.summary["redundancy"]
        self.frame = with_measure(run.scores, self.measure)
        self._tags = tags
        # One box for all twins with other tags: what one of them has computed, none computes again.
        self._known: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def _once(self, name: str, make: Callable[[], T | None]) -> T | None:
        """Return what was computed before; None is no answer yet and is asked for again."""
        if self._known.get(name) is None:
            self._known[name] = make()
        return self._known[name]

    @property
    def ids(self) -> pd.Index:
        """Identifiers in the order of the rows."""
        return self._once("ids", lambda: pd.Index(self.frame["sample_id"].to_numpy(dtype=object), dtype=object))

    @property
    def labels(self) -> tuple[np.ndarray, pd.Index]:
        """Code of the category of each sample, and the categories in alphabetical order."""
        return self._once("labels", self._coded)

    def _coded(self) -> tuple[np.ndarray, pd.Index]:
        codes, names = pd.factorize(self.frame["label"], sort=True)
        return codes, pd.Index(names)

    @property
    def group(self) -> np.ndarray:
        """Interaction group of each sample: positions in :data:`~curation.exploring.groups.GROUPS`."""
        return self._once("group", lambda: group_of(self.frame))

    @property
    def group_counts(self) -> list[int]:
        """How many samples are in each group."""
        return self._once("group_counts", lambda: np.bincount(self.group, minlength=len(GROUPS)).tolist())

    @property
    def finding(self) -> str:
        """What the data set as a whole says, in one paragraph."""
        return self._once("finding", lambda: finding(self.frame, self.run.modality_names))

    def with_tags(self, tags: pd.DataFrame) -> Samples:
        """Return the same samples with other tags; nothing else is computed again."""
        twin = object.__new__(Samples)
        twin.__dict__.update(self.__dict__, _tags=tags)
        return twin

    def in_measure(self, measure: str) -> Samples:
        """Return the same samples in a measure, by an empty name that of the run."""
        wanted = measure or self.run.summary["redundancy"]
        return self if wanted == self.measure else Samples(self.run, wanted, self._tags)

    @property
    def advice(self) -> list[str]:
        """What the checks of the run say about reading it; nothing while they are not made."""
        return self._once("advice", lambda: advice(self.run) or None) or []

    @property
    def tag_counts(self) -> pd.Series:
        """How many samples carry each tag, the most frequent first."""
        return pd.Series(dtype=int) if self._tags is None else self._tags["tag"].value_counts()

    def tagged(self, tag: str) -> np.ndarray:
        """Return which samples carry a tag."""
        ids = [] if self._tags is None else self._tags.loc[self._tags["tag"] == tag, "sample_id"]
        return self.at(ids)

    @property
    def first_tag(self) -> np.ndarray:
        """The first tag of each sample in alphabetical order; "no tag" for none."""
        if self._tags is None or self._tags.empty:
            return np.full(len(self), "no tag", dtype=object)
        first = self._tags.drop_duplicates("sample_id").set_index("sample_id")["tag"]
        return first.reindex(self.ids).fillna("no tag").to_numpy()

    def tags_of(self, sample_id: str) -> tuple[str, ...]:
        """Return the tags of one sample, in alphabetical order."""
        return () if self._tags is None else tuple(self._tags.loc[self._tags["sample_id"] == sample_id, "tag"])

    def at(self, ids: object) -> np.ndarray:
        """Return which samples have one of the identifiers, as a mask."""
        return self.ids.isin(ids)

    def column(self, name: str) -> np.ndarray:
        """Return a score of every sample, in nats.

        Raises
        ------
        DataError
            When there is no such score.
        """
        if name not in self.frame or not pd.api.types.is_numeric_dtype(self.frame[name]):
            raise DataError(f"The scores have no column '{name}'; choose another.")
        return self.frame[name].to_numpy()

    def holding(self, words: str) -> np.ndarray:
        """Return which samples have the words in their identifier or in a text; letter case does not matter."""
        texts = [f"item.{name}" for name, kind in self.run.kinds.items() if kind == "text"]
        found = np.zeros(len(self), bool)
        for column in ("sample_id", *(c for c in texts if c in self.frame)):
            text = self.frame[column].astype("str")
            found |= text.str.contains(words, case=False, regex=False).to_numpy(dtype=bool)
        return found

    def places(self, space: str) -> np.ndarray | None:
        """Return the coordinates of every sample in a space; NaN for those that have none.

        Parameters
        ----------
        space : {"both", "first", "second", "terms", "quadrant"}
            One of the maps, or i1 against i2.

        Returns
        -------
        ndarray of shape (n_samples, 2), or None while the map is not drawn
        """
        if space == "quadrant":
            return self.frame[["i1", "i2"]].to_numpy()
        return self._once(f"map {space}", lambda: self._placed(self.run.map(space)))

    def _placed(self, drawn: pd.DataFrame | None) -> np.ndarray | None:
        return None if drawn is None else drawn.set_index("sample_id")[["x", "y"]].reindex(self.ids).to_numpy()

    def suspicion(self, which: str) -> np.ndarray | None:
        """Return how suspect each sample is, larger for more; None where the run does not tell.

        Parameters
        ----------
        which : {"label_error", "swapped_pair", "copies"}
        """
        if which == "copies":
            copies = self.copies()
            return None if copies is None else np.where(copies["copy_of"] != "", copies["similarity"], -np.inf)
        name = f"suspect.{which}"
        return self.frame[name].to_numpy() if name in self.frame else None

    @property
    def uncertain(self) -> np.ndarray | None:
        """Samples whose largest term is not certain to be the largest; None while that is not known."""
        return self._once("uncertain", self._moving)

    def _moving(self) -> np.ndarray | None:
        errors = standard_errors(self.run, self.measure)
        return None if errors is None else ~certain(self.frame, errors)

    def copies(self) -> pd.DataFrame | None:
        """Return ``copy_of`` and ``similarity`` in the order of the rows; None while they are not there."""
        return self._once("copies", lambda: self._aligned(self.run.copies()))

    def standing(self) -> pd.DataFrame | None:
        """Return ``nearness`` and ``hardness`` in the order of the rows; None while the price was not measured."""
        return self._once("standing", lambda: self._aligned(self.run.price_samples()))

    def _aligned(self, found: pd.DataFrame | None) -> pd.DataFrame | None:
        return None if found is None else found.set_index("sample_id").reindex(self.ids)
