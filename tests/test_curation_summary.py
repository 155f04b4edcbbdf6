"""Means, the finding in the user's words, names of scores, and the questions that pages ask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from curation.dataset import Modality, PairedDataset
from curation.encoders import encoder_choices, encoder_note
from curation.errors import DataError
from curation.exploring import Samples
from curation.queries import (
    describe_samples,
    examples,
    explanation,
    gallery_rows,
    most_misleading,
    row_of,
    sample_table,
    suspect_table,
)
from curation.settings import RunSettings
from curation.summary import (
    category_means,
    category_order,
    dataset_means,
    finding,
    label_entropy,
    measures_of,
    with_measure,
)
from curation.words import MEASURES, SIGNS, quantity, quantity_names, terms
from curation.workspace import open_run
from lsmi_core.errors import InvalidInputError
from lsmi_core.interactions import DEFAULT_REDUNDANCY, INGREDIENTS
from lsmi_core.redundancy import REDUNDANCIES, redundancy

TERMS = ["r", "u1", "u2", "s"]


@pytest.fixture
def told(picture_run):
    return open_run(picture_run)[1]


def test_category_means_against_pandas(small_run):
    """The slow obvious twin: groupby, and scipy's t interval one cell at a time."""
    means = category_means(small_run.scores)
    assert len(means) == 3 * 4
    for row in means.itertuples():
        values = small_run.scores.loc[small_run.scores["label"] == row.label, row.term]
        assert row.n == len(values) == 20
        low, high = stats.t.interval(0.9, len(values) - 1, values.mean(), stats.sem(values))
        assert (row.mean, row.low, row.high) == pytest.approx((values.mean(), low, high))
    assert small_run.summary["categories"] == means.to_dict(orient="records")


def test_means_keep_the_identities(small_run, known_run):
    for run in (small_run, known_run):
        for measure in MEASURES:
            means = {k: m["mean"] for k, m in dataset_means(with_measure(run.scores, measure)).items()}
            assert means["i1"] == pytest.approx(means["r"] + means["u1"])
            assert means["i2"] == pytest.approx(means["r"] + means["u2"])
            assert means["i12"] == pytest.approx(sum(means[k] for k in TERMS))
        adjusted = run.summary["adjusted_means"]
        assert sum(adjusted.values()) == pytest.approx(run.summary["means"]["i12"]["mean"])


def test_every_measure_has_its_words_and_the_default_comes_first():
    assert set(MEASURES) == set(SIGNS) == set(REDUNDANCIES)
    assert next(iter(MEASURES)) == RunSettings.redundancy == DEFAULT_REDUNDANCY
    assert [name for name, words in MEASURES.items() if "published" in words] == ["lsmi"]
    assert "Interplay's own" in MEASURES["cautious"]


def test_a_run_is_scored_with_the_default(small_run):
    assert small_run.summary["redundancy"] == small_run.record["settings"]["redundancy"] == DEFAULT_REDUNDANCY
    scores = small_run.scores
    ingredients = {key: scores[key].to_numpy() for key in INGREDIENTS}
    np.testing.assert_allclose(scores["r"], redundancy(DEFAULT_REDUNDANCY, **ingredients), atol=1e-12)
    assert scores[["u1", "u2"]].min(axis=None) > -1e-12


def test_scores_of_an_earlier_run_know_the_other_measures(small_run):
    earlier = small_run.scores.drop(columns=["b1", "b2"])
    assert list(measures_of(small_run.scores)) == list(MEASURES)
    assert list(measures_of(earlier)) == ["lsmi", "mmi", "ccs", "sx"]
    for measure in measures_of(earlier):
        whole = with_measure(small_run.scores, measure)
        pd.testing.assert_frame_equal(with_measure(earlier, measure)[TERMS], whole[TERMS], check_exact=True)
    with pytest.raises(DataError, match="score the data again, or choose one of: lsmi, mmi, ccs, sx."):
        with_measure(earlier, "cautious")


def test_known_answers_follow_the_measure(small_run):
    """The scores themselves, as if they were known: by every measure both columns of a term are one."""
    scores = small_run.scores
    known = scores.assign(**{f"known.{key}": scores[key] for key in INGREDIENTS})
    for measure in MEASURES:
        told = with_measure(known, measure)
        assert all(np.array_equal(told[f"known.{key}"], told[key]) for key in TERMS)
    by_hand = scores.assign(**{f"known.{key}": 1.0 for key in TERMS})  # as earlier runs kept them
    assert (with_measure(by_hand, "mmi")[[f"known.{key}" for key in TERMS]] == 1).all(axis=None)


