"""Views, selections and their chain: what is selected, how it combines, and that every step can be taken back."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.errors import DataError
from curation.exploring import GROUPS, Samples, View, checked, group_of, groups, mask, sentence
from curation.exploring.groups import certain
from curation.exploring.selection import MOST_CORNERS, facet, inside, simplified
from curation.workspace import (
    keep_view,
    last_view,
    make_workspace,
    tag_samples,
    tags_of,
    view_of,
    view_tagging,
    view_undone,
)

SQUARE = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]


@pytest.fixture(scope="module")
def samples(small_run) -> Samples:
    tags = pd.DataFrame({"sample_id": small_run.scores["sample_id"][:3], "tag": ["odd", "odd", "fine"]})
    return Samples(small_run, tags=tags)


def count(node: dict, samples: Samples) -> int:
    return int(mask(checked(node), samples).sum())


def test_every_form_selects_what_it_says(samples):
    frame = samples.frame
    label = str(frame["label"].iloc[0])
    ids = frame["sample_id"].astype("str").tolist()
    by_label = {"kind": "categories", "labels": [label]}
    assert count({"kind": "all"}, samples) == len(frame)
    assert count(by_label, samples) == (frame["label"].astype("str") == label).sum()
    assert count({"kind": "range", "column": "r", "low": 0.1, "high": None}, samples) == (frame["r"] >= 0.1).sum()
    assert count({"kind": "tag", "tag": "odd"}, samples) == 2
    assert count({"kind": "tag", "tag": "never given"}, samples) == 0
    assert count({"kind": "ids", "ids": [ids[4], ids[7], "gone"]}, samples) == 2
    assert count({"kind": "words", "text": ids[5].upper()}, samples) >= 1
    assert sum(count({"kind": "group", "groups": [g]}, samples) for g in GROUPS) == len(frame)
    assert count({"kind": "not", "part": by_label}, samples) == len(frame) - count(by_label, samples)
    tagged = {"kind": "named", "name": "mine", "part": {"kind": "tag", "tag": "odd"}}
    both, either = ({"kind": kind, "parts": [by_label, tagged]} for kind in ("and", "or"))
    assert count(both, samples) + count(either, samples) == count(by_label, samples) + 2


def test_a_region_of_the_quadrants(samples):
    i1, i2 = samples.frame["i1"].to_numpy(), samples.frame["i2"].to_numpy()
    node = {"kind": "region", "space": "quadrant", "polygons": [SQUARE]}
    expected = (i1 > 0) & (i1 < 2) & (i2 > 0) & (i2 < 2)
    assert 0 < expected.sum() < len(i1)
    assert (mask(checked(node), samples) == expected).all()


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=3, max_size=9),
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=20),
)
def test_inside_agrees_with_winding_counted_sample_by_sample(corners, points):
    corners, points = np.array(corners), np.array(points)

    def crossings(x: float, y: float) -> int:
        found = 0
        for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
            if (y0 > y) != (y1 > y):
                found += x < (x1 - x0) * (y - y0) / (y1 - y0) + x0
        return found

    assert inside(points, corners).tolist() == [crossings(x, y) % 2 == 1 for x, y in points]


def test_points_without_a_place_are_outside():
    assert inside(np.array([[np.nan, np.nan], [1.0, 1.0]]), np.array(SQUARE)).tolist() == [False, True]


def test_a_drawn_line_is_kept_small():
    angle = np.linspace(0, 2 * np.pi, 5_000, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    few = simplified(circle)
    assert len(few) == MOST_CORNERS
    points = np.random.default_rng(0).uniform(-1.2, 1.2, (2_000, 2))
    assert (inside(points, few) == inside(points, circle)).mean() > 0.995
    assert len(json.dumps(few.tolist())) < 6_000


@pytest.mark.parametrize(
    "node",
    [
        None, 7, [], {}, {"kind": "evil"}, {"kind": "and", "parts": []}, {"kind": "not"},
        {"kind": "range", "column": "r", "low": "x"}, {"kind": "region", "space": "moon", "polygons": [SQUARE]},
        {"kind": "region", "space": "both", "polygons": [[[0, 1]]]},
        {"kind": "region", "space": "both", "polygons": []},
        {"kind": "group", "groups": ["none of them"]}, {"kind": "ids", "ids": "abc"}, {"kind": "categories"},
    ],
)  # fmt: skip
def test_what_is_no_selection_is_refused_in_a_sentence(node):
    with pytest.raises(DataError, match="clear it"):
        checked(node)


def test_a_bottomless_selection_is_refused():
    node: dict = {"kind": "all"}
    for _ in range(500):
        node = {"kind": "not", "part": node}
    with pytest.raises(DataError):
        checked(node)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["kind", "parts", "part", "labels", "space", "polygons", "column", "low", "filters", "measure", "top", "show"]
    ), inner | st.sampled_from(["and", "or", "not", "ids", "region", "range", "group", "tag"])),
)  # fmt: skip


@given(anything)
def test_whatever_is_read_gives_a_view_or_a_sentence(data):
    view = View.from_json(data)
    assert View.from_json(json.loads(json.dumps(view.to_json()))) == view
    with contextlib.suppress(DataError):
        checked(data)


def test_a_filter_about_the_same_takes_the_place_of_the_earlier_one():
    view = View().narrowed({"kind": "categories", "labels": ["a"]}).narrowed({"kind": "tag", "tag": "x"})
    view = view.narrowed({"kind": "categories", "labels": ["b"]}).narrowed({"kind": "tag", "tag": "y"})
    assert [sentence(f, ("picture", "text")) for f in view.filters] == ["tag 'x'", "category 'b'", "tag 'y'"]
    assert view.widened("categories").filter_about("categories") is None
    assert len(view.without(0).filters) == 2


def test_combining(samples):
    view = View().narrowed({"kind": "tag", "tag": "odd"})
    other = {"kind": "named", "name": "n", "part": {"kind": "tag", "tag": "fine"}}
    counts = {how: int(mask(view.combined(how, other).selection, samples).sum()) for how in ("and", "or", "not")}
    assert counts == {"and": 0, "or": 3, "not": 2}
    assert sentence(view.combined("or", other).selection, ("picture", "text")) == "(tag 'odd' or selection “n”)"


def test_groups_by_hand():
    rows = {"r": [1, 0, 0, 0, 1, 0.05], "u1": [0, 1, 0, 0, 0, 0], "u2": [0, 0, 1, 0, 0, 0], "s": [0, 0, 0, 1, 0, 0],
            "i1": [1, 1, 0, 0, -0.6, 0.05], "i2": [1, 0, 1, 0, 1, 0.05]}  # fmt: skip
    assert [GROUPS[g] for g in group_of(pd.DataFrame(rows))] == list(GROUPS)
    assert [g.key for g in groups(("a", "b"))] == list(GROUPS)


def test_certain_by_hand():
    frame = pd.DataFrame({"r": [1.0, 1.0], "u1": [0.5, 0.9], "u2": [0.0, 0.0], "s": [0.0, 0.0]})
    errors = pd.DataFrame(0.1, index=range(2), columns=["r", "u1", "u2", "s"])
    assert certain(frame, errors).tolist() == [True, False]


def test_facets():
    assert facet({"kind": "region", "space": "both"}) != facet({"kind": "region", "space": "quadrant"})
    assert facet({"kind": "tag", "tag": "x"}) == ""


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "workspace")


def test_every_step_can_be_taken_back_tags_too(workspace):
    tag_samples(workspace, "d", ["1"], "odd")
    first = keep_view(workspace, "run", {"top": 3}, "", {})
    second = keep_view(workspace, "run", {"top": 4}, first, {})
    third, changed = view_tagging(workspace, "run", second, "d", ["1", "2", "3"], "odd", add=True)
    assert changed == 2
    assert last_view(workspace, "run") == third
    assert view_of(workspace, "run", third).state == {"top": 4}
    assert view_undone(workspace, "run", third) == second
    assert tags_of(workspace, "d")["sample_id"].tolist() == ["1"], "the tag that was there before stays"
    assert last_view(workspace, "run") == second
    fourth, _ = view_tagging(workspace, "run", second, "d", ["1"], "odd", add=False)
    assert tags_of(workspace, "d").empty
    view_undone(workspace, "run", fourth)
    assert len(tags_of(workspace, "d")) == 1
    assert view_undone(workspace, "run", second) == first


def test_tagging_nothing_new_is_no_step(workspace):
    first = keep_view(workspace, "run", {}, "", {})
    tagged, _ = view_tagging(workspace, "run", first, "d", ["1"], "odd", add=True)
    assert view_tagging(workspace, "run", tagged, "d", ["1"], "odd", add=True) == (tagged, 0)


def test_a_view_that_nobody_kept_is_the_first(workspace):
    assert view_of(workspace, "run", "0123456789ab").state == {}
    assert last_view(workspace, "run") == ""


def test_what_is_computed_once_is_shared_with_every_twin_and_what_is_not_there_yet_is_asked_for_again(known_run):
    samples = Samples(known_run, "cautious")
    tags = pd.DataFrame({"sample_id": [], "tag": []})
    first, second = samples.with_tags(tags), samples.with_tags(tags)
    assert first.ids is second.ids is samples.ids
    assert first.group is second.group
    assert first.labels is second.labels
    asked = []
    assert samples._once("later", lambda: asked.append(1)) is None
    assert second._once("later", lambda: "there") == first._once("later", lambda: "not asked for") == "there"
