"""The samples of a run as the screens ask for them: in a measure, with tags, groups, places and suspects."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.exploring.groups import certain, group_of
from curation.soundness import standard_errors
from curation.summary import with_measure
from curation.workspace import ScoredRun

__all__ = ["SUSPECTS", "Samples"]

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

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def ids(self) -> pd.Index:
        """Identifiers in the order of the rows."""
        return pd.Index(self.frame["sample_id"])

    @cached_property
    def labels(self) -> tuple[np.ndarray, pd.Index]:
        """Code of the category of each sample, and the categories in alphabetical order."""
        codes, names = pd.factorize(self.frame["label"], sort=True)
        return codes, pd.Index(names)

    @cached_property
    def group(self) -> np.ndarray:
        """Interaction group of each sample: positions in :data:`~curation.exploring.groups.GROUPS`."""
        return group_of(self.frame)

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
        if space not in self._arrived:
            drawn = self.run.map(space)
            if drawn is None:
                return None
            self._arrived[space] = drawn.set_index("sample_id")[["x", "y"]].reindex(self.ids).to_numpy()
        return self._arrived[space]

    @cached_property
    def _arrived(self) -> dict[str, np.ndarray | pd.DataFrame]:
        """What a run gets after its scores, once it is there."""
        return {}

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
        if "uncertain" not in self._arrived:
            errors = standard_errors(self.run, self.measure)
            if errors is None:
                return None
            self._arrived["uncertain"] = ~certain(self.frame, errors)
        return self._arrived["uncertain"]

    def copies(self) -> pd.DataFrame | None:
        """Return ``copy_of`` and ``similarity`` in the order of the rows; None while they are not there."""
        if "copies" not in self._arrived:
            found = self.run.copies()
            if found is None:
                return None
            self._arrived["copies"] = found.set_index("sample_id").reindex(self.ids)
        return self._arrived["copies"]

    def standing(self) -> pd.DataFrame | None:
        """Return ``nearness`` and ``hardness`` in the order of the rows; None while the price was not measured."""
        if "standing" not in self._arrived:
            found = self.run.price_samples()
            if found is None:
                return None
            self._arrived["standing"] = found.set_index("sample_id").reindex(self.ids)
        return self._arrived["standing"]