def test_measures_change_the_terms_only(small_run):
    same = with_measure(small_run.scores, DEFAULT_REDUNDANCY)
    np.testing.assert_allclose(same[TERMS], small_run.scores[TERMS], atol=1e-12)
    mmi = with_measure(small_run.scores, "mmi")
    assert np.array_equal(mmi["r"], small_run.scores[["i1", "i2"]].min(axis=1))
    assert not np.allclose(mmi["r"], small_run.scores["r"])
    pd.testing.assert_frame_equal(mmi.drop(columns=TERMS), small_run.scores.drop(columns=TERMS), check_exact=True)
    with pytest.raises(InvalidInputError, match="'redundancy'"):
        with_measure(small_run.scores, "mine")


def test_label_entropy():
    assert label_entropy(pd.Series(["a", "b", "c", "d"] * 3)) == pytest.approx(np.log(4))
    assert label_entropy(pd.Series(["a"] * 3 + ["b"])) == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))


def built(**columns: list[float]) -> pd.DataFrame:
    n = len(columns["i1"])
    return pd.DataFrame({"label": (["a", "b"] * n)[:n], **columns})


def test_the_finding_speaks_of_the_users_modalities():
    """Means by hand: i12 = 0.5 of log 2 nats, all of it u1; one of four samples has i2 below -0.5."""
    zero = [0.0] * 4
    frame = built(i1=[0.5] * 4, i2=[0, 0, 0, -0.6], i12=[0.5] * 4, r=zero, u1=[0.5] * 4, u2=zero, s=zero)
    said = finding(frame, ("X-ray", "Dr. Who's note"))
    assert "Together the X-ray and the Dr. Who's note tell 0.50 of the 0.69 nats" in said and "(72%)" in said
    assert "The largest part is “only the X-ray knows”" in said
    assert "both say it: 0.00, only the X-ray knows: 0.50, only the Dr. Who's note knows: 0.00" in said
    assert "only together: 0.00)" in said and "shifted" not in said
    assert "In 25% of the samples" in said
    frame[["u1", "s"]] = frame[["s", "u1"]].to_numpy()
    assert "The largest part is “only together”" in finding(frame, ("a", "b"))
    # A negative side is lifted to nothing at the cost of its neighbours: r 0.5 - 0.2, u2 0 + 0.2, s 0.2 - 0.2.
    frame = built(i1=[0.3] * 4, i2=[0.5] * 4, i12=[0.5] * 4, r=[0.5] * 4, u1=[-0.2] * 4, u2=zero, s=[0.2] * 4)
    said = finding(frame, ("a", "b"))
    assert "both say it: 0.30, only the a knows: 0.00, only the b knows: 0.20, only together: 0.00" in said
    assert "only together: 0.00; the means, shifted by 0.20 nats to be read as shares)" in said


def test_every_name_of_a_score():
    names = ("picture", "text")
    for name, column in {"redundancy": "r", "unique:picture": "u1", "unique:text": "u2", "synergy": "s"}.items():
        assert quantity(name, names) == column
    assert all(quantity(key, names) == key for key in (*TERMS, "i1", "i2", "i12"))
    assert [t.key for t in terms(names)] == TERMS
    assert all("picture" in t.title + t.explanation and "text" in t.title + t.explanation for t in terms(names))
    for wrong in ("", "unique", "unique:sound", "Redundancy", "h1", "label"):
        with pytest.raises(DataError, match="choose one of: redundancy, unique:picture, unique:text, synergy"):
            quantity(wrong, names)
    assert len(quantity_names(names)) == 13


def test_categories_in_order(small_run):
    means = category_means(small_run.scores)
    order = category_order(means, "u1")
    assert sorted(order) == ["kind 0", "kind 1", "kind 2"]
    assert small_run.scores.groupby("label")["u1"].mean().sort_values().index.tolist() == order
    assert category_order(means, "u1", rows=2) == order[1:] and category_order(means, "u1", rows=9) == order
    assert category_order(means, "u1", rows=["kind 1"]) == ["kind 1"]
    assert category_order(means, "label") == ["kind 2", "kind 1", "kind 0"], "the first name is drawn on top"
    counted = category_means(small_run.scores.iloc[5:].reset_index(drop=True))
    assert category_order(counted, "n")[0] == counted.loc[counted["n"].idxmin(), "label"]


def test_samples_described_without_markup(told):
    frame = told.scores.head(3).copy()
    frame.loc[frame.index[0], "item.text"] = "<b>bold</b> & " + "long " * 40
    first, second, _ = describe_samples(told, frame)
    assert "<" not in first and "&lt;b>bold&lt;/b> &amp;" in first and len(first) < 110 and first.endswith("…")
    assert second == f"{frame['label'].iloc[1]}: {frame['item.text'].iloc[1]}"


def test_the_table_of_samples(told):
    everything = sample_table(told, told.scores)
    assert list(everything.columns) == ["sample", "category", "text", *(t.title for t in terms(told.modality_names))]
    assert len(everything) == 75
    in_bits = sample_table(told, told.scores, "bits")
    np.testing.assert_allclose(in_bits["Both say it"], told.scores["r"] / np.log(2))


