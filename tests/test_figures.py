"""Figures as pure functions: a frame with known numbers in, exact numbers in the traces out."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from curation.figures import (
    Reading,
    balance_figure,
    before_after_figure,
    fingerprint_figure,
    groups_figure,
    histogram_figure,
    known_answers_figure,
    reading_of,
    ridges_figure,
)
from curation.figures.ridges import densities
from curation.figures.style import on_lines, shortened
from curation.summary import category_counts, category_means, dataset_means
from curation.words import terms

NAMES = ("photo", "caption")
TERMS = terms(NAMES)
RAW = Reading("cautious")
BITS = Reading("lsmi", "bits")


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = {key: rng.normal(size=40) for key in ("r", "u1", "u2", "s", "i1", "i2", "i12")}
    labels = np.repeat(["cats & dogs", "<b>birds</b>", "a category with quite a long name that wraps", "fish"], 10)
    return pd.DataFrame({"sample_id": [f"s{i}" for i in range(40)], "label": labels, **values})


def fingerprint(frame, reading=RAW, **more):
    return fingerprint_figure(category_means(frame), dataset_means(frame), NAMES, reading, **more)


def test_a_reading_shifts_and_converts_and_says_so():
    means = {k: {"mean": m} for k, m in {"r": -0.2, "u1": 0.5, "u2": 0.4, "s": 0.1}.items()}
    adjusted = reading_of(means, "lsmi", "bits", "adjusted")
    assert adjusted.shift == pytest.approx(0.2)
    nats = {key: float(adjusted.values(key, means[key]["mean"])) * np.log(2) for key in means}
    assert nats == pytest.approx({"r": 0.0, "u1": 0.3, "u2": 0.2, "s": 0.3})
    assert adjusted.values("i1", np.log(2)) == pytest.approx(1.0), "an information has no free constant"
    assert adjusted.subtitle(1200, 3400) == "lsmi, adjusted · bits · n = 1,200 of 3,400"
    assert reading_of(means, "cautious").subtitle(5) == "cautious, raw · nats · n = 5"


@pytest.mark.parametrize(("reading", "unit"), [(RAW, 1.0), (BITS, 1 / np.log(2))])
def test_fingerprint_shows_the_means_of_every_category_and_of_all(frame, reading, unit):
    figure = fingerprint(frame, reading, sort_by="s")
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [bar.name for bar in bars] == [t.title for t in TERMS]
    assert [bar.marker.color for bar in bars] == [t.colour for t in TERMS]
    order = frame.groupby("label")["s"].mean().sort_values().index
    for bar, term in zip(bars, TERMS, strict=True):
        np.testing.assert_allclose(
            bar.x, unit * np.array([*frame.groupby("label")[term.key].mean()[order], frame[term.key].mean()])
        )
    assert reading.unit in figure.layout.xaxis.title.text
    assert f"{reading.unit} · n = 40" in figure.layout.legend.title.text


def test_intervals_stand_at_their_own_means_in_lanes_of_their_own(frame):
    figure = fingerprint(frame, sort_by="label")
    means, lanes = category_means(frame).set_index(["term", "label"]), set()
    alphabet = sorted(set(frame["label"]), reverse=True)  # from bottom to top
    for bar, line, term in zip(figure.data[::2], figure.data[1::2], TERMS, strict=True):
        np.testing.assert_array_equal(line.x, bar.x)
        ends = [*means.loc[term.key].loc[alphabet, "high"], dataset_means(frame)[term.key]["high"]]
        np.testing.assert_allclose(line.x + line.error_x.array, ends)
        assert line.marker.color == line.error_x.color == term.colour
        lanes.add(round(line.y[0] - bar.y[0], 6))
    assert len(lanes) == 4 and max(lanes) < -bar.width / 2, "below the bar, each in another place"


def test_fingerprint_of_some_categories_keeps_n_and_the_data_set(frame):
    some = fingerprint(frame, rows=["fish", "cats & dogs"])
    assert sorted(some.layout.yaxis.ticktext) == ["<b>All samples</b>", "cats &amp; dogs", "fish"]
    first = fingerprint(frame, sort_by="label", rows=1)
    assert list(first.layout.yaxis.ticktext) == ["&lt;b>birds&lt;/b>", "<b>All samples</b>"]
    assert "n = 40" in first.layout.legend.title.text and "1 categories shown" in first.layout.legend.title.text


def test_one_sample_has_a_mean_and_no_interval(frame):
    alone = frame.assign(label=["alone", *["crowd"] * 39])
    line = fingerprint(alone, rows=["alone"]).data[1]
    assert np.isnan(line.error_x.array[0]) and line.error_x.array[1] > 0
    assert "no interval from one sample" in line.hovertext[0] and line.x[0] == alone["r"].iloc[0]


def test_labels_are_never_markup_and_long_ones_fit():
    assert on_lines("<b>birds</b>") == "&lt;b>birds&lt;/b>"
    assert on_lines("a category with quite a long name") == "a category with<br>quite a long name"
    for label in ("x" * 300, "word " * 60, "the same beginning of a name, variant 17", "%{x} & co"):
        lines = on_lines(label).replace("&lt;", "<").replace("&amp;", "&").replace("&#123;", "{").split("<br>")
        assert len(lines) <= 2 and max(map(len, lines)) <= 20
    assert on_lines("the same beginning of a name, variant 17").endswith("17"), "ends differ"
    assert on_lines(" ") == "(blank)" and shortened("abcdefghij", 5) == "ab…ij"


def test_two_hundred_categories_have_one_line_each(frame):
    names = [f"a rather long category name, the variant {i}" for i in range(200)]
    many = pd.concat([frame.assign(label=names[i * 40 : i * 40 + 40]) for i in range(5)] * 2, ignore_index=True)
    figure = fingerprint(many)
    ticks = figure.layout.yaxis.ticktext
    assert len(set(ticks)) == 201 and not any("<br>" in tick for tick in ticks)
    assert sum(len(trace.x) for trace in figure.data) == 8 * 201
    per_row = figure.layout.height / 201
    assert per_row > 1.4 * figure.layout.yaxis.tickfont.size, "letters do not touch"


def test_ridges_tell_quartiles_and_the_share_below_zero(frame):
    order = ["fish", "cats & dogs"]
    figure = ridges_figure(frame, TERMS, order, BITS)
    for position, term in enumerate(TERMS):
        _, halves, medians, shares = figure.data[4 * position : 4 * position + 4]
        for row, label in enumerate(order):
            values = frame.loc[frame["label"] == label, term.key] / np.log(2)
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
            assert medians.x[row] == pytest.approx(middle)
            assert halves.x[3 * row : 3 * row + 2] == pytest.approx([low, high])
            assert shares.text[row].strip() == f"{(values < 0).mean():.0%}"
    axes = [figure.layout[f"xaxis{n}"] for n in ("", 2, 3, 4)]
    assert len({axis.range for axis in axes}) == 1, "one scale for all panels"
    assert "n = 20 of 40" in figure.layout.title.text
    one = ridges_figure(frame, TERMS[2:3], order, BITS)
    assert len(one.data) == 4 and one.layout.xaxis.range == axes[0].range


def test_densities_hold_what_lies_on_each_side_of_zero():
    """A slow twin: the area drawn below 0 is the share of samples there, rounding not being below 0."""
    rng = np.random.default_rng(1)
    values, place = rng.normal(0.2, 0.5, 3000), rng.integers(0, 3, 3000)
    values[:500] = -1e-16
    edges = 0.1 * np.arange(-40, 41)
    heights = densities(place, values, 3, edges)
    assert heights.shape == (3, 80) and heights.max(axis=1) == pytest.approx(1.0)
    for row in range(3):
        mine = values[place == row]
        assert heights[row, :40].sum() / heights[row].sum() == pytest.approx((mine < -1e-9).mean())


def test_ridges_stay_small_and_survive_a_constant(frame):
    many = pd.concat([frame] * 50, ignore_index=True).assign(label=[f"c{i % 20}" for i in range(2000)])
    figure = ridges_figure(many, TERMS, [f"c{i}" for i in range(20)], RAW)
    assert sum(len(trace.x) for trace in figure.data) <= 4 * 20 * (80 + 5)
    flat = ridges_figure(frame.assign(r=0.0, u1=0.0, u2=0.0, s=0.0), TERMS[:1], ["fish", "nobody"], RAW)
    assert [text.strip() for text in flat.data[3].text] == ["0%", "0%"] and flat.data[2].x[0] == 0.0


def test_histogram_counts_both_parts_and_marks_the_threshold(frame):
    selected = (frame["r"] > 0).to_numpy()
    figure = histogram_figure(frame["r"].to_numpy(), TERMS[0], selected, 0.25, BITS)
    assert [int(trace.y.sum()) for trace in figure.data] == [selected.sum(), (~selected).sum()]
    assert [len(trace.y) for trace in figure.data] == [60, 60]
    assert figure.layout.shapes[0].x0 == pytest.approx(0.25 / np.log(2))
    assert figure.layout.annotations[0].text == "0.36 bits"
    bars = figure.data[0]
    assert bars.x[bars.y > 0].min() > -bars.width, "what is selected lies above 0"
    assert not histogram_figure(frame["r"].to_numpy(), TERMS[0], selected, None, RAW).layout.shapes


def test_before_and_after_are_shares_of_their_own_parts(frame):
    kept = (frame["u1"] > 0).to_numpy()
    before, after = before_after_figure(frame["u1"].to_numpy(), TERMS[1], kept, RAW).data
    assert before.y[:-1].sum() == pytest.approx(1) and after.y[:-1].sum() == pytest.approx(1)
    assert before.name == f"before: mean {frame['u1'].mean():.2f} nats"
    assert after.name == f"after: mean {frame['u1'][kept].mean():.2f} nats"
    assert not after.y[:-1][after.x[1:] <= 0].any()
    nothing = before_after_figure(frame["u1"].to_numpy(), TERMS[1], np.zeros(40, bool), RAW)
    assert nothing.data[1].name == "after: nothing is kept"


def test_groups_are_shares_of_every_category_and_of_all(frame):
    groups = [SimpleNamespace(key=k, title=k.title(), colour=c) for k, c in (("one", "#111111"), ("two", "#222222"))]
    counts = category_counts(frame["label"], np.r_[np.zeros(13, int), np.ones(27, int)], ["one", "two"])
    assert counts.loc["cats & dogs"].tolist() == [10, 0] and counts.loc["<b>birds</b>"].tolist() == [3, 7]
    one, two = groups_figure(counts, groups, RAW).data
    np.testing.assert_allclose(one.x[-1], 13 / 40)
    np.testing.assert_allclose(np.array(one.x) + two.x, 1.0)
    assert one.marker.color == "#111111" and one.text[-1] == "32%"


def test_balance_shows_selected_and_rest_of_every_category():
    balance = pd.DataFrame({"label": ["b", "a"], "samples": [4, 10], "selected": [3, 1], "share": [0.75, 0.1]})
    figure = balance_figure(balance)
    assert list(figure.layout.yaxis.ticktext) == ["a", "b"]
    assert list(figure.data[0].x) == [1, 3]
    assert list(figure.data[1].x) == [9, 1]
    assert [text.strip() for text in figure.data[1].text] == ["10%", "75%"]


def test_known_answers_stand_beside_the_estimates(frame):
    regimes = np.tile(["redundant", "unique1", "unique2", "synergistic"], 10)
    known = frame.assign(**{"known.regime": regimes, "known.r": 1.0, "known.u1": 2.0, "known.u2": 3.0, "known.s": 4.0})
    figure = known_answers_figure(known, NAMES, RAW)
    bars = [t for t in figure.data if t.type == "bar"]
    diamonds = [t for t in figure.data if t.type == "scatter"]
    assert [list(d.x) for d in diamonds] == [[1.0] * 4, [2.0] * 4, [3.0] * 4, [4.0] * 4]
    assert figure.layout.yaxis.ticktext[-1].endswith("both say it")
    np.testing.assert_allclose(bars[0].x[-1], frame.loc[regimes == "redundant", "r"].mean())
    assert all((b.y == d.y).all() for b, d in zip(bars, diamonds, strict=True))


def contrast(a, b):
    """WCAG's ratio of two colours, #RRGGBB."""
    channels = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in (a, b)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    low, high = sorted(linear @ [0.2126, 0.7152, 0.0722])
    return (high + 0.05) / (low + 0.05)


def test_the_buttons_above_a_figure_are_seen_on_both_grounds_and_have_none(frame):
    tools = fingerprint(frame).layout.modebar
    assert tools.bgcolor == "rgba(0,0,0,0)"
    for ground in ("#FFFFFF", "#12191F"):
        assert min(contrast(tools.color, ground), contrast(tools.activecolor, ground)) >= 3
