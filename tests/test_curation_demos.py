"""The demos: real emoji that exist and open, and planted answers that are found again."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from curation.demos import DEMOS, load_demo, sample_pictures
from curation.errors import DataError
from curation.summary import with_measure
from curation.words import MEASURES
from curation.workspace import load_run
from lsmi_core.interactions import DEFAULT_REDUNDANCY, INGREDIENTS
from lsmi_core.redundancy import decompose
from lsmi_core.synthetic import REGIMES, planted_regimes


@pytest.mark.parametrize(("term", "regime"), list(zip(("r", "u1", "u2", "s"), REGIMES[:4], strict=True)))
def test_planted_terms_are_found(known_run, term, regime):
    """Each score ranks the samples built for it above all others, with the measure of the run."""
    planted = known_run.scores["known.regime"] == regime
    assert 0.1 < planted.mean() < 0.5
    assert roc_auc_score(planted, known_run.scores[term]) > 0.9


def test_estimates_agree_with_the_known_answers(known_run):
    scores = known_run.scores
    known = [f"known.{t}" for t in ("r", "u1", "u2", "s")]
    assert set(known) <= set(scores)
    assert scores["known.regime"].nunique() == len(REGIMES)
    for term in ("r", "u1", "u2", "s"):
        assert abs(scores[term].mean() - scores[f"known.{term}"].mean()) < 0.1
        assert np.corrcoef(scores[term], scores[f"known.{term}"])[0, 1] > 0.7


def test_known_answers_are_those_of_the_measure_of_the_run(known_run):
    """Derived again from the law itself; the default reads no surprisal."""
    drawn = planted_regimes(2400, n_classes=4, random_state=7)
    ingredients = {name: getattr(drawn, name) for name in INGREDIENTS}
    terms = decompose(DEFAULT_REDUNDANCY, **ingredients)
    for term, exact in zip(("r", "u1", "u2", "s"), terms, strict=True):
        np.testing.assert_allclose(known_run.scores[f"known.{term}"], exact, atol=1e-12)


@pytest.mark.parametrize("measure", ["cautious", "lsmi", "mmi", "ccs"])
def test_known_answers_are_where_the_samples_were_built_to_have_them(known_run, measure):
    """All that the pair tells belongs to the one term: up to .03 nats, for clusters are far apart but not endlessly."""
    told = with_measure(known_run.scores, measure)
    means = told.groupby("known.regime")[["known.r", "known.u1", "known.u2", "known.s", "known.i12"]].mean()
    for position, regime in enumerate(REGIMES):
        built = np.eye(5)[position, :4] * means.loc[regime, "known.i12"]
        np.testing.assert_allclose(means.loc[regime].iloc[:4], built, atol=0.03)


@pytest.mark.parametrize("measure", list(MEASURES))
def test_estimates_meet_the_known_answers_of_every_measure(known_run, measure):
    told = with_measure(known_run.scores, measure).groupby("known.regime")
    for term in ("r", "u1", "u2", "s"):
        np.testing.assert_allclose(told[term].mean(), told[f"known.{term}"].mean(), atol=0.12)


def test_the_known_demo_as_a_run(known_run):
    assert known_run.name == "Known answers" and known_run.modality_names == ("signal A", "signal B")
    assert len(known_run.scores) == 2400 and known_run.problems.empty
    places = known_run.map()
    assert places["sample_id"].tolist() == known_run.scores["sample_id"].tolist()
    assert np.isfinite(places[["x", "y"]].to_numpy()).all()
    assert load_run(known_run.folder).summary == known_run.summary
    assert "signal A" in known_run.summary["finding"]


def test_the_known_demo_is_the_same_every_time():
    one, two = load_demo("known"), load_demo("known")
    assert np.array_equal(one.modalities[0].items, two.modalities[0].items)
    assert np.array_equal(one.labels, two.labels) and one.known.equals(two.known)


@pytest.fixture(scope="module")
def emoji():
    counts = []
    data = load_demo("emoji", lambda stage, done, total: counts.append((stage, done, total)))
    assert counts[0][1] == 0 and counts[-1][1] == counts[-1][2] == len(data)
    assert {stage for stage, *_ in counts} == {"Prepare the demo"}
    return data


def test_the_emoji_demo_is_large_and_paired(emoji):
    assert len(emoji) >= 1000
    names, counts = np.unique(emoji.labels, return_counts=True)
    assert len(names) >= 5 and counts.min() >= 10
    assert len(set(emoji.sample_ids)) == len(emoji)
    assert emoji.modality_names == ("picture", "text")
    texts = emoji.modalities[1].items
    assert all(text.strip() for text in texts) and len(set(texts)) > 0.99 * len(emoji)
    assert "OpenMoji" in emoji.attribution and "CC BY-SA" in emoji.attribution


def test_every_emoji_is_a_picture_that_opens(emoji, interplay_home):
    for path in emoji.modalities[0].items:
        assert interplay_home in path.parents
        with Image.open(path) as picture:
            picture.load()
            assert picture.format == "PNG" and picture.size == (160, 160)
    assert len(set(emoji.modalities[0].items)) == len(emoji)
    assert len({path.read_bytes() for path in emoji.modalities[0].items}) > 0.95 * len(emoji)


def test_pictures_and_names_belong_together(emoji):
    row = emoji.modalities[1].items.index("grinning face")
    assert emoji.sample_ids[row] == "1F600" and emoji.modalities[0].items[row].name == "1F600.png"
    assert emoji.labels[row] == "Smileys & Emotion"
    with Image.open(emoji.modalities[0].items[row]) as picture:
        colours = picture.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert colours[0] > colours[2] + 40, "a yellow face"


def test_drawn_once(emoji, interplay_home):
    stamps = {p: p.stat().st_mtime_ns for p in emoji.modalities[0].items}
    load_demo("emoji")
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps
    assert not list(interplay_home.rglob("*.part"))


def test_what_the_start_page_says_of_the_emoji_is_true(emoji):
    told = DEMOS["emoji"].description
    assert f"{len(emoji):,} " in told, "the count on the start page"
    assert f"{len(np.unique(emoji.labels))} categories" in told
    assert "2,400" in DEMOS["known"].description


def test_sample_pictures_are_pictures():
    for name, demo in DEMOS.items():
        found = sample_pictures(name)
        assert len(found) == len(demo.samples)
        assert all(png.startswith(b"\x89PNG") for png in found)


@pytest.mark.parametrize("name", ["", "Emoji", "../emoji", "none"])
def test_a_demo_that_is_not_there(name):
    with pytest.raises(DataError, match="choose one of: emoji, known"):
        load_demo(name)
