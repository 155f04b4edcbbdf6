"""Contract: fit and score_samples, interactions without labels, joint representations, the published protocol."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from toy_data import assert_identities, correlation

from lsmi_core import FIELDS, TERMS, InvalidInputError, LSMIEstimator, PointwiseInteractions
from lsmi_core.published import PublishedModel
from lsmi_core.redundancy import REDUNDANCIES
from lsmi_core.synthetic import ExactSamples, gaussian_classes


@pytest.fixture(scope="module")
def drawn() -> ExactSamples:
    return gaussian_classes(600, n_classes=4)


@pytest.fixture(scope="module")
def result(drawn) -> PointwiseInteractions:
    return LSMIEstimator().fit_score(drawn.x1, drawn.x2, drawn.y)


@pytest.fixture(scope="module")
def other() -> ExactSamples:
    return gaussian_classes(600, n_classes=4, random_state=50)


@pytest.fixture(scope="module")
def model(other) -> LSMIEstimator:
    return LSMIEstimator().fit(other.x1, other.x2, other.y)


@pytest.fixture(scope="module")
def found(model, drawn) -> PointwiseInteractions:
    return model.score_samples(drawn.x1, drawn.x2, drawn.y)


# --- fit and score_samples ------------------------------------------------------------------------------------------
def test_new_samples_score_as_the_old_ones_did(drawn, result, found):
    """Other samples of the same law teach the same. Measured, worst of three data sets: i .959, r .975, s .906."""
    assert_identities(found)
    for field, bound in {"i1": 0.95, "i2": 0.95, "i12": 0.94, "r": 0.92, "s": 0.8}.items():
        assert correlation(getattr(result, field), getattr(found, field)) >= bound, field
    assert found.means()["i12"] == pytest.approx(result.means()["i12"], abs=0.08)


def test_new_samples_follow_the_law(drawn, found):
    """Measured, worst of three data sets: .983; mean of i12 off by .005."""
    for field, bound in {"i1": 0.97, "i2": 0.97, "i12": 0.97}.items():
        assert correlation(getattr(drawn, field), getattr(found, field)) >= bound, field
    assert found.means()["i12"] == pytest.approx(drawn.i12.mean(), abs=0.06)


def test_one_at_a_time_in_any_order_makes_no_difference(model, drawn, found):
    for n in (7, 300):
        rows = slice(n, n + 1)
        one = model.score_samples(drawn.x1[rows], drawn.x2[rows], drawn.y[rows])
        assert len(one) == 1
        for field in FIELDS:
            assert getattr(one, field)[0] == pytest.approx(getattr(found, field)[n], abs=1e-4)
        assert one.predictions.label12[0] == found.predictions.label12[n]
        assert one.suspicion.label_error[0] == pytest.approx(found.suspicion.label_error[n], abs=1e-4)


def test_predictions_do_not_look_at_the_label(model, drawn, found):
    wrong = model.score_samples(drawn.x1, drawn.x2, (drawn.y + 1) % 4)
    for name in ("label1", "label2", "label12", "p1", "p2", "p12"):
        assert np.array_equal(getattr(wrong.predictions, name), getattr(found.predictions, name))
    for field in ("h1", "h2", "b1", "b2"):
        assert np.array_equal(getattr(wrong, field), getattr(found, field))
    assert np.array_equal(wrong.suspicion.swapped_pair, found.suspicion.swapped_pair)


def test_labels_are_those_of_the_fit():
    drawn = gaussian_classes(120, n_classes=3)
    names = np.array(["ant", "bee", "cow"])[drawn.y]
    model = LSMIEstimator().fit(drawn.x1, drawn.x2, names)
    assert model.classes_.tolist() == ["ant", "bee", "cow"]
    whole = model.score_samples(drawn.x1, drawn.x2, names)
    cows = names == "cow"
    part = model.score_samples(drawn.x1[cows], drawn.x2[cows], names[cows])
    np.testing.assert_allclose(part.i12, whole.i12[cows], rtol=0, atol=1e-4)
    assert set(whole.predictions.label12) <= {"ant", "bee", "cow"}
    assert (whole.predictions.label12 == names).mean() > 0.6


@pytest.mark.parametrize("surprisal", ["task", "feature"])
def test_swapping_the_modalities_of_both_calls_swaps_the_terms(drawn, surprisal):
    new = gaussian_classes(50, n_classes=4, random_state=9)
    one, two = (
        LSMIEstimator(surprisal=surprisal).fit(*pair(drawn), drawn.y).score_samples(*pair(new), new.y)
        for pair in (lambda d: (d.x1, d.x2), lambda d: (d.x2, d.x1))
    )
    for field, swapped in {"i1": "i2", "i12": "i12", "h1": "h2", "b1": "b2", "r": "r", "u1": "u2", "s": "s"}.items():
        assert getattr(one, field) == pytest.approx(getattr(two, swapped), abs=1e-3), field


@pytest.mark.parametrize("surprisal", ["task", "feature"])
@pytest.mark.parametrize("scale", [1e4, 1e20, 1e60, 1e300])
def test_new_samples_far_from_all_that_was_seen(drawn, surprisal, scale):
    """They are scored, or refused in a sentence that names the modality; no number that is not one comes back."""
    model = LSMIEstimator(surprisal=surprisal).fit(drawn.x1[:100], drawn.x2[:100], drawn.y[:100])
    try:
        found = model.score_samples(scale * drawn.x1, drawn.x2, drawn.y)
    except InvalidInputError as error:
        assert "x1" in str(error)
        assert scale > 1e30
    else:
        assert all(np.isfinite(getattr(found, field)).all() for field in FIELDS)
        assert_identities(found)


@pytest.mark.parametrize("protocol", ["cross-fit", "published"])
def test_a_fitted_estimator_can_be_put_away_and_taken_out_again(protocol):
    drawn = gaussian_classes(80, n_classes=2)
    model = LSMIEstimator(protocol=protocol).fit(drawn.x1, drawn.x2, drawn.y)
    again = pickle.loads(pickle.dumps(model))
    before, after = (m.score_samples(drawn.x1, drawn.x2, drawn.y) for m in (model, again))
    for field in FIELDS:
        assert np.array_equal(getattr(before, field), getattr(after, field)), field


# --- interactions without labels ------------------------------------------------------------------------------------
@pytest.mark.parametrize("redundancy", sorted(REDUNDANCIES))
def test_expected_interactions_are_averages_over_all_labels(model, drawn, redundancy):
    """sum_c p(c|x1, x2) score(x1, x2, c); p is read off i12 = log p(c|x1, x2)/p(c)."""
    model = LSMIEstimator(redundancy=redundancy).fit(drawn.x1, drawn.x2, drawn.y)
    new = gaussian_classes(40, n_classes=4, random_state=7)
    by_label = [model.score_samples(new.x1, new.x2, np.full(40, c)) for c in range(4)]
    odds = [np.exp(one.i12) * (drawn.y == c).mean() for c, one in enumerate(by_label)]
    assert sum(odds) == pytest.approx(np.ones(40))
    expected = model.expected_interactions(new.x1, new.x2)
    assert list(expected) == list(FIELDS)
    for field in FIELDS:
        average = sum(p * getattr(one, field) for p, one in zip(odds, by_label, strict=True))
        assert expected[field] == pytest.approx(average, abs=1e-9), field


def test_expected_interactions_are_right_on_average(model, drawn, found):
    """Labels drawn from the law: means agree with those of the labels themselves, within .027."""
    expected = model.expected_interactions(drawn.x1, drawn.x2)
    for field in ("i1", "i2", "i12", *TERMS):
        assert expected[field].mean() == pytest.approx(getattr(found, field).mean(), abs=0.06), field
    assert expected["i12"].min() >= -1e-9  # a divergence


# --- a joint representation of the caller's own -----------------------------------------------------------------------
def hidden_together(n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """The label is the sign of a product of six columns, three of each modality; x12 holds that product."""
    rng = np.random.default_rng(seed)
    x1, x2 = rng.standard_normal((2, n, 12))
    product = np.prod(np.hstack([x1[:, :3], x2[:, :3]]), axis=1)
    shown = np.column_stack([np.sign(product) + 0.3 * rng.standard_normal(n), rng.standard_normal((n, 4))])
    return x1, x2, (product > 0).astype(int), shown


def test_a_joint_representation_shows_what_the_modalities_hide():
    x1, x2, y, x12 = hidden_together(500)
    without = LSMIEstimator(n_splits=3).fit_score(x1, x2, y)
    given = LSMIEstimator(n_splits=3).fit_score(x1, x2, y, x12)
    assert without.means()["i12"] < 0.05
    assert given.means()["i12"] > 0.6  # of log 2 = .693
    assert given.means()["s"] > 0.55
    for field in ("i1", "i2", "b1", "b2", "h1", "h2"):
        assert np.array_equal(getattr(without, field), getattr(given, field))
    model = LSMIEstimator().fit(x1, x2, y, x12)
    new1, new2, labels, new12 = hidden_together(200, seed=1)
    assert model.score_samples(new1, new2, labels, new12).means()["s"] > 0.55
    assert model.expected_interactions(new1, new2, new12)["s"].mean() > 0.55


def test_a_joint_representation_of_noise_costs_little(drawn, result):
    noise = np.random.default_rng(0).standard_normal((600, 50))
    given = LSMIEstimator().fit_score(drawn.x1, drawn.x2, drawn.y, noise)
    assert correlation(given.i12, result.i12) > 0.98
    assert given.means()["i12"] == pytest.approx(result.means()["i12"], abs=0.02)


# --- the published protocol -------------------------------------------------------------------------------------------
def test_the_published_protocol_is_the_published_model():
    drawn = gaussian_classes(120, n_classes=3)
    names = np.array(["ant", "bee", "cow"])[drawn.y]
    found = LSMIEstimator(protocol="published", random_state=4).fit_score(drawn.x1, drawn.x2, names)
    theirs = PublishedModel(3, 4).fit(drawn.x1, drawn.x2, drawn.y).score(drawn.x1, drawn.x2, drawn.y)
    assert found.redundancy == "lsmi"
    assert found.suspicion is None
    for field in ("i1", "i2", "i12", "h1", "h2", "b1", "b2"):
        assert np.array_equal(getattr(found, field), theirs[field]), field
    for view in ("1", "2", "12"):
        assert getattr(found.predictions, f"label{view}").tolist() == np.unique(names)[theirs[f"top{view}"]].tolist()
    assert_identities(found)
    model = LSMIEstimator(protocol="published", random_state=4).fit(drawn.x1, drawn.x2, names)
    again = model.score_samples(drawn.x1, drawn.x2, names)
    assert again.i12 == pytest.approx(found.i12, abs=1e-5)
    mmi = LSMIEstimator(protocol="published", random_state=4, redundancy="mmi").fit_score(drawn.x1, drawn.x2, names)
    assert np.array_equal(mmi.r, found.with_redundancy("mmi").r)
    repeated = LSMIEstimator(protocol="published", n_repeats=2).fit_score(drawn.x1, drawn.x2, names)
    assert repeated.standard_errors()["r"].shape == (120,)


def test_the_published_protocol_scores_in_sample_and_this_one_does_not():
    """Noise: in sample the networks have learned 200 labels by heart, held out there is nothing to know."""
    rng = np.random.default_rng(0)
    x1, x2 = rng.standard_normal((2, 200, 60))
    y = rng.integers(2, size=200)
    assert LSMIEstimator(protocol="published").fit_score(x1, x2, y).means()["i12"] > 0.5
    assert abs(LSMIEstimator().fit_score(x1, x2, y).means()["i12"]) < 0.03


def test_a_numeric_target_is_cut_for_new_samples_where_it_was_cut_for_the_old_ones():
    drawn = gaussian_classes(400, n_classes=2)
    target = drawn.x1[:, 0] + 0.1 * drawn.x2[:, 0]
    estimator = LSMIEstimator(n_quantiles=12).fit(drawn.x1, drawn.x2, target)
    assert list(estimator.classes_) == [f"q{k + 1:02d}" for k in range(12)], "from low to high"
    whole = estimator.score_samples(drawn.x1, drawn.x2, target)
    few = estimator.score_samples(drawn.x1[:5], drawn.x2[:5], target[:5])
    assert np.allclose(whole.i12[:5], few.i12, atol=1e-5)
    names = estimator.classes_[np.searchsorted(estimator.edges_, target, side="right")]
    assert np.array_equal(whole.i12, estimator.score_samples(drawn.x1, drawn.x2, names).i12), "names serve as well"
    assert whole.i1.mean() > 0.5


def test_labels_are_not_cut():
    drawn = gaussian_classes(100, n_classes=2)
    assert LSMIEstimator().fit(drawn.x1, drawn.x2, drawn.y).edges_ is None
