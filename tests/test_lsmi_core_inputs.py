"""Contract: labels and features of any kind, extremes, numeric targets, and what is warned of.

Bounds on estimates were set below the worst of three data sets (seeds 0, 1, 2).
"""

from __future__ import annotations

import numpy as np
import pytest
from toy_data import assert_identities

from lsmi_core import FIELDS, LSMIEstimator, PointwiseInteractions
from lsmi_core.synthetic import ExactSamples, gaussian_classes


def scored(x1, x2, y, **parameters) -> PointwiseInteractions:
    return LSMIEstimator(**{"n_splits": 2, **parameters}).fit_score(x1, x2, y)


def assert_sound(result: PointwiseInteractions) -> None:
    assert all(np.isfinite(getattr(result, field)).all() for field in FIELDS)
    assert_identities(result)


@pytest.fixture(scope="module")
def few() -> ExactSamples:
    return gaussian_classes(80, n_classes=2)


@pytest.fixture(scope="module")
def base(few) -> PointwiseInteractions:
    return scored(few.x1, few.x2, few.y)


def assert_identical(a: PointwiseInteractions, b: PointwiseInteractions) -> None:
    for field in FIELDS:
        assert np.array_equal(getattr(a, field), getattr(b, field)), field


# --- kinds ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "names",
    [
        np.array(["no", "yes"]),
        np.array(["no", "yes"], dtype=object),
        np.array([False, True]),
        np.array([-7, 12]),
        np.array([0.5, 1.5]),
        np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]"),
    ],
    ids=["text", "object", "bool", "int", "float", "date"],
)
def test_labels_of_any_kind(few, base, names):
    named = scored(few.x1, few.x2, names[few.y])
    assert_identical(base, named)
    assert named.predictions.label1.dtype == names.dtype
    assert np.array_equal(named.predictions.label1, names[base.predictions.label1])


def test_lists_and_object_arrays(few, base):
    assert_identical(base, scored(few.x1.tolist(), few.x2.tolist(), few.y.tolist()))
    assert_identical(base, scored(few.x1.astype(object), few.x2, few.y.astype(object)))


def test_single_and_half_precision_and_whole_numbers(few, base):
    """Nats, on average over the samples; heads of so few samples differ on some."""
    single = scored(few.x1.astype(np.float32), few.x2.astype(np.float32), few.y)
    assert single.i1.dtype == np.float64
    assert np.abs(single.i12 - base.i12).mean() < 0.01
    half = scored(few.x1.astype(np.float16), few.x2.astype(np.float16), few.y)
    assert np.median(np.abs(half.i12 - base.i12)) < 0.05
    whole = np.round(few.x1 * 100).astype(np.int64)
    assert np.abs(scored(whole, few.x2, few.y).i1 - base.i1).mean() < 0.05


def test_arrays_laid_out_otherwise(few, base):
    """Columns first, every other row of a larger array, big-endian."""
    double = np.repeat(few.x1, 2, axis=0)
    for x1 in (np.asfortranarray(few.x1), double[::2], few.x1.astype(">f8")):
        assert np.abs(scored(x1, few.x2, few.y).i12 - base.i12).max() < 1e-3


# --- extremes -------------------------------------------------------------------------------------------------------
both_surprisals = pytest.mark.parametrize("surprisal", ["task", "feature"])


@both_surprisals
@pytest.mark.parametrize("n", [80, 600])
@pytest.mark.filterwarnings("error")
def test_a_modality_of_constants_says_nothing(surprisal, n):
    drawn = gaussian_classes(n, n_classes=2)
    found = scored(np.ones((n, 3)), drawn.x2, drawn.y, surprisal=surprisal)
    assert np.abs(found.i1).max() < 0.05
    assert np.abs(found.b1).max() < 0.05
    assert found.means()["i12"] == pytest.approx(found.means()["i2"], abs=0.05)
    assert_sound(found)


@both_surprisals
def test_two_modalities_of_constants_say_nothing(few, surprisal):
    found = scored(np.ones((80, 3)), np.zeros((80, 1)), few.y, surprisal=surprisal)
    assert_sound(found)
    assert np.abs(found.i12).max() < 0.05


