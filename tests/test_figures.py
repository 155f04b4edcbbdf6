"""Figures as pure functions: a frame with known numbers in, exact numbers in the traces out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from curation.figures import (
    balance_figure,
    distribution_figure,
    fingerprint_figure,
    histogram_figure,
    known_answers_figure,
    map_figure,
)
from curation.summary import category_means, dataset_means
from curation.words import terms

NAMES = ("photo", "caption")
TERMS = terms(NAMES)


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = {key: rng.normal(size=40) for key in ("r", "u1", "u2", "s", "i1", "i2", "i12")}
    labels = np.repeat(["cats & dogs", "<b>birds</b>", "a category with quite a long name that wraps", "fish"], 10)
    ids = [f"s{i}" for i in range(40)]
    return pd.DataFrame({"sample_id": ids, "label": labels, "x": range(40), "y": range(40), **values})


def test_fingerprint_shows_the_means_of_every_category_and_of_all(frame):
    figure = fingerprint_figure(category_means(frame), dataset_means(frame), NAMES, sort_by="s")
    assert [bar.name for bar in figure.data] == [t.title for t in TERMS]
    assert [bar.marker.color for bar in figure.data] == [t.colour for t in TERMS]
    order = frame.groupby("label")["s"].mean().sort_values().index
    for bar, term in zip(figure.data, TERMS, strict=True):
        expected = [*frame.groupby("label")[term.key].mean()[order], frame[term.key].mean()]
        np.testing.assert_allclose(bar.x, expected)
        assert (bar.error_x.array > 0).all()
    assert "nats" in figure.layout.xaxis.title.text


def test_labels_are_never_markup_and_long_ones_wrap(frame):
    figure = fingerprint_figure(category_means(frame), dataset_means(frame), NAMES)
    labels = set(figure.data[0].y)
    assert "&lt;b>birds&lt;/b>" in labels
    assert "cats &amp; dogs" in labels
    assert "a category with quite a<br>long name that wraps" in labels


def test_distribution_has_one_ridge_a_category_and_tells_the_share_below_zero(frame):
    order = ["fish", "cats & dogs"]
    figure = distribution_figure(frame, TERMS[3], order, (-1.0, 1.0))
    assert len(figure.data) == 2
    np.testing.assert_array_equal(figure.data[0].x, frame.loc[frame["label"] == "fish", "s"])
    told = [a.text.strip() for a in figure.layout.annotations]
    share = (frame.loc[frame["label"] == "fish", "s"] < 0).mean()
    assert f"{share:.0%}" in told
    outside = (frame["s"].abs() > 1).mean()
    assert f"{outside:.1%}" in figure.layout.xaxis.title.text


def test_rounding_is_not_below_zero(frame):
    figure = distribution_figure(frame.assign(u1=-1e-16), TERMS[1], ["fish"], (-1.0, 1.0))
    assert "0%" in [a.text.strip() for a in figure.layout.annotations]


def test_map_carries_sample_ids_in_every_colouring(frame):
    by_label = map_figure(frame, "label", "category", list(frame["label"]))
    assert sorted(i for trace in by_label.data for i in trace.customdata) == sorted(frame["sample_id"])
    by_score = map_figure(frame, "r", "Both say it", list(frame["label"]), chosen="s3")
    np.testing.assert_array_equal(by_score.data[0].marker.color, frame["r"])
    assert by_score.data[0].marker.cmid == 0
    assert list(by_score.data[1].x) == [3]


def test_map_with_many_categories_keeps_the_rare_ones_visible(frame):
    many = frame.assign(label=[f"c{i % 13}" for i in range(40)])
    figure = map_figure(many, "label", "category", list(many["label"]))
    assert figure.data[0].name == "3 other categories"
    assert sum(len(t.x) for t in figure.data) == 40


def test_histogram_counts_both_parts_and_marks_the_threshold(frame):
    selected = (frame["r"] > 0).to_numpy()
    figure = histogram_figure(frame, TERMS[0], selected, 0.25)
    assert [len(trace.x) for trace in figure.data] == [selected.sum(), (~selected).sum()]
    assert figure.layout.shapes[0].x0 == 0.25
    assert not histogram_figure(frame, TERMS[0], selected, None).layout.shapes


def test_balance_shows_selected_and_rest_of_every_category():
    balance = pd.DataFrame({"label": ["a", "b"], "samples": [10, 4], "selected": [1, 3], "share": [0.1, 0.75]})
    figure = balance_figure(balance)
    assert list(figure.data[0].y) == ["a <b>10%</b>", "b <b>75%</b>"]
    assert list(figure.data[0].x) == [1, 3]
    assert list(figure.data[1].x) == [9, 1]


def test_known_answers_stand_beside_the_estimates(frame):
    regimes = np.tile(["redundant", "unique1", "unique2", "synergistic"], 10)
    known = frame.assign(**{"known.regime": regimes, "known.r": 1.0, "known.u1": 2.0, "known.u2": 3.0, "known.s": 4.0})
    figure = known_answers_figure(known, NAMES)
    bars = [t for t in figure.data if t.type == "bar"]
    diamonds = [t for t in figure.data if t.type == "scatter"]
    assert [list(d.y) for d in diamonds] == [[1.0] * 4, [2.0] * 4, [3.0] * 4, [4.0] * 4]
    np.testing.assert_allclose(bars[0].y[0], frame.loc[regimes == "redundant", "r"].mean())
    assert [b.x for b in bars] == [d.x for d in diamonds]