@pytest.mark.parametrize("count", [0, 1, 5, 40, 60])
def test_the_first_samples_are_those_of_a_stable_sort_of_all(count):
    values = np.random.default_rng(0).integers(0, 5, 40).astype(float)
    values[[3, 17]] = np.nan
    frame = pd.DataFrame({"r": values})
    expected = frame.sort_values("r", ascending=False, kind="stable", na_position="last").index[:count]
    assert gallery_rows(frame, "r", count).index.tolist() == expected.tolist()


def test_the_order_of_the_gallery(told):
    scores = told.scores
    assert gallery_rows(scores, "r", 5)["r"].tolist() == sorted(scores["r"], reverse=True)[:5]
    worst = gallery_rows(scores, "misleading", 1)["sample_id"].item()
    assert worst == most_misleading(scores)


def test_suspects_come_with_score_and_reason(told, tmp_path):
    samples = Samples(told)
    half = np.arange(len(samples)) % 2 == 0
    table = suspect_table(samples, half, "label_error", 7)
    assert table["suspicion"].is_monotonic_decreasing and len(table) == 7
    assert set(table["sample"]) <= set(told.scores["sample_id"][half])
    assert all("says" in reason for reason in table["reason"])
    everything = np.ones(len(samples), bool)
    assert suspect_table(samples, everything, "copies", 100) is None, "nobody has looked for near-duplicates yet"
    ids = told.scores["sample_id"]
    twin = replace(told, folder=tmp_path)
    pd.DataFrame({"sample_id": ids, "copy_of": [ids[1], *[""] * 74], "similarity": 0.97}).to_parquet(
        tmp_path / "copies.parquet"
    )
    copies = suspect_table(Samples(twin), everything, "copies", 100)
    assert copies["sample"].tolist() == [ids[0]] and copies["reason"].tolist() == [f"like sample {ids[1]}"]


def test_a_sample_is_explained_in_one_sentence():
    row = pd.Series({"label": "boot", "says.picture": "sandal", "sure.picture": 0.97, "says.text": "boot",
                     "sure.text": 0.6, "says.both": "boot", "sure.both": 0.8})  # fmt: skip
    assert explanation(row, ("picture", "text")) == (
        "The picture says “sandal” with 97%, the text says “boot” with 60%; the label is “boot”. "
        "Together they say “boot” with 80%."
    )


def test_one_sample_and_extreme_samples(told):
    scores = told.scores
    assert row_of(scores, "row-000010")["item.text"] == scores.set_index("sample_id").loc["row-000010", "item.text"]
    lowest = scores.set_index("sample_id")[["i1", "i2"]].min(axis=1)
    assert lowest[most_misleading(scores)] == lowest.min()
    part = (scores["label"] == "circle").to_numpy()
    top = examples(scores, part, "u1", highest=True, count=4)
    assert top["u1"].tolist() == scores.loc[part, "u1"].sort_values(ascending=False).head(4).tolist()
    assert examples(scores, part, "u1", highest=False, count=1)["u1"].item() == scores.loc[part, "u1"].min()


def test_a_pair_must_be_one():
    side = lambda name, n=4: Modality(name, "text", ["t"] * n)
    make = lambda first, second, ids=("a", "b", "c", "d"): PairedDataset(
        "d", np.array(ids), np.array(["x", "y"] * 2), (first, second)
    )
    assert make(side("one"), side("two")).rows.tolist() == [1, 2, 3, 4]
    for bad, why in (
        (lambda: make(side("one"), side("one")), "different names"),
        (lambda: make(side("both"), side("two")), "cannot be named 'both'"),
        (lambda: make(side("one", 3), side("two")), "different lengths"),
        (lambda: make(side("one"), side("two"), ids=("a", "a", "b", "c")), "repeat"),
        (lambda: make(side("one", 0), side("two", 0), ids=()), "No usable sample"),
        (lambda: Modality("x", "smell", []), "kind 'smell'"),
    ):
        with pytest.raises(DataError, match=why):
            bad()


def test_the_default_encoder_is_offered_first():
    for kind, default in (("text", "minilm-l6"), ("picture", "efficientnet-lite0"), ("numbers", "columns")):
        assert encoder_choices(kind)[0] == default
        assert encoder_note(default, kind).endswith(".")


def test_a_modality_named_like_a_column_of_the_table(told):
    summary = {**told.summary, "modalities": [{**m, "name": "sample" if m["name"] == "text" else m["name"]}
                                              for m in told.summary["modalities"]]}  # fmt: skip
    renamed = replace(told, summary=summary, scores=told.scores.rename(columns={"item.text": "item.sample"}))
    assert list(sample_table(renamed, renamed.scores).columns)[:3] == ["sample", "category", "sample (text)"]