@both_surprisals
@pytest.mark.parametrize("n", [80, 500])
@pytest.mark.parametrize("kind", ["coins", "one of three", "a level and a flag"])
def test_features_that_are_categories(surprisal, n, kind):
    """Such columns repeat a few rows over and over. The label shows in the first column nine times in ten."""
    rng = np.random.default_rng(n)
    y = rng.integers(2, size=n)
    shown = np.where(rng.random(n) < 0.9, y, 1 - y)
    x1 = {
        "coins": np.column_stack([shown, rng.integers(2, size=n)]),
        "one of three": np.eye(3)[np.where(shown, rng.integers(1, 3, size=n), 0)],
        "a level and a flag": np.column_stack([shown * 5 + rng.integers(4, size=n), rng.integers(2, size=n)]),
    }[kind]
    found = scored(x1, rng.standard_normal((n, 3)), y, surprisal=surprisal)
    assert_sound(found)
    # log 2 less the entropy of one in ten is .368 nats.
    assert found.means()["i1"] == pytest.approx(0.368, abs=0.15)


@both_surprisals
def test_rows_that_occur_many_times(surprisal):
    drawn = gaussian_classes(40, n_classes=2)
    x1, x2, y = (np.repeat(a, 10, axis=0) for a in (drawn.x1, drawn.x2, drawn.y))
    assert_sound(scored(x1, x2, y, surprisal=surprisal))


@both_surprisals
def test_more_columns_than_samples(surprisal):
    drawn = gaussian_classes(60, n_classes=2, sigma=0.2)
    noise = 0.1 * np.random.default_rng(0).standard_normal((60, 200))
    wide = np.column_stack([np.repeat(drawn.x1, 40, axis=1), noise])
    found = scored(wide, drawn.x2, drawn.y, surprisal=surprisal)
    assert_sound(found)
    assert found.means()["i1"] > 0.2


@both_surprisals
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-100, 1e-12, 1e12, 1e200, 1e306])
def test_numbers_of_any_size(few, base, surprisal, scale):
    found = scored(few.x1 * scale, few.x2, few.y, surprisal=surprisal)
    assert_sound(found)
    assert np.abs(found.i1 - base.i1).mean() < 0.05


@pytest.mark.filterwarnings("error")
def test_columns_of_unlike_size(few, base):
    found = scored(few.x1 * [1e200, 1e-200], few.x2, few.y)
    assert_sound(found)
    assert found.means()["i1"] == pytest.approx(base.means()["i1"], abs=0.1)


def test_an_offset_far_above_the_spread_keeps_the_column(few, base):
    assert np.abs(scored(few.x1 + 1e8, few.x2, few.y).i1 - base.i1).mean() < 0.05


@both_surprisals
def test_as_few_samples_as_can_be(surprisal):
    drawn = gaussian_classes(4, n_classes=2)
    assert_sound(scored(drawn.x1, drawn.x2, [0, 1, 0, 1], surprisal=surprisal))


def test_as_many_folds_as_can_be(few):
    assert_sound(scored(few.x1, few.x2, few.y, n_splits=40))


def test_a_category_of_two_and_five_folds():
    drawn = gaussian_classes(100, n_classes=2)
    y = drawn.y.copy()
    y[[10, 60]] = 2
    found = scored(drawn.x1, drawn.x2, y, n_splits=5)
    assert_sound(found)
    assert found.i12[[10, 60]] == pytest.approx([0, 0], abs=8)


