"""The partition that is being made: kept from page to page, and the controls that change it."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from curation.errors import DataError, StorageError
from curation.exploring import GROUPS, HARDEST, Partition, PartitionRecipe, Samples, groups, sentence, split
from curation.exploring.sentences import column_title, order_told, recipe_told
from curation.partitioning import (
    keep_partition,
    kept_partition,
    part_node,
    share_of,
    with_count,
    with_percent,
    with_threshold,
)
from curation.recommending import BASELINE, CHOSEN, POLICY_NAMES, policy_recipe
from curation.words import PER_NAT
from ui import state
from ui.components import error_box
from ui.showing import Showing, name_free, name_node, showing
from ui.text import plain
from ui.widgets import follow

__all__ = ["Curating", "controls", "curating", "how_to_repeat", "keep_tried", "take_advice", "told"]

_DRAFT = "partition/draft"  # beside the partition that was kept: what is being tried survives a reload
_MADE = "curating"
_AT_FIRST = 0.5
_HOWS = {"score": "a score", "groups": "a group", "policy": "a policy"}
_SIDES = {"high": "the highest", "low": "the lowest"}
_SCORES = ("r", "u1", "u2", "s", "i1", "i2", "i12", "suspect.label_error", "suspect.swapped_pair")
_ORDERS = ("random", "redundant-first", "misleading-first")
_MEASURED_ORDERS = ("duplicates-first", HARDEST)


@dataclass(frozen=True)
class _Tried:
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
    st.session_state[_MADE] = _Tried(now.run.folder.name, recipe, partition.count, partition.total)
    return made


def _draft(now: Showing) -> PartitionRecipe:
    tried = st.session_state.get(_MADE)
    if tried is not None and tried.run == now.run.folder.name:
        return tried.recipe
    workspace = state.workspace()
    return kept_partition(workspace, now.run, _DRAFT) or kept_partition(workspace, now.run) or _first(now)


def _first(now: Showing) -> PartitionRecipe:
    return PartitionRecipe(count=share_of(_AT_FIRST, len(now.samples), of=1))


def _change(recipe: PartitionRecipe) -> None:
    """Try another recipe."""
    st.session_state[_MADE] = replace(_tried(), recipe=recipe)
    with suppress(StorageError):  # a folder that can only be read: it is tried all the same
        keep_partition(state.workspace(), state.scored_run(), recipe, _DRAFT)


def take_advice(share: float) -> None:
    """Try what is recommended at a share."""
    recipe = policy_recipe(state.scored_run(), POLICY_NAMES[CHOSEN], share)
    _change(replace(recipe, within=_tried().recipe.within, count=share_of(share, _tried().total, of=1)))


def keep_tried() -> None:
    """Keep the partition for the export, and what stays under a name for everything else."""
    recipe = _tried().recipe  # a click may come before what the last one changed is drawn
    with error_box():
        name = name_free(st.session_state["partition_name"].strip() or "what stays")
        keep_partition(state.workspace(), state.scored_run(), recipe)
        name_node(name, part_node(recipe))


def _tried() -> _Tried:
    return st.session_state[_MADE]


def _settled() -> PartitionRecipe:
    """Return the recipe with the number of samples it keeps now, whatever that came from."""
    return with_count(_tried().recipe, _tried().count)


def told(made: Curating) -> str:
    """Return how many stay and which, in plain words."""
    part = made.partition
    which = recipe_told(made.recipe, made.now.run.modality_names)
    return f"**{part.count:,} of {part.total:,} samples stay ({part.share:.1%})**: {plain(which)}"


def controls(made: Curating) -> None:
    """Offer everything that a recipe is made of."""
    follow("how", made.recipe.how)
    st.segmented_control("Choose by", list(_HOWS), format_func=_HOWS.get, key="how", required=True,
                         on_change=_other_way)  # fmt: skip
    {"score": _by_score, "groups": _by_group, "policy": _by_policy}[made.recipe.how](made)
    _within(made)


def _other_way() -> None:
    how, recipe = st.session_state["how"], _settled()
    chosen = recipe.groups or tuple(g for g in GROUPS if g != "misleading")
    _change(replace(recipe, how=how, groups=chosen if how == "groups" else recipe.groups))


def _by_score(made: Curating) -> None:
    recipe, names = made.recipe, made.now.run.modality_names
    titles = {c: column_title(c, names) for c in _SCORES if c in made.samples.frame}
    left, right = st.columns(2)
    follow("by", recipe.by)
    left.selectbox("Split by", list(titles), format_func=titles.get, key="by", on_change=_ranked, args=("by",))
    follow("side", recipe.side)
    right.segmented_control("What stays", list(_SIDES), format_func=_SIDES.get, key="side", required=True,
                            on_change=_ranked, args=("side",))  # fmt: skip
    _amount(made)
    left, right = st.columns(2, vertical_alignment="bottom")
    if not recipe.balanced:
        _threshold(made, left)
    follow("minimum", recipe.minimum)
    right.number_input("Of every category at least", 0, len(made.samples), key="minimum", on_change=_ranked,
                       args=("minimum",))  # fmt: skip
    follow("balanced", recipe.balanced)
    st.toggle("Same share of every category", key="balanced", on_change=_ranked, args=("balanced",))


def _ranked(name: str) -> None:
    recipe = _tried().recipe if name == "minimum" else _settled()
    _change(replace(recipe, **{name: st.session_state[name]}))


def _amount(made: Curating) -> None:
    """Offer percent and count, in step."""
    part, total = made.partition, made.partition.total
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    follow("percent", share_of(part.count, 100, of=max(total, 1)))
    left.slider("Percent that stays", 0, 100, key="percent", on_change=_percent, format="%d %%")
    follow("count", part.count)
    right.number_input("Number of samples", 0, max(total, part.count), key="count", on_change=_count)


def _percent() -> None:
    _change(with_percent(_tried().recipe, st.session_state["percent"], _tried().total))


def _count() -> None:
    _change(with_count(_tried().recipe, st.session_state["count"]))


def _threshold(made: Curating, place: object) -> None:
    unit = made.now.view.unit
    shown = None if made.partition.threshold is None else round(made.partition.threshold * PER_NAT[unit], 4)
    follow("threshold", shown)
    edge = "at least" if made.recipe.side == "high" else "at most"
    place.number_input(f"Score of {edge} ({unit})", value=None, step=0.1, format="%.3f", key="threshold",
                       on_change=_thresholded, args=(unit,), help="All that is as good as this stays.")  # fmt: skip


def _thresholded(unit: str) -> None:
    if st.session_state["threshold"] is not None:
        _change(with_threshold(_tried().recipe, st.session_state["threshold"] / PER_NAT[unit]))


def _by_group(made: Curating) -> None:
    named = {g.key: g for g in groups(made.now.run.modality_names)}
    counts = [int((made.samples.group == code).sum()) for code in range(len(GROUPS))]
    follow("keep_groups", list(made.recipe.groups))
    st.pills(
        "What stays", GROUPS, selection_mode="multi", wrap=True, key="keep_groups", on_change=_grouped,
        format_func=lambda key: f"{plain(named[key].title)} {counts[GROUPS.index(key)]:,}",
        help="Every sample belongs to one group: the largest of its four scores, or misleading, or neither.",
    )  # fmt: skip


def _grouped() -> None:
    _change(replace(_tried().recipe, groups=tuple(g for g in GROUPS if g in st.session_state["keep_groups"])))


def _by_policy(made: Curating) -> None:
    recipe = made.recipe
    offered = [(0.0, order) for order in _ORDERS + (_MEASURED_ORDERS if made.samples.standing() is not None else ())]
    offered += [] if (recipe.trim, recipe.order) in offered else [(recipe.trim, recipe.order)]
    follow("policy", (recipe.trim, recipe.order))
    st.selectbox("Policy", offered, format_func=_policy_title, key="policy", on_change=_policed)
    _amount(made)
    follow("seed", recipe.seed)
    st.number_input("Seed of chance", 0, 2**31 - 1, key="seed", on_change=_seeded,
                    help="The same seed draws the same samples.")  # fmt: skip


def _policy_title(policy: tuple[float, str]) -> str:
    words = order_told(*policy)
    return words[:1].upper() + words[1:]


def _policed() -> None:
    trim, order = st.session_state["policy"]
    plain_one = policy_recipe(state.scored_run(), POLICY_NAMES[BASELINE], 1.0)
    _change(replace(_settled(), trim=trim, order=order, minimum=plain_one.minimum))


def _seeded() -> None:
    _change(replace(_tried().recipe, seed=int(st.session_state["seed"])))


def _within(made: Curating) -> None:
    """Offer to split only what is selected on Explore; the others are in neither part."""
    now, recipe = made.now, made.recipe
    is_on = recipe.within["kind"] != "all"
    if not (now.narrowed or is_on):
        return
    node = recipe.within if is_on else now.view.selection
    follow("within", is_on)
    st.toggle(f"Only among {plain(sentence(node, now.run.modality_names))}", key="within", on_change=_narrowed,
              help="What is selected on Explore. The other samples are in neither part.")  # fmt: skip


def _narrowed() -> None:
    now, tried = showing(), _tried()
    inside = replace(tried.recipe, within=now.view.selection if st.session_state["within"] else {"kind": "all"})
    total = split(replace(inside, how="groups"), now.samples).total
    same_share = with_count(inside, share_of(tried.count, total, of=max(tried.total, 1)))
    _change(same_share if inside.threshold is None else inside)


def how_to_repeat(made: Curating) -> None:
    """Show the command line that makes the same parts, and the recipe in it."""
    with st.expander("Repeat this without a screen", icon=":material/terminal:"):
        words = ["python", "cli.py", "partition", str(state.workspace().folder), "--run", made.now.run.folder.name]
        words += ["--recipe", json.dumps(made.recipe.to_json(), ensure_ascii=False)]
        st.code(shlex.join([*words, "--out", "stays.csv", "--rest", "leaves.csv"]), language="bash")
