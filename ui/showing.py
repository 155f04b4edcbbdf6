"""The view on show: from the address, else the last one of the run; every change is kept and can be taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st

from curation.errors import DataError, StorageError
from curation.exploring import View, checked, mask
from curation.exploring.selection import NAMED, Node
from curation.figures import Reading, reading_of
from curation.queries import gallery_rows, most_misleading, suspect_table
from curation.summary import dataset_means
from curation.workspace import (
    KeptView,
    ScoredRun,
    drop_selection,
    keep_view,
    last_view,
    save_selection,
    saved_selection,
    selection_names,
    tags_of,
    view_of,
    view_tagging,
    view_undone,
)
from ui import state

__all__ = [
    "MOST_ROWS", "Showing", "amend", "can_undo", "clear", "combine", "current", "drop_named", "name_free", "name_node",
    "name_selection", "named", "narrow", "only_named", "showing", "step", "tag", "undo",
]  # fmt: skip

MOST_ROWS = 500  # of a table: who looks further narrows first
_KEPT = "kept_view"  # (run, the view in the chain, what is on show): no question to the catalogue at every click


class Showing:
    """A run, the view of it, its samples, and which of them are selected.

    Attributes
    ----------
    run : ScoredRun
    view : View
    samples : Samples
    selected : ndarray of shape (n_samples,), bool
    """

    def __init__(self, run: ScoredRun, view: View) -> None:
        self.run = run
        self.view = view
        self.samples = state.samples(view.measure or run.summary["redundancy"]).with_tags(_tags(run))
        self.selected = mask(view.selection, self.samples)

    @property
    def narrowed(self) -> bool:
        """Whether anything is selected."""
        return bool(self.view.filters)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Scores of the selected samples, in nats."""
        return self.samples.frame[self.selected] if self.narrowed else self.samples.frame

    @cached_property
    def means(self) -> dict[str, dict[str, float]]:
        """Means of the selected samples, of all where none is, with 90 % intervals, raw and in nats."""
        return dataset_means(self.frame if len(self.frame) else self.samples.frame)

    @cached_property
    def reading(self) -> Reading:
        """How numbers are shown: measure, unit, and the shift of the means if any."""
        return reading_of(self.means, self.samples.measure, self.view.unit, self.view.shift)

    @cached_property
    def uncertain(self) -> np.ndarray | None:
        """Samples whose strongest score is not certain to be the strongest; None while that is not known."""
        return self.samples.uncertain

    @cached_property
    def suspects(self) -> pd.DataFrame | None:
        """The most suspect of the selected samples; None where they are not on show, or not known (yet)."""
        if self.view.show != "suspects":
            return None
        return suspect_table(self.samples, self.selected, self.view.which, MOST_ROWS)

    def first(self, count: int) -> pd.DataFrame:
        """Return scores of the first of the selected samples: the most suspect, or those first in the order chosen."""
        if self.suspects is None:
            return gallery_rows(self.frame, self.view.order, count)
        return self.samples.frame.iloc[self.samples.ids.get_indexer(self.suspects["sample"][:count])]

    @cached_property
    def chosen(self) -> str:
        """Identifier of the sample on the card: the chosen one while it is selected, else the first."""
        if self.view.chosen in self.samples.ids and self.selected[self.samples.ids.get_loc(self.view.chosen)]:
            return self.view.chosen
        first = self.first(1)
        return most_misleading(self.samples.frame) if first.empty else first["sample_id"].iloc[0]


def showing() -> Showing | None:
    """Return what is on show of the open run; None where no run is open.

    A filter that these samples cannot answer (a map that is gone) is said once and taken off.
    """
    run = state.scored_run()
    if run is None:
        return None
    view = current()
    try:
        return Showing(run, view)
    except DataError as error:
        st.warning(str(error), icon=":material/info:")
        return Showing(run, replace(view, filters=()))


def _current() -> tuple[KeptView, View]:
    """Return the view in the chain and what is on show; a view that could not be kept is shown all the same."""
    name, (kept_run, kept, view) = state.run_id(), st.session_state.get(_KEPT) or ("", None, None)
    asked = st.query_params.get(state.VIEW)
    if kept_run != name or (asked and asked != kept.id):
        workspace = state.workspace()
        kept = view_of(workspace, name, asked or last_view(workspace, name))
        view = View.from_json(kept.state)
        _keep(kept, view)
    elif asked != kept.id:
        _keep(kept, view)
    return kept, view


