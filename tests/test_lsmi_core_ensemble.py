"""The ensemble where the right weights are planted, against slow twins, and through a file and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load, save
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from lsmi_core import InvalidInputError
from lsmi_core.applications.comparison import Comparison
from lsmi_core.applications.ensemble import measuring as comparing
from lsmi_core.applications.ensemble.canonical import between, fit_canonical
from lsmi_core.applications.ensemble.evidence import Evidence, Said, strangers
from lsmi_core.applications.ensemble.gate import Gate, interactions
from lsmi_core.applications.ensemble.measuring import CONDITIONS, METHODS, METRICS, compare_ensembles
from lsmi_core.applications.ensemble.model import InteractionEnsemble, pair_evidence
from lsmi_core.applications.ensemble.view_models import cross_fit
from lsmi_core.applications.material import Pairs
from lsmi_core.synthetic import gaussian_classes, planted_regimes

N = 700


@pytest.fixture(scope="module")
def planted():
    """Samples whose label either side tells, or both, or only the two together; as many to ask as to learn from."""
    return planted_regimes(2 * N, n_classes=3, n_features=8, random_state=11)


@pytest.fixture(scope="module")
def fitted(planted) -> InteractionEnsemble:
    names = np.array(["ash", "birch", "cedar"])
    return InteractionEnsemble().fit(planted.x1[:N], planted.x2[:N], names[planted.y[:N]])


def log_loss(p: np.ndarray, codes: np.ndarray) -> float:
    return -np.log(p[np.arange(len(codes)), codes]).mean()


# --- weights --------------------------------------------------------------------------------------------------------
def test_weight_goes_to_the_side_that_tells(planted, fitted):
    weights = fitted.weights(planted.x1[N:], planted.x2[N:])
    regime = planted.regime[N:]
    mean = {name: weights[regime == name].mean(axis=0) for name in np.unique(regime)}
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert weights.min() >= 0
    assert mean["unique1"][0] > 1.5 * mean["unique1"][1]
    assert mean["unique2"][1] > 1.5 * mean["unique2"][0]
    assert mean["synergistic"][2] > 0.6, "what only both tell is left to the member that sees both"


def test_swapped_pairs_are_noticed_and_answered_with_care(planted, fitted):
    x1, x2, y = planted.x1[N:], planted.x2[N:], planted.y[N:]
    told = planted.regime[N:] == "redundant"
    other = strangers(y[told], np.random.default_rng(0))
    x1, x2, y = x1[told], x2[told], y[told]
    intact, swapped = fitted.swapped_probability(x1, x2), fitted.swapped_probability(x1, x2[other])
    assert roc_auc_score(np.repeat([0, 1], len(y)), np.r_[intact, swapped]) > 0.9
    joint = np.exp(fitted.members_.read(x1, x2[other]).log_p[2])
    assert log_loss(fitted.predict_proba(x1, x2[other]), y) < log_loss(joint, y) - 0.1


def test_a_missing_side_leaves_the_other_all_the_weight(planted, fitted):
    x1, x2, y = planted.x1[N:], planted.x2[N:], planted.y[N:]
    for sides, place in (((x1, None), 0), ((None, x2), 1)):
        assert (fitted.weights(*sides) == np.eye(3)[place]).all()
        assert (fitted.swapped_probability(*sides) == 0).all()
        p = fitted.predict_proba(*sides)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        alone = np.exp(fitted.members_.read(*sides).log_p[place])
        assert log_loss(p, y) < log_loss(alone, y) + 0.02
        assert (fitted.predict(*sides) == fitted.classes_[p.argmax(axis=1)]).all()


def test_pairs_are_worth_more_than_the_best_member(planted, fitted):
    p = fitted.predict_proba(planted.x1[N:], planted.x2[N:])
    said = fitted.members_.read(planted.x1[N:], planted.x2[N:])
    assert log_loss(p, planted.y[N:]) < min(log_loss(np.exp(one), planted.y[N:]) for one in said.log_p)


def test_an_answer_is_the_sum_that_it_is_said_to_be():
    """Against the formula in the docstring, sample by sample."""
    rng = np.random.default_rng(1)
    log_prior = np.log([0.2, 0.3, 0.5])
    logits = rng.normal(size=(3, 6, 3))
    log_p = tuple(one - np.logaddexp.reduce(one, axis=1, keepdims=True) for one in logits)
    said = Said(log_p, rng.normal(size=6))
    phi = interactions(said, log_prior)
    own = {"log_prior": log_prior, "shift": phi.mean(axis=0), "scale": phi.std(axis=0), "exponents": rng.random(3)}
    own |= {"slopes": rng.normal(size=(3, 9)) / 9, "correction": rng.normal(size=(10, 3)) / 9}
    own |= {"gate": rng.normal(size=(3, 10))}
    answer, shares, apart = Gate(own).apply(said)
    for i in range(6):
        z = (phi[i] - own["shift"]) / own["scale"]
        a = own["exponents"] + own["slopes"] @ z
        rho = np.concatenate([p[i] - log_prior for p in log_p])
        pooled = np.exp(log_prior + a @ rho.reshape(3, 3) + rho @ own["correction"][:9] + own["correction"][9])
        g = np.exp(own["gate"][:, :9] @ z + own["gate"][:, 9])
        g /= g.sum()
        mixed = g[0] * pooled / pooled.sum() + g[1] * np.exp(log_p[0][i]) + g[2] * np.exp(log_p[1][i])
        np.testing.assert_allclose(np.exp(answer[i]), mixed)
        kept = np.maximum(a, 1e-6)
        np.testing.assert_allclose(shares[i], g[0] * kept / kept.sum() + [g[1], g[2], 0])
        assert apart[i] == pytest.approx(1 - g[0])


def test_expected_terms_keep_their_identities():
    rng = np.random.default_rng(2)
    log_p = tuple(np.log(rng.dirichlet(np.ones(4), size=5)) for _ in range(3))
    log_prior = np.log(np.full(4, 0.25))
    _, match, b1, b2, i12, r, u1, u2, s = interactions(Said(log_p, np.zeros(5)), log_prior).T
    p = [np.exp(one) for one in log_p]
    np.testing.assert_allclose(match, np.log((p[0] * p[1] / 0.25).sum(axis=1)))
    np.testing.assert_allclose(b1, (p[0] * np.log(p[0] / 0.25)).sum(axis=1))
    np.testing.assert_allclose(b2, (p[1] * np.log(p[1] / 0.25)).sum(axis=1))
    np.testing.assert_allclose(r + u1 + u2 + s, i12)
    np.testing.assert_allclose(i12, (p[2] * np.log(p[2] / 0.25)).sum(axis=1))


def test_many_classes_do_without_corrections():
    rng = np.random.default_rng(3)
    log_p = np.log(rng.dirichlet(np.ones(50), size=120))
    alone = Evidence(Said((log_p, None, None)), log_p.argmax(axis=1), np.arange(120), np.ones(120))
    gate = Gate.fit(alone, np.full(50, -np.log(50)), sloping=True)
    assert "correction" not in gate.parameters
    assert gate.parameters["exponents"][0] > 1.5, "members that are right and timid are made bolder"


# --- members --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def crossed():
    drawn = gaussian_classes(200, n_classes=3, random_state=5)
    return cross_fit(Pairs(drawn.x1, drawn.x2, drawn.y), 3, 0, lambda share: None)


def test_pairs_as_they_came_are_read_as_they_were_held_out(crossed):
    for part, rows in enumerate(rows.numpy() for rows in crossed.folds.outside):
        joint, fit = crossed.of_pairs(part, rows, rows)
        np.testing.assert_allclose(joint, crossed.held_out.log_p[2][rows], atol=1e-4)
        np.testing.assert_allclose(fit, crossed.held_out.between[rows])


@pytest.mark.parametrize("side", [0, 1])
def test_swapped_pairs_keep_one_side_and_get_the_other_of_another_class(crossed, side):
    said, rows = crossed.swapped(side, 0)
    assert sorted(rows) == list(range(200))
    kept, strange = said.log_p[1 - side], said.log_p[side]
    np.testing.assert_array_equal(kept, crossed.held_out.log_p[1 - side][rows])
    own = {p.tobytes(): k for k, p in enumerate(crossed.held_out.log_p[side])}
    other = np.array([own[p.tobytes()] for p in strange])
    assert (crossed.codes[other] != crossed.codes[rows]).all()
    assert (crossed.folds.of[other] == crossed.folds.of[rows]).all()
    assert said.between.mean() < crossed.held_out.between.mean()


def test_swapped_pairs_count_their_share(crossed):
    evidence = pair_evidence(crossed, 0.2, 0)
    assert evidence.weights.sum() == pytest.approx(200)
    assert evidence.weights[200:].sum() == pytest.approx(0.2 * 200)
    assert (crossed.codes[evidence.samples] == evidence.codes).all()


def test_strangers_are_of_another_class_and_each_as_likely():
    codes = np.array([1, 0, 2, 2, 0, 2])
    drawn = np.stack([strangers(codes, np.random.default_rng(seed)) for seed in range(3_000)])
    counts = np.stack([np.bincount(column, minlength=6) for column in drawn.T])
    assert (counts[codes[:, None] == codes] == 0).all()
    expected = 3_000 / (codes[:, None] != codes).sum(axis=1)
    assert (np.abs(counts - expected[:, None])[codes[:, None] != codes] < 5 * np.sqrt(expected.max())).all()
    assert strangers(np.zeros(3, dtype=int), np.random.default_rng(0)).tolist() == [-1, -1, -1]


def test_fit_of_sides_is_that_of_correlated_gaussians():
    """One shared direction with correlation .8: log p(a, b) / p(a) p(b) in closed form; noise beside it adds none."""
    rng = np.random.default_rng(6)
    shared = rng.normal(size=20_000)
    first, second = (np.sqrt(0.8) * shared + np.sqrt(0.2) * rng.normal(size=20_000) for _ in range(2))
    z1 = np.stack([rng.normal(size=20_000), 3 * first + 1], axis=1)
    z2 = np.stack([second / 2 - 4, rng.normal(size=20_000), rng.normal(size=20_000)], axis=1)
    found = between(fit_canonical(z1, z2), z1, z2)
    exact = -np.log(0.36) / 2 - (0.64 * (first**2 + second**2) - 1.6 * first * second) / 0.72
    near = np.maximum(np.abs(first), np.abs(second)) < 2.5
    np.testing.assert_allclose(found[near], exact[near], atol=0.15)
    few = rng.normal(size=(40, 12))
    assert fit_canonical(few, rng.normal(size=(40, 12)))["rho"].mean() < 0.35, "chance is taken off"


# --- through a file -------------------------------------------------------------------------------------------------
def test_a_loaded_ensemble_predicts_bit_for_bit_the_same(planted, fitted):
    arrays, config = fitted.state()
    loaded = InteractionEnsemble.from_state(load(save(arrays)), json.loads(json.dumps(config)))
    x1, x2 = planted.x1[N:], planted.x2[N:]
    for sides in ((x1, x2), (x1, None), (None, x2)):
        np.testing.assert_array_equal(loaded.predict_proba(*sides), fitted.predict_proba(*sides))
        np.testing.assert_array_equal(loaded.weights(*sides), fitted.weights(*sides))
        np.testing.assert_array_equal(loaded.predict(*sides), fitted.predict(*sides))
    assert loaded.predict(x1, x2)[0] in ("ash", "birch", "cedar") and loaded.get_params() == fitted.get_params()


@pytest.mark.parametrize("change", [{"model": "Other"}, {"format": 99}])
def test_another_file_is_refused(fitted, change):
    arrays, config = fitted.state()
    with pytest.raises(InvalidInputError, match="This is no InteractionEnsemble of format 2; export the model again."):
        InteractionEnsemble.from_state(arrays, config | change)


def test_a_file_that_lacks_something_is_refused(fitted):
    arrays, config = fitted.state()
    arrays.pop("gate.both.gate")
    with pytest.raises(InvalidInputError, match="The saved model lacks .*gate.both.gate.*; export it again."):
        InteractionEnsemble.from_state(arrays, config)


# --- seeds, progress, refusals --------------------------------------------------------------------------------------
SMALL = gaussian_classes(90, n_classes=2, random_state=7)


def test_one_seed_one_result_whether_watched_or_not():
    told = []

    first, second = (
        InteractionEnsemble(random_state=3).fit(SMALL.x1, SMALL.x2, SMALL.y, progress).predict_proba(SMALL.x1, SMALL.x2)
        for progress in (None, lambda *done: told.append(done))
    )
    np.testing.assert_array_equal(first, second)
    assert told == sorted(told) and told[-1] == (90, 90) and len(set(told)) > 5


def test_what_progress_raises_cancels():
    def stop(done: int, total: int) -> None:
        if done > 45:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        InteractionEnsemble().fit(SMALL.x1, SMALL.x2, SMALL.y, progress=stop)


@pytest.mark.parametrize(
    "parameters, change, sentence",
    [
        ({"swapped": 0.7}, {}, "The 'swapped' parameter must be a share between 0 and 0.5. Got 0.7 instead."),
        (
            {"random_state": -1},
            {},
            "The 'random_state' parameter of InteractionEnsemble must be an int in the range [0, 4294967296). "
            "Got -1 instead.",
        ),
        ({}, {"x1": SMALL.x1[:5]}, "All inputs need the same number of rows: x1 has 5, x2 has 90, y has 90."),
        ({}, {"x2": None}, "x2 must have shape (n_samples, n_features). Got shape (); "
                           "reshape a single feature with x.reshape(-1, 1)."),
        ({}, {"y": np.zeros(90)}, "y must hold at least 2 different labels. Got 1."),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_from_is_refused(parameters, change, sentence):
    given = {"x1": SMALL.x1, "x2": SMALL.x2, "y": SMALL.y} | change
    with pytest.raises(InvalidInputError) as caught:
        InteractionEnsemble(**parameters).fit(**given)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "sides, sentence",
    [
        ((None, None), "Both sides are missing; give x1 or x2."),
        ((np.zeros((4, 7)), None), "x1 has 7 features but fit saw 8."),
        ((None, np.zeros((4, 9))), "x2 has 9 features but fit saw 8."),
        ((np.zeros((4, 8)), np.zeros((5, 8))), "All inputs need the same number of rows: x1 has 4, x2 has 5."),
        ((np.full((4, 8), np.nan), None), "x1 has values that are not finite in 4 of 4 rows (first: row 0); "
                                          "drop or fill those rows."),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(fitted, sides, sentence):
    with pytest.raises(InvalidInputError) as caught:
        fitted.predict_proba(*sides)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("n, second", [(4, np.zeros((4, 1))), (30, np.ones((30, 2)))])
def test_few_samples_and_a_side_that_never_changes(n, second):
    first = np.random.default_rng(8).normal(size=(n, 3))
    fitted = InteractionEnsemble().fit(first, second, np.arange(n) % 2)
    for sides in ((first, second), (first, None), (None, second)):
        np.testing.assert_allclose(fitted.predict_proba(*sides).sum(axis=1), 1)


def test_nothing_is_told_before_fit():
    for call in (lambda e: e.predict(SMALL.x1, SMALL.x2), lambda e: e.state()):
        with pytest.raises(NotFittedError):
            call(InteractionEnsemble())


def test_labels_that_no_file_can_hold_are_refused(fitted):
    dated = InteractionEnsemble.from_state(*fitted.state())
    dated.classes_ = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], dtype="datetime64[D]")
    with pytest.raises(InvalidInputError, match="Only text, numbers and true or false can be saved as labels"):
        dated.state()


# --- the comparison -------------------------------------------------------------------------------------------------
ASKED = np.arange(90) >= 60


def watched_comparison(y: np.ndarray, **rest: object) -> tuple[Comparison, list[np.ndarray]]:
    """Return a comparison and every answer that it measured, in order."""
    answers, figures = [], comparing._figures

    def watched(log_p: np.ndarray, codes: np.ndarray) -> list[float]:
        answers.append(log_p)
        return figures(log_p, codes)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(comparing, "_figures", watched)
        return compare_ensembles(SMALL.x1, SMALL.x2, y, ASKED, **rest), answers


@pytest.fixture(scope="module")
def compared():
    kept, told = {}, []
    found, answers = watched_comparison(
        SMALL.y, n_repeats=2, keep=kept.__setitem__, progress=lambda *done: told.append(done)
    )
    return found, kept, told, answers


def test_every_method_is_measured_under_every_condition(compared):
    found, kept, told, _ = compared
    assert (found.methods, found.conditions, found.metrics) == (METHODS, CONDITIONS, METRICS)
    assert found.values.shape == (6, 4, 3, 2) and np.isfinite(found.values).all()
    assert (found.of("uniform", "intact", "accuracy") > found.of("uniform", "swapped", "accuracy")).all()
    assert told == sorted(told) and told[-1] == (200, 200) and sorted(kept) == [0, 1]
    assert not np.array_equal(kept[0], kept[1]), "another repeat has other seeds"


def test_told_what_is_missing_fixed_weights_come_down_to_what_is_left(compared):
    found, *_ = compared
    for condition in ("first missing", "second missing"):
        same = [found.values[METHODS.index(m), CONDITIONS.index(condition)] for m in ("uniform", "best single")]
        np.testing.assert_allclose(*same)


def test_finished_repeats_are_not_done_again(compared):
    found, kept, *_ = compared
    again = {}
    resumed = compare_ensembles(
        SMALL.x1, SMALL.x2, SMALL.y, ASKED, n_repeats=2, known={0: kept[0]}, keep=again.__setitem__
    )
    assert list(again) == [1]
    np.testing.assert_array_equal(resumed.values, found.values)


def test_a_cancelled_comparison_stops():
    def stop(done: int, total: int) -> None:
        if done > 30:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        compare_ensembles(SMALL.x1, SMALL.x2, SMALL.y, ASKED, n_repeats=1, progress=stop)


def test_labels_of_those_who_are_asked_are_not_read(compared):
    """Answers about samples as they came, and with a side missing, are the same whatever labels they have."""
    _, _, _, answers = compared
    _, poisoned = watched_comparison(np.where(ASKED, 1 - SMALL.y, SMALL.y), n_repeats=1)
    assert len(poisoned) == len(METHODS) * len(CONDITIONS) == len(answers) / 2
    for k, (one, other) in enumerate(zip(answers, poisoned, strict=False)):
        if CONDITIONS[k % len(CONDITIONS)] != "swapped":  # who swaps with whom is drawn by label
            np.testing.assert_array_equal(one, other)


def test_calibration_error_by_hand():
    p = np.array([[0.9, 0.1], [0.92, 0.08], [0.3, 0.7], [0.55, 0.45]])
    # Fifteenths: .9 and .92 share the fourteenth (from .867), .7 is in the eleventh, .55 in the ninth.
    by_hand = (abs(0.9 + 0.92 - 1) + abs(0.7 - 1) + abs(0.55 - 0)) / 4
    assert comparing.expected_calibration_error(p, np.array([0, 1, 1, 1])) == pytest.approx(by_hand)


def test_masks_are_refused_by_their_name():
    with pytest.raises(InvalidInputError, match="asked must hold samples and leave at least 2 of every category"):
        compare_ensembles(SMALL.x1, SMALL.x2, SMALL.y, SMALL.y == 1, n_repeats=1)
    with pytest.raises(InvalidInputError, match="asked must be true or false for each of the 90 samples"):
        compare_ensembles(SMALL.x1, SMALL.x2, SMALL.y, np.arange(5))
