"""The partition that is being made: remembered from click to click and from page to page, and kept when asked."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from curation.errors import DataError, StorageError
from curation.exploring import Partition, PartitionRecipe, Samples, split
from curation.exploring.sentences import recipe_told
from curation.partitioning import keep_partition, kept_partition, part_node, share_of, with_count
from curation.recommending import CHOSEN, POLICY_NAMES, policy_recipe
from ui import state
from ui.components import error_box
from ui.showing import Showing, name_free, name_node
from ui.text import plain

__all__ = [
    "AT_FIRST", "Curating", "Tried", "change", "curating", "how_to_repeat", "keep_tried", "settled", "take_advice",
    "told", "tried",
]  # fmt: skip

_DRAFT = "partition/draft"  # beside the partition that was kept: what is being tried survives a reload
_MADE = "curating"
AT_FIRST = 0.5


@dataclass(frozen=True)
class Tried:
    """What a session remembers of it; no samples, so that no session keeps them in memory."""

    run: str
    recipe: PartitionRecipe
    count: int
    total: int


@dataclass(frozen=True)
class Curating:
    """A partition that is being made.

    Attributes
    ----------
    now : Showing
        What is on show on Explore.
    recipe : PartitionRecipe
    partition : Partition
    """

    now: Showing
    recipe: PartitionRecipe
    partition: Partition

    @property
    def samples(self) -> Samples:
        """The samples of the run, in the measure on show."""
        return self.now.samples


def curating(now: Showing) -> Curating:
    """Return the partition that is being made of the open run."""
    recipe = replace(_draft(now), measure=now.samples.measure)
    try:
        partition = split(recipe, now.samples)
    except DataError as error:  # it goes by something that this run does not have
        st.warning(plain(str(error)), icon=":material/info:")
        recipe = replace(_first(now), measure=now.samples.measure)
        partition = split(recipe, now.samples)
    made = Curating(now, recipe, partition)
    st.session_state[_MADE] = Tried(now.run.folder.name, recipe, partition.count, partition.total)
    return made


def _draft(now: Showing) -> PartitionRecipe:
    before = st.session_state.get(_MADE)
    if before is not None and before.run == now.run.folder.name:
        return before.recipe
    workspace = state.workspace()
    return kept_partition(workspace, now.run, _DRAFT) or kept_partition(workspace, now.run) or _first(now)


def _first(now: Showing) -> PartitionRecipe:
    return PartitionRecipe(count=share_of(AT_FIRST, len(now.samples), of=1))


def change(recipe: PartitionRecipe) -> None:
    """Try another recipe."""
    st.session_state[_MADE] = replace(tried(), recipe=recipe)
    with suppress(StorageError):  # a folder that can only be read: it is tried all the same
        keep_partition(state.workspace(), state.scored_run(), recipe, _DRAFT)


def take_advice(share: float) -> None:
    """Try what is recommended at a share."""
    recipe = policy_recipe(state.scored_run(), POLICY_NAMES[CHOSEN], share)
    change(replace(recipe, within=tried().recipe.within, count=share_of(share, tried().total, of=1)))


def keep_tried() -> None:
    """Keep the partition for the export, and what stays under a name for everything else."""
    recipe = tried().recipe  # a click may come before what the last one changed is drawn
    with error_box():
        name = name_free(st.session_state["partition_name"].strip() or "what stays")
        keep_partition(state.workspace(), state.scored_run(), recipe)
        name_node(name, part_node(recipe))


def tried() -> Tried:
    """Return what this session tries of the open run."""
    return st.session_state[_MADE]


def settled() -> PartitionRecipe:
    """Return the recipe with the number of samples it keeps now, whatever that came from."""
    return with_count(tried().recipe, tried().count)


def told(made: Curating) -> str:
    """Return how many stay and which, in plain words."""
    part = made.partition
    which = recipe_told(made.recipe, made.now.run.modality_names)
    return f"**{part.count:,} of {part.total:,} samples stay ({part.share:.1%})**: {plain(which)}"


def how_to_repeat(made: Curating) -> None:
    """Show the command line that makes the same parts, and the recipe in it."""
    with st.expander("Repeat this without a screen", icon=":material/terminal:"):
        words = ["python", "cli.py", "partition", str(state.workspace().folder), "--run", made.now.run.folder.name]
        words += ["--recipe", json.dumps(made.recipe.to_json(), ensure_ascii=False)]
        st.code(shlex.join([*words, "--out", "stays.csv", "--rest", "leaves.csv"]), language="bash")