def _keep(kept: KeptView, view: View) -> None:
    st.session_state[_KEPT] = state.run_id(), kept, view
    if kept.id:
        st.query_params[state.VIEW] = kept.id
    else:
        st.query_params.pop(state.VIEW, None)


def current() -> View:
    """Return what is on show of the open run."""
    return _current()[1]


def step(view: View) -> None:
    """Show another view; undo comes back to the one before."""
    if view != current():  # a figure that was drawn anew tells once more what was drawn on it
        _entered(view, _rooted().id, {})


def _rooted() -> KeptView:
    """Return the view in the chain; the first step keeps what it starts from, so that undo can come back to it."""
    kept, view = _current()
    if not kept.id:
        _entered(view, "", {})
    return _current()[0]


def amend(**changes: object) -> None:
    """Show the same samples in another way; undo does not stop here."""
    kept, view = _current()
    _entered(replace(view, **changes), kept.before, kept.did)


def _entered(view: View, before: str, did: dict) -> None:
    try:
        identifier = keep_view(state.workspace(), state.run_id(), view.to_json(), before, did)
    except StorageError:  # a folder that can only be read is shown all the same; undo has nothing to go back to
        _keep(KeptView(), view)
        return
    _keep(KeptView(identifier, view.to_json(), before, did), view)


def narrow(node: Node) -> None:
    """Select, of what is selected, the samples of an expression."""
    step(current().narrowed(node))


def clear() -> None:
    """Select all samples."""
    step(replace(current(), filters=()))


def can_undo() -> bool:
    """Return whether there is a step to take back."""
    return bool(_current()[0].before)


def undo() -> None:
    """Take the last step back."""
    kept, view = _current()
    workspace, run = state.workspace(), state.run_id()
    before = view_of(workspace, run, view_undone(workspace, run, kept.id))
    # What is selected goes back; how it is shown stays as it is.
    _keep(before, replace(view, filters=View.from_json(before.state).filters))


def tag(sample_ids: Iterable[str], name: str, add: bool = True) -> int:
    """Give or take a tag as a step of its own; return how many samples changed."""
    workspace, run, before = state.workspace(), state.scored_run(), _rooted().id
    identifier, changed = view_tagging(workspace, run.folder.name, before, run.dataset, sample_ids, name, add)
    _keep(view_of(workspace, run.folder.name, identifier), current())
    return changed


def named() -> dict[str, Node]:
    """Return the selections that were given a name."""
    workspace, run = state.workspace(), state.run_id()
    names = [n for n in selection_names(workspace, run) if n.startswith(NAMED)]
    return {n.removeprefix(NAMED): saved_selection(workspace, run, n) for n in names}


def name_selection(name: str) -> None:
    """Give what is selected a name.

    Raises
    ------
    DataError
        When the name is blank.
    """
    name_node(name, current().selection)


def name_free(name: str) -> str:
    """Return the name, with a number behind it if a selection is called so already."""
    taken = named()
    return next(n for n in (name, *(f"{name} {k}" for k in range(2, len(taken) + 3))) if n not in taken)


def name_node(name: str, node: Node) -> None:
    """Give a selection a name without selecting it.

    Raises
    ------
    DataError
        When the name is blank.
    """
    name = " ".join(name.split())[:60]
    if not name:
        raise DataError("A selection needs a name; type one.")
    save_selection(state.workspace(), state.run_id(), NAMED + name, node)


def only_named(name: str) -> None:
    """Select what was given a name, and nothing else."""
    node = {"kind": "named", "name": name, "part": checked(named()[name])}
    step(replace(current(), filters=(checked(node),)))


def drop_named(name: str) -> None:
    """Forget a name; samples and tags stay."""
    drop_selection(state.workspace(), state.run_id(), NAMED + name)


def combine(how: str, name: str) -> None:
    """Combine what is selected with a named selection."""
    node = {"kind": "named", "name": name, "part": checked(named()[name])}
    step(current().combined(how, node))


def _tags(run: ScoredRun) -> pd.DataFrame:
    return tags_of(state.workspace(), run.dataset)