def test_nothing_but_categories_of_two(few):
    found = scored(few.x1, few.x2, np.arange(80) // 2)
    assert_sound(found)
    assert abs(found.means()["i12"]) < 0.1


# --- numeric targets ------------------------------------------------------------------------------------------------
def cut(names: str, edges: str) -> str:
    return (
        f"The numeric target was cut into {names} classes of about equal size, at {edges}: "
        "scores are about the class, not the number."
    )


def test_a_numeric_target_is_cut_into_classes_of_equal_size():
    rng = np.random.default_rng(0)
    target = rng.permutation(np.arange(200) + 0.5)
    x1 = target[:, None] + rng.standard_normal((200, 3))
    found = scored(x1, rng.standard_normal((200, 2)), target)
    # Quantiles of .5 to 199.5: a fifth of the way from one to the other, and so on.
    assert found.warnings[0] == cut("5", "40.3, 80.1, 119.9, 159.7")
    named = np.array(["q1", "q2", "q3", "q4", "q5"])[np.searchsorted([40.3, 80.1, 119.9, 159.7], target)]
    assert np.unique(named, return_counts=True)[1].tolist() == [40] * 5
    assert set(found.predictions.label1) == set(named)
    assert (found.predictions.label1 == named).mean() > 0.9
    three = scored(x1, x1, target, n_quantiles=3)
    assert three.warnings[0] == cut("3", "66.83, 133.2")


def test_named_classes_give_the_same_scores(few):
    rng = np.random.default_rng(1)
    target = few.x1[:, 0] + 0.1 * rng.standard_normal(80)
    edges = np.quantile(target, [0.5])
    cut_by_hand = np.array(["q1", "q2"])[np.searchsorted(edges, target, side="right")]
    assert_identical(scored(few.x1, few.x2, target, n_quantiles=2), scored(few.x1, few.x2, cut_by_hand))


def test_few_distinct_numbers_and_whole_numbers_are_categories(few):
    for y in (few.y + 0.5, np.arange(80) % 10 / 2, np.repeat(np.arange(16.0), 5), np.repeat(np.arange(16), 5)):
        assert not any("numeric target" in told for told in scored(few.x1, few.x2, y).warnings)


@pytest.mark.parametrize("side", [1, -1], ids=["lowest", "highest"])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_a_number_that_occurs_very_often_is_a_class_of_its_own(share, side):
    """Many targets are zero most of the time: fewer classes come out, each holds somebody, and as many are told."""
    drawn, rng = gaussian_classes(400, n_classes=2), np.random.default_rng(0)
    often = np.arange(400) < share * 400
    target = side * np.where(often, 0.0, 1 + rng.random(400))
    found = scored(drawn.x1, drawn.x2, target)
    classes = LSMIEstimator().fit(drawn.x1, drawn.x2, target).classes_
    (told,) = (warning for warning in found.warnings if "numeric target" in warning)
    assert 2 <= len(classes) < 5
    assert told.startswith(f"The numeric target was cut into {len(classes)} classes")
    edges = [float(edge) for edge in told.split(" at ")[1].split(":")[0].split(", ")]
    assert len(edges) == len(classes) - 1


# --- warnings -------------------------------------------------------------------------------------------------------
NOISE = (
    "Both modalities together predict the category no better than its frequency: "
    "the scores are close to noise, or more samples are needed to see anything."
)


def test_no_warning_without_reason():
    drawn = gaussian_classes(600, n_classes=4)
    assert scored(drawn.x1, drawn.x2, drawn.y).warnings == ()


def test_warning_of_few_samples():
    for n, told in ((39, True), (40, False)):
        drawn = gaussian_classes(40, n_classes=2, sigma=0.2)
        y = np.arange(40) % 2
        drawn.x1[:, 0] += 3 * y
        drawn.x2[:, 0] += 3 * y
        found = scored(drawn.x1[:n], drawn.x2[:n], y[:n])
        few = f"{n} samples for 2 categories are few: read the data-set means, not single samples."
        assert found.warnings == ((few,) if told else ())


def test_warning_of_small_categories():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c", "d", "e", "f"], [200, 10, 9, 5, 3, 2])
    x = 6 * np.eye(6)[np.unique(y, return_inverse=True)[1]] + rng.standard_normal((len(y), 6))
    told = "Categories with fewer than 10 samples are scored roughly: "
    assert scored(x, x, y).warnings == (told + "c, d, e and others.",)
    kept = np.isin(y, ["a", "b", "c"])
    assert scored(x[kept], x[kept], y[kept]).warnings == (told + "c.",)
    kept = np.isin(y, ["a", "b"])
    assert scored(x[kept], x[kept], y[kept]).warnings == ()


def test_warning_of_noise():
    rng = np.random.default_rng(0)
    found = scored(*rng.standard_normal((2, 200, 3)), rng.integers(2, size=200))
    assert found.warnings == (NOISE,)
    assert found.with_redundancy("mmi").warnings == (NOISE,)


def test_warning_of_a_modality_that_says_nothing():
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    noise, telling = rng.standard_normal((400, 3)), rng.standard_normal((400, 3)) + 3 * y[:, None]
    alone = "The {} modality alone does not predict the category better than its frequency does."
    assert scored(noise, telling, y).warnings == (alone.format("first"),)
    assert scored(telling, noise, y).warnings == (alone.format("second"),)


def test_warning_of_synergy_alone():
    rng = np.random.default_rng(0)
    a, b = rng.integers(2, size=(2, 400))
    x1, x2 = (6 * v[:, None] + rng.standard_normal((400, 3)) for v in (a, b))
    told = "Neither modality alone predicts the category better than its frequency does."
    assert scored(x1, x2, a ^ b).warnings == (told,)


def test_warning_of_little_power():
    drawn = gaussian_classes(200, n_classes=2, sigma=0.2)
    rng = np.random.default_rng(0)
    x1, x2 = (np.hstack([x, 0.01 * rng.standard_normal((200, 60))]) for x in (drawn.x1, drawn.x2))
    told = (
        "200 samples with 62 and 62 columns have little power: synergy spread over all columns "
        "could not have been seen, so a small value does not mean that there is none."
    )
    assert scored(x1, x2, drawn.y).warnings == (told,)
