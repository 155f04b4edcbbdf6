"""Targeted distillation: losses against plain automatic gradients, weights by hand, and nobody looked at too early."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch.nn import functional

from lsmi_core import InvalidInputError, LSMIEstimator
from lsmi_core.applications.distillation import choice as distillation_choice
from lsmi_core.applications.distillation import measuring as distillation_compared
from lsmi_core.applications.distillation import model as distillation
from lsmi_core.applications.distillation.choice import FEATURES, LOGITS, PLAIN, probabilities
from lsmi_core.applications.distillation.lessons import Recipe, Teacher, told_by, weigh
from lsmi_core.applications.distillation.measuring import METHODS, METRICS, Cell, compare_distillation
from lsmi_core.applications.distillation.model import TargetedDistillation
from lsmi_core.applications.distillation.students import Lesson, Taught, gradients, teach
from lsmi_core.applications.material import Pairs, held_out
from lsmi_core.synthetic import gaussian_classes, planted_regimes

E = np.e


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Few recipes, folds and inner splits: what is chosen matters only where a test says so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distillation_choice, "LOGITS", LOGITS[4:6])
        patch.setattr(distillation_choice, "FEATURES", FEATURES[:1])
        patch.setattr(distillation_choice, "STRENGTHS", (0.5, 1.0))
        patch.setattr(distillation_choice, "default_choices", lambda n: 2)
        for module in (distillation, distillation_compared):
            patch.setattr(module, "N_FOLDS", 3)
        yield


# --- losses ---------------------------------------------------------------------------------------------------------
def plain_loss(weights, x, labels, teacher, own, features, taught, t):
    """The mean loss of one student, written as its formula stands in :class:`Lesson`."""
    w1, b1, w2, b2, a, c = weights
    hidden = (x @ w1 + b1).relu()
    scores = hidden @ w2 + b2
    hard, soft, mine, feature = taught
    cold = (scores / t).log_softmax(1)
    loss = hard * functional.cross_entropy(scores, labels, reduction="none")
    loss = loss - t**2 * soft * ((teacher / t).softmax(1) * cold).sum(1)
    loss = loss - t**2 * mine * ((own / t).softmax(1) * cold).sum(1)
    return (loss + feature * ((hidden @ a + c - features) ** 2).mean(1)).mean()


def test_gradients_against_automatic_ones():
    g = torch.Generator().manual_seed(0)

    def drawn(*shape):
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    shapes = ((2, 4, 6), (2, 1, 6), (2, 6, 3), (2, 1, 3), (2, 6, 5), (2, 1, 5))
    weights = [drawn(*s).requires_grad_() for s in shapes]
    x, teacher, own, features = drawn(2, 8, 4), drawn(2, 8, 3), drawn(2, 8, 3), drawn(2, 8, 5)
    labels, taught = torch.randint(3, (2, 8), generator=g), drawn(4, 2, 8).abs()
    temperature = torch.tensor([1.0, 4.0], dtype=torch.float64)
    sum(
        plain_loss(
            [w[k] for w in weights], x[k], labels[k], teacher[k], own[k], features[k], taught[:, k], temperature[k]
        )
        for k in range(2)
    ).backward()
    t = temperature[:, None, None]
    targets = functional.one_hot(labels, 3).double(), (teacher / t).softmax(2), (own / t).softmax(2)
    found = gradients([w.detach() for w in weights], x, targets, features, taught[..., None], t)
    for ours, weight in zip(found, weights, strict=True):
        torch.testing.assert_close(ours, weight.grad)


def lesson(n: int, hard=0.0, soft=0.0, own=0.0, feature=0.0, t=1.0, rows=None) -> Lesson:
    each = (np.full(n, value, np.float32) for value in (hard, soft, own, feature))
    return Lesson(np.arange(n) if rows is None else rows, *each, temperature=t)


def lectures(n: int = 120) -> tuple[torch.Tensor, Taught]:
    drawn = gaussian_classes(n, n_classes=3, random_state=1)
    rng = np.random.default_rng(1)
    beliefs = rng.normal(size=(2, n, 3)).astype(np.float32)
    features = rng.normal(size=(n, 4)).astype(np.float32)
    return torch.as_tensor(drawn.x1).float(), Taught(drawn.y, *beliefs, features)


def test_a_student_learns_the_same_whoever_learns_beside_it():
    x, taught = lectures()
    n = len(x)
    lessons = [
        lesson(n, hard=1), lesson(n, hard=1, feature=0.3), lesson(n, soft=1, t=4.0),
        lesson(n, hard=0.5, own=0.5, t=2.0, rows=np.arange(50)),
    ]  # fmt: skip
    together = teach(x, taught, lessons, 40, [3, 4])
    assert len(together) == 2
    for k, one in enumerate(lessons):
        for seed, students in zip((3, 4), together, strict=True):
            (alone,) = teach(x, taught, [one], 40, [seed])
            torch.testing.assert_close(students.scores(x)[k], alone.scores(x)[0], atol=1e-4, rtol=1e-4)


def test_each_teaching_is_learned():
    """What only labels, only the teacher, or only the own side says is what a student of it says."""
    x, taught = lectures()
    flat = [np.log(np.full((len(x), 3), 0.05) + 0.85 * np.eye(3)[(taught.codes + k) % 3]) for k in (1, 2)]
    taught = Taught(taught.codes, *(f.astype(np.float32) for f in flat), taught.features)
    n = len(x)
    (students,) = teach(x, taught, [lesson(n, hard=1), lesson(n, soft=1), lesson(n, own=1, t=2.0)], 150, [0])
    for k, said in enumerate(students.predict(x)):
        assert (said == (taught.codes + k) % 3).mean() > 0.8


def test_who_has_no_label_teaches_none():
    x, taught = lectures()
    labelled = np.arange(len(x)) < 60
    hidden = Taught(np.where(labelled, taught.codes, -1), taught.teacher, taught.own, taught.features)
    terms = np.zeros((4, len(x)))
    lessons = [told_by(recipe, terms, labelled) for recipe in (PLAIN, Recipe(0.5, 2.0), Recipe(feature=0.3))]
    assert all((one.hard[~labelled] == 0).all() for one in lessons)
    assert lessons[0].rows.tolist() == list(range(60)), "labels alone: the others are not drawn"
    assert np.bincount(lessons[2].rows)[:60].sum() == 60, "features alone: half of the draws have a label"
    for ours, theirs in zip(teach(x, hidden, lessons, 20, [0]), teach(x, taught, lessons, 20, [0]), strict=True):
        torch.testing.assert_close(ours.weights, theirs.weights, rtol=0, atol=0)


# --- weights --------------------------------------------------------------------------------------------------------
#   r, u_own, u_other, s of: both say it; only this side; only the other; only together; this side misleads; nobody.
TERMS = np.array([[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2], [-1, 0, 3, 0], [0, 0, 0, 0.0]]).T
ALL = np.ones(6, dtype=bool)


@pytest.mark.parametrize(
    "recipe, hard, soft, feature",
    [
        (PLAIN, [1] * 6, [0] * 6, [0] * 6),
        (Recipe(0.25, 4.0), [0.75] * 6, [0.25] * 6, [0] * 6),
        (Recipe(feature=0.3), [1] * 6, [0] * 6, [0.3] * 6),
        (Recipe(0.5, trust="odds"), [0.5, 0.5, 0.5, 0.5, 0.5 / E, 0.5], [0.5] * 6, [0] * 6),
        (Recipe(0.5, carry="odds"), [0.5] * 6, [0.5, 0.5, 0.5 / E, 0.5 / E**2, 0.5 / E**3, 0.5], [0] * 6),
        (Recipe(0.5, trust="share", feature=2.0), [0.5, 0.5, 0, 0, 0, 0], [0.5] * 6, [2] * 6),
    ],
)
def test_weights_are_what_the_formula_says(recipe, hard, soft, feature):
    found = weigh(recipe, TERMS, ALL)
    np.testing.assert_allclose(found[[0, 1, 3]], [hard, soft, feature], atol=1e-6)
    np.testing.assert_allclose(found[:3].sum(axis=0), 1, atol=1e-6)
    assert (found >= 0).all()


def test_without_a_label_the_teacher_stands_in_for_it():
    recipe = Recipe(0.5, trust="odds", carry="odds")
    with_label, without = weigh(recipe, TERMS, ALL), weigh(recipe, TERMS, ~ALL)
    assert (without[0] == 0).all()
    np.testing.assert_allclose(without[1], with_label[0] + with_label[1])
    np.testing.assert_array_equal(without[2:], with_label[2:])


def test_random_weights_keep_the_histogram():
    rng = np.random.default_rng(0)
    terms, labelled = rng.normal(size=(4, 200)), np.arange(200) < 120
    recipe = Recipe(0.5, 4.0, "share", "odds", 0.3)
    ours, theirs = told_by(recipe, terms, labelled), told_by(recipe, terms, labelled, np.random.default_rng(1))
    for rows in (labelled, ~labelled):
        kept, moved = (one.weights()[:, rows] for one in (ours, theirs))
        assert (kept != moved).any(axis=0).mean() > 0.9
        np.testing.assert_array_equal(kept[:, np.lexsort(kept)], moved[:, np.lexsort(moved)])
    np.testing.assert_array_equal(ours.rows, theirs.rows)


def test_a_recipe_tells_itself_in_words():
    assert str(PLAIN) == "100% labels"
    assert str(Recipe(0.25, 4.0, "odds", "odds")) == (
        "75% labels, 25% the teacher's beliefs at temperature 4, labels less where this side contradicts them, "
        "beliefs less where the other side knows more"
    )
    assert str(Recipe(trust="share", feature=0.3)).endswith("its features at 0.3, labels less where this side "
                                                            "contradicts them or is silent")  # fmt: skip


# --- the teacher ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def planted():
    return planted_regimes(260, n_features=(5, 7), swapped=0.3, random_state=5)


def teacher_of(drawn, student: int, labelled=slice(None)) -> Teacher:
    codes = np.full(len(drawn.y), -1)
    codes[labelled] = drawn.y[labelled]
    return Teacher(Pairs(drawn.x1, drawn.x2, codes), student, LSMIEstimator(n_splits=3), 0, lambda: None)


@pytest.mark.parametrize("student", [1, 2])
def test_the_student_sees_its_own_side_only(planted, student):
    own = teacher_of(planted, student)
    assert own.x.shape[1] == (5, 7)[student - 1]
    torch.testing.assert_close(own.seen((planted.x1, planted.x2)[student - 1]), own.x)
    scores = LSMIEstimator(n_splits=3).fit_score(planted.x1, planted.x2, planted.y)
    np.testing.assert_allclose(own.terms[0] + own.terms[1], (scores.i1, scores.i2)[student - 1], atol=0.05)
    np.testing.assert_allclose(own.terms.sum(axis=0), scores.i12, atol=0.05)
    misled = planted.regime == "swapped"
    if student == 2:
        assert weigh(Recipe(trust="odds"), own.terms, ALL.repeat(260)[:260])[0][misled].mean() < 0.4


def test_pairs_without_a_label_are_read_and_not_asked_for_it(planted):
    known = np.arange(200)
    own = teacher_of(planted, 1, known)
    shown = Pairs(planted.x1[200:], planted.x2[200:], planted.y[200:])
    read = LSMIEstimator(n_splits=3).fit(planted.x1[:200], planted.x2[:200], planted.y[:200])
    told = read.expected_interactions(shown.x1, shown.x2)
    np.testing.assert_allclose(own.terms[:, 200:], [told[k] for k in ("r", "u1", "u2", "s")], atol=1e-6)
    assert own.labelled.sum() == 200 and np.isfinite(own.taught.teacher).all()


# --- the estimator --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def names(planted) -> np.ndarray:
    return np.array(["ant", "bee", "cow", "dog"])[planted.y]


@pytest.fixture(scope="module")
def fitted(planted, names) -> TargetedDistillation:
    return TargetedDistillation(student=2, random_state=3).fit(planted.x1, planted.x2, names)


def test_a_loaded_student_predicts_the_same_bit_for_bit(planted, names, fitted):
    arrays, config = fitted.state()
    assert all(type(a) is np.ndarray and a.flags.c_contiguous for a in arrays.values())
    loaded = TargetedDistillation.from_state(arrays, json.loads(json.dumps(config)))
    p = fitted.predict_proba(planted.x2)
    np.testing.assert_array_equal(loaded.predict_proba(planted.x2), p)
    np.testing.assert_array_equal(loaded.predict(planted.x2), fitted.predict(planted.x2))
    assert loaded.get_params() == fitted.get_params() and loaded.recipe_ == fitted.recipe_
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (fitted.predict(planted.x2) == names).mean() > 0.5 and fitted.n_features_in_ == 7


def test_the_same_seed_gives_the_same_student(planted, names, fitted):
    again = TargetedDistillation(student=2, random_state=3).fit(planted.x1, planted.x2, names)
    for name, array in again.state()[0].items():
        np.testing.assert_array_equal(array, fitted.state()[0][name])


def test_progress_is_told_and_may_cancel(planted, names):
    told = []

    def listen(done, total):
        told.append((done, total))
        if done == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        TargetedDistillation().fit(planted.x1, planted.x2, names, progress=listen)
    assert told[0] == (0, 3) and told[-1] == (1, 3) and len(told) > 4, "often, and nothing after the end"


def test_pairs_without_labels_are_learned_from(planted):
    few = np.arange(60)
    more = (planted.x1[60:], planted.x2[60:])
    student = TargetedDistillation().fit(planted.x1[few], planted.x2[few], planted.y[few], unlabelled=more)
    assert student.predict_proba(planted.x1).shape == (260, 4)


# --- the comparison -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def pair_of_classes():
    drawn = gaussian_classes(150, n_classes=2, sigma=0.9, random_state=2)
    return drawn, held_out(drawn.y, 3, 0)[:2]


def compared(drawn, asked, **options):
    return compare_distillation(drawn.x1, drawn.x2, drawn.y, asked, n_repeats=2, shares=(1.0,), **options)


@pytest.fixture(scope="module")
def measured(pair_of_classes):
    cells = {}
    return compared(*pair_of_classes, keep=cells.__setitem__), cells


def test_labels_of_those_asked_are_not_read_before(pair_of_classes, measured):
    """With two categories, whoever guessed right guesses wrong once the labels asked for are the other ones."""
    drawn, masks = pair_of_classes
    turned = np.where(masks[0], 1 - drawn.y, drawn.y)
    other = compare_distillation(drawn.x1, drawn.x2, turned, masks[0], n_repeats=1, shares=(1.0,))
    for method in METHODS:
        ours, theirs = (r.of(method, "every label", "accuracy")[0] for r in (measured[0], other))
        assert ours + theirs == pytest.approx(1), method


def test_a_comparison_is_whole_and_goes_on_where_it_stopped(pair_of_classes, measured):
    result, cells = measured
    assert (result.methods, result.metrics, result.conditions) == (METHODS, METRICS, ("every label",))
    assert set(cells) == {Cell("every label", 0), Cell("every label", 1)}
    again, told = {}, []
    first = Cell("every label", 0)
    resumed = compared(*pair_of_classes, known={first: cells[first]}, keep=again.__setitem__,
                       progress=lambda *done: told.append(done))  # fmt: skip
    assert set(again) == {Cell("every label", 1)}
    np.testing.assert_array_equal(resumed.values, result.values)
    assert told[0][0] < told[-1][0] == told[-1][1] == 6


def test_probabilities_are_calibrated_and_counted(measured):
    scores = torch.tensor([[2.0, 0.0], [0.0, 4.0]])
    np.testing.assert_allclose(probabilities(scores, 2.0)[:, 0], [E / (E + 1), 1 / (E**2 + 1)])
    result, _ = measured
    assert (result.values[:, 0, 2] < 0.85).all(), "none is far worse than knowing nothing, log 2"


def test_conditions_hide_labels(pair_of_classes):
    drawn, masks = pair_of_classes
    result = compare_distillation(drawn.x1, drawn.x2, drawn.y, masks[0], n_repeats=1, shares=(0.4,))
    assert result.conditions == ("40% of the labels",) and result.values.shape == (6, 1, 3, 1)


def test_weighing_must_be_clearly_better_to_be_chosen():
    base = np.random.default_rng(0).normal(size=400)
    noise = np.tile([-1.0, 1.0], 200)  # a standard error of 1 / 20
    assert distillation_choice._clearly_less(base - 0.051 + noise, base)
    assert not distillation_choice._clearly_less(base - 0.049 + noise, base)


def test_doubt_takes_the_blame_for_wrong_labels():
    """Two students of 4 categories: one is sure, and right but for a fifth of labels that are wrong; one hedges."""
    wrong = np.arange(100) < 20
    sure, hedged = np.where(wrong, 1e-4, 0.95), np.where(wrong, 0.12, 0.6)
    found = [distillation_choice._settled(PLAIN, p[None], 1 / 4) for p in (sure, hedged)]
    assert found[0].losses.mean() < found[1].losses.mean() < -np.log(sure).mean()
    clean = distillation_choice._settled(PLAIN, sure[None, ~wrong], 1 / 4)
    np.testing.assert_allclose(clean.losses, -np.log(0.95), rtol=1e-9)


# --- refusals -------------------------------------------------------------------------------------------------------
X, Y = np.arange(80.0).reshape(40, 2), np.tile([0, 1], 20)
ASKED = np.arange(40) < 10


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: TargetedDistillation(student=3).fit(X, X, Y),
         "The 'student' must be 1 or 2, the modality that is kept. Got 3 instead."),
        (lambda: TargetedDistillation().fit(X, X[:9], Y), "All inputs need the same number of rows: x1 has 40, x2 "),
        (lambda: TargetedDistillation().fit(X, X, Y, unlabelled=(X, X[:, :1])),
         "unlabelled x2 has 1 features but x2 has 2."),
        (lambda: TargetedDistillation().fit(X[:8], X[:8], Y[:8]),
         "Distillation needs at least 20 labelled samples to learn from. Got 8; add some, or ask fewer."),
        (lambda: TargetedDistillation.from_state({}, {}), "This is not the state of a student: mean, scale, axes, "),
        (lambda: compare_distillation(X, X, Y, ASKED[:5]), "asked must be true or false for each of the 40 samples, "),
        (lambda: compare_distillation(X, X, Y, Y == 1), "asked must hold samples and leave at least 2 of "),
        (lambda: compare_distillation(X, X, Y, ASKED, student=True), "The 'student' must be 1 or 2, "),
        (lambda: compare_distillation(X, X, Y, ASKED, n_repeats=0),
         "The 'n_repeats' parameter of compare_distillation must be an int in the range [1, inf). Got 0 instead."),
        (lambda: compare_distillation(X, X, Y, ASKED, shares=(2.0,)),
         "The 'shares' must be different shares of the labels, up to 1. Got (2.0,) instead."),
        (lambda: compare_distillation(X, X, Y, ASKED, shares=(0.1,)),
         "Distillation needs at least 20 labelled samples to learn from. Got 8; add some, or ask fewer."),
    ],
)  # fmt: skip
def test_refusals_in_one_sentence(call, sentence):
    with pytest.raises(InvalidInputError) as caught:
        call()
    assert str(caught.value).startswith(sentence)


def test_a_student_that_has_not_learned_says_so(fitted):
    for call in (TargetedDistillation().state, lambda: TargetedDistillation().predict_proba(X)):
        with pytest.raises(NotFittedError):
            call()
    with pytest.raises(InvalidInputError, match=r"^x has 2 features but the student knows 7\.$"):
        fitted.predict_proba(X)
