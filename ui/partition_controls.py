"""The controls of a partition: by a score with percent, count and threshold in step, by groups, or by a policy."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from curation.exploring import GROUPS, HARDEST, groups, sentence, split
from curation.exploring.sentences import column_title, order_told
from curation.partitioning import share_of, with_count, with_percent, with_threshold
from curation.recommending import BASELINE, POLICY_NAMES, policy_recipe
from curation.words import PER_NAT
from ui import state
from ui.curating import AT_FIRST, Curating, change, settled, tried
from ui.showing import showing
from ui.text import plain
from ui.widgets import follow

__all__ = ["controls"]

_HOWS = {"score": "a score", "groups": "a group", "policy": "a policy"}
_SIDES = {"high": "the highest", "low": "the lowest"}
_SCORES = ("r", "u1", "u2", "s", "i1", "i2", "i12", "suspect.label_error", "suspect.swapped_pair")
_ORDERS = ("random", "redundant-first", "misleading-first")
_MEASURED_ORDERS = ("duplicates-first", HARDEST)


def controls(made: Curating) -> None:
    """Offer everything that a recipe is made of."""
    follow("how", made.recipe.how)
    st.segmented_control("Choose by", list(_HOWS), format_func=_HOWS.get, key="how", required=True,
                         on_change=_other_way)  # fmt: skip
    {"score": _by_score, "groups": _by_group, "policy": _by_policy}[made.recipe.how](made)
    _within(made)


def _other_way() -> None:
    how, recipe = st.session_state["how"], settled()
    chosen = recipe.groups or tuple(g for g in GROUPS if g != "misleading")
    change(replace(recipe, how=how, groups=chosen if how == "groups" else recipe.groups))


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
    recipe = tried().recipe if name == "minimum" else settled()
    change(replace(recipe, **{name: st.session_state[name]}))


def _amount(made: Curating) -> None:
    """Offer percent and count, in step."""
    part, total = made.partition, made.partition.total
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    follow("percent", share_of(part.count, 100, of=max(total, 1)))
    left.slider("Percent that stays", 0, 100, key="percent", on_change=_percent, format="%d %%")
    follow("count", part.count)
    right.number_input("Number of samples", 0, max(total, part.count), key="count", on_change=_count)


def _percent() -> None:
    change(with_percent(tried().recipe, st.session_state["percent"], tried().total))


def _count() -> None:
    change(with_count(tried().recipe, st.session_state["count"]))


def _threshold(made: Curating, place: object) -> None:
    unit = made.now.view.unit
    shown = None if made.partition.threshold is None else round(made.partition.threshold * PER_NAT[unit], 4)
    follow("threshold", shown)
    edge = "at least" if made.recipe.side == "high" else "at most"
    place.number_input(f"Score of {edge} ({unit})", value=None, step=0.1, format="%.3f", key="threshold",
                       on_change=_thresholded, args=(unit,), help="All that is as good as this stays.")  # fmt: skip


def _thresholded(unit: str) -> None:
    if st.session_state["threshold"] is not None:
        change(with_threshold(tried().recipe, st.session_state["threshold"] / PER_NAT[unit]))


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
    change(replace(tried().recipe, groups=tuple(g for g in GROUPS if g in st.session_state["keep_groups"])))


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
    change(replace(settled(), trim=trim, order=order, minimum=plain_one.minimum))


def _seeded() -> None:
    change(replace(tried().recipe, seed=int(st.session_state["seed"])))


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
    now, before = showing(), tried()
    inside = replace(before.recipe, within=now.view.selection if st.session_state["within"] else {"kind": "all"})
    total = split(replace(inside, how="groups"), now.samples).total
    stays, of = (before.count, before.total) if before.total else (AT_FIRST, 1)
    same_share = with_count(inside, share_of(stays, total, of=of))
    change(same_share if inside.threshold is None else inside)
