"""Tier 1, exact identities: what the five decompositions must satisfy whatever numbers go in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsmi_core import FIELDS, TERMS, InvalidInputError, PointwiseInteractions, Predictions
from lsmi_core.interactions import INGREDIENTS, Suspicion
from lsmi_core.redundancy import REDUNDANCIES, adjust_means, decompose, redundancy

NAMES = sorted(REDUNDANCIES)
quick = settings(max_examples=80, deadline=None, database=None, derandomize=True)

# Whole numbers make ties and shared signs likely; huge ones show where a formula subtracts what it should not.
numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(-20, 20), st.floats(-1e300, 1e300, allow_subnormal=True))
samples = st.lists(st.tuples(*[numbers] * 7), min_size=1, max_size=8).map(lambda rows: np.array(rows).T)


def size_of(*arrays: np.ndarray) -> np.ndarray:
    """The scale that rounding is measured against: the largest number at hand, and at least 1."""
    return np.maximum(1.0, np.max(np.abs(np.stack(np.broadcast_arrays(*arrays))), axis=0))


def result_of(values: np.ndarray, name: str, **rest: object) -> PointwiseInteractions:
    return PointwiseInteractions.from_information(dict(zip(INGREDIENTS, values, strict=True)), name, **rest)


def assert_same(a: np.ndarray, b: np.ndarray, size: np.ndarray) -> None:
    assert np.all(np.abs(a - b) <= 1e-9 * size), (a, b)


@pytest.mark.parametrize("name", NAMES)
@quick
@given(values=samples)
def test_three_identities(name, values):
    i1, i2, i12 = values[:3]
    r, u1, u2, s = decompose(name, *values)
    size = size_of(*values, r)
    assert_same(r + u1, i1, size)
    assert_same(r + u2, i2, size)
    assert_same(r + u1 + u2 + s, i12, size)
    assert_same(s - r, i12 - i1 - i2, size)


@pytest.mark.parametrize("name", NAMES)
@quick
@given(values=samples, exponent=st.integers(-290, 0))
def test_three_identities_hold_for_tiny_numbers_too(name, values, exponent):
    """No floor of 1 under the tolerance: rounding is measured against the numbers themselves, however small."""
    values = values / size_of(*values.ravel()) * 10.0**exponent
    i1, i2, i12 = values[:3]
    r, u1, u2, s = decompose(name, *values)
    size = np.max(np.abs([*values, r]), axis=0)
    assert_same(r + u1, i1, size)
    assert_same(r + u2, i2, size)
    assert_same(r + u1 + u2 + s, i12, size)
    assert_same(s - r, i12 - i1 - i2, size)


@pytest.mark.parametrize("name", NAMES)
@quick
@given(values=samples)
def test_swapping_the_modalities_swaps_the_uniquenesses(name, values):
    i1, i2, i12, h1, h2, b1, b2 = values
    r, u1, u2, s = decompose(name, *values)
    r_, u1_, u2_, s_ = decompose(name, i2, i1, i12, h2, h1, b2, b1)
    assert np.array_equal(r, r_)
    assert np.array_equal(u1, u2_)
    assert np.array_equal(u2, u1_)
    assert np.array_equal(s, s_)


@pytest.mark.parametrize("name", NAMES)
@quick
@given(values=samples, data=st.data())
def test_every_sample_is_decomposed_by_itself(name, values, data):
    order = np.array(data.draw(st.permutations(range(values.shape[1]))))
    for term, permuted in zip(decompose(name, *values), decompose(name, *values[:, order]), strict=True):
        assert np.array_equal(term[order], permuted)


@quick
@given(values=samples)
def test_lsmi_closed_form(values):
    """min(h1, h2) - min(h1 - i1, h2 - i2) with h_k <= h_j is h_k + max(i_k - h_k, i_j - h_j) = max(i_k, i_j - gap)."""
    r = redundancy("lsmi", *values)
    size = size_of(*values)
    for n, (i1, i2, _, h1, h2, *_) in enumerate(values.T):
        less, more = (i1, i2) if h1 <= h2 else (i2, i1)
        assert abs(r[n] - max(less, more - abs(h1 - h2))) <= 1e-9 * size[n]


@quick
@given(values=samples)
def test_lsmi_gives_the_less_surprising_modality_no_uniqueness(values):
    h1, h2 = values[3:5]
    _, u1, u2, _ = decompose("lsmi", *values)
    slack = 1e-9 * size_of(*values)
    assert np.all(u1[h1 <= h2] <= slack[h1 <= h2])
    assert np.all(u2[h2 <= h1] <= slack[h2 <= h1])


@quick
@given(values=samples, constant=st.floats(-1e6, 1e6))
def test_lsmi_reads_only_the_difference_of_the_surprisals(values, constant):
    i1, i2, i12, h1, h2 = values[:5]
    size = size_of(*values, np.float64(constant))
    shifted = decompose("lsmi", i1, i2, i12, h1 + constant, h2 + constant)
    for a, b in zip(decompose("lsmi", *values), shifted, strict=True):
        assert_same(a, b, size)


def test_lsmi_does_read_the_difference_of_the_surprisals():
    # h equal: max(1, 2) = 2. First modality 5 nats more surprising: k = 2, max(2, 1 - 5) = 2.
    # Second modality 0.25 nats more surprising: k = 1, max(1, 2 - 0.25) = 1.75.
    one = np.ones(3)
    r = redundancy("lsmi", one, 2 * one, 3 * one, np.array([4.0, 9.0, 4.0]), np.array([4.0, 4.0, 4.25]))
    assert r.tolist() == [2.0, 2.0, 1.75]


READS_SURPRISALS, READS_EXPECTATIONS = {"lsmi"}, {"cautious"}


@pytest.mark.parametrize("name", NAMES)
@quick
@given(values=samples, others=samples)
def test_surprisals_and_expectations_are_read_by_one_definition_each(name, values, others):
    h1, h2, b1, b2 = np.resize(others[3:], (4, values.shape[1]))
    before = decompose(name, *values)
    if name not in READS_SURPRISALS:
        assert all(map(np.array_equal, before, decompose(name, *values[:3], h1, h2, *values[5:])))
    if name not in READS_EXPECTATIONS:
        assert all(map(np.array_equal, before, decompose(name, *values[:5], b1, b2)))
        assert all(map(np.array_equal, before, decompose(name, *values[:5])))


@pytest.mark.parametrize("name", ["lsmi", "mmi", "sx"])
@quick
@given(values=samples)
def test_redundancy_lies_between_what_the_two_modalities_say(name, values):
    """lsmi: i_k <= max(i_k, i_j - gap) <= max(i1, i2). sx: a mean of exponentials lies between its terms."""
    i1, i2 = values[:2]
    r, slack = redundancy(name, *values), 1e-9 * size_of(*values)
    assert np.all(r >= np.minimum(i1, i2) - slack)
    assert np.all(r <= np.maximum(i1, i2) + slack)


@quick
@given(values=samples)
def test_ccs_counts_only_what_all_three_agree_on(values):
    r = redundancy("ccs", *values)
    for n, (i1, i2, i12, *_) in enumerate(values.T):
        common = i1 + i2 - i12
        agree = all(v > 0 for v in (i1, i2, i12, common)) or all(v < 0 for v in (i1, i2, i12, common))
        assert r[n] == (common if agree else 0.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", NAMES)
@quick
@given(values=samples)
def test_another_redundancy_equals_a_direct_decomposition(name, other, values):
    start = result_of(values, name, warnings=("read me",))
    moved, back = start.with_redundancy(other), start.with_redundancy(other).with_redundancy(name)
    direct = dict(zip(TERMS, decompose(other, *values), strict=True))
    for field in FIELDS:
        assert np.array_equal(getattr(moved, field), direct.get(field, getattr(start, field)))
        assert np.array_equal(getattr(back, field), getattr(start, field))
    assert (moved.redundancy, back.redundancy, moved.warnings) == (other, name, ("read me",))


def test_result_keeps_what_goes_with_it_and_tells_means():
    labels, ones = np.array(["a", "b"]), np.ones(2)
    predictions, suspicion = Predictions(labels, labels, labels, ones, ones, ones), Suspicion(ones, ones)
    values = np.array([[1, 2], [3, 5], [4, 8], [0, 0], [0, 0], [1, 1], [2, 4]])
    result = result_of(values, "mmi", predictions=predictions, suspicion=suspicion)
    assert len(result) == 2
    assert result.with_redundancy("sx").predictions is predictions
    assert result.with_redundancy("sx").suspicion is suspicion
    assert list(result.ingredients()) == list(INGREDIENTS)
    # r = min(i1, i2) = 1, 2; u1 = 0, 0; u2 = 2, 3; s = i12 - r - u1 - u2 = 1, 3.
    told = {"i1": 1.5, "i2": 4, "i12": 6, "h1": 0, "h2": 0, "b1": 1, "b2": 3, "r": 1.5, "u1": 0, "u2": 2.5, "s": 2}
    assert result.means() == told
    assert {getattr(result, field).dtype for field in FIELDS} == {np.dtype(np.float64)}


# --- repeats --------------------------------------------------------------------------------------------------------
def test_standard_errors_by_hand():
    """Three repeats of one sample under mmi. r = 1, 2, 6: mean 3, sd sqrt 7, so sqrt(7 / 3). u1 = 0 each time.

    u2 = 2, 1, 0: sd 1, so sqrt(1 / 3). s = i12 - i1 - i2 + r = 0, 3, 3: sd sqrt 3, so 1.
    """
    each = np.zeros((3, 7, 1))
    each[:, 0, 0], each[:, 1, 0], each[:, 2, 0] = (1, 2, 6), (3, 3, 6), (3, 6, 9)
    result = result_of(each.mean(axis=0), "mmi", repeats=each)
    told = {"r": (7 / 3) ** 0.5, "u1": 0, "u2": (1 / 3) ** 0.5, "s": 1}
    assert {key: errors.tolist() for key, errors in result.standard_errors().items()} == {
        key: pytest.approx([value]) for key, value in told.items()
    }
    # Another definition has errors of its own: max(i1, i2) = 3, 3, 6 has sd sqrt 3.
    assert result.with_redundancy("lsmi").standard_errors()["r"] == pytest.approx([1])


def test_no_standard_errors_of_one_run():
    assert result_of(np.zeros((7, 3)), "cautious").standard_errors() is None


# --- adjusted means -------------------------------------------------------------------------------------------------
terms = st.fixed_dictionaries({key: st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6)) for key in TERMS})


@quick
@given(means=terms)
def test_adjusted_means_keep_the_identities(means):
    after = adjust_means(means)
    size = size_of(*means.values())
    total = lambda m: m["r"] + m["u1"] + m["u2"] + m["s"]
    assert sorted(after) == sorted(TERMS)
    assert_same(after["r"] + after["u1"], means["r"] + means["u1"], size)
    assert_same(after["r"] + after["u2"], means["r"] + means["u2"], size)
    assert_same(total(after), total(means), size)


@quick
@given(means=terms)
def test_adjusted_means_follow_the_published_rules(means):
    """R or S below 0: the lower one becomes 0. Else a U below 0: the lower U becomes 0 and R becomes min(I1, I2)."""
    after, slack = adjust_means(means), 1e-9 * size_of(*means.values())
    if min(means["r"], means["s"]) < 0:
        assert abs(min(after["r"], after["s"])) <= slack
        assert after["r"] >= means["r"]
    elif min(means["u1"], means["u2"]) < 0:
        assert abs(min(after["u1"], after["u2"])) <= slack
        assert abs(after["r"] - (means["r"] + min(means["u1"], means["u2"]))) <= slack
    else:
        assert after == means


def test_adjusted_means_by_hand():
    assert adjust_means({"r": -0.5, "u1": 1, "u2": 2, "s": -0.25}) == {"r": 0, "u1": 0.5, "u2": 1.5, "s": 0.25}
    assert adjust_means({"r": 1, "u1": -0.25, "u2": 0.5, "s": 0.5}) == {"r": 0.75, "u1": 0, "u2": 0.75, "s": 0.25}
    result = result_of(np.array([[1], [2], [2], [0], [0], [0], [0]]), "lsmi")
    # r = max(1, 2) = 2, u1 = -1, u2 = 0, s = 1: the shift -1 leaves r = 1 = min(I1, I2).
    assert result.adjusted_means() == {"r": 1, "u1": 0, "u2": 1, "s": 0}


# --- refusals -------------------------------------------------------------------------------------------------------
UNKNOWN = "The 'redundancy' parameter must be one of 'cautious', 'lsmi', 'mmi', 'ccs', 'sx'. Got {} instead."


@pytest.mark.parametrize("ask", [decompose, redundancy], ids=["decompose", "redundancy"])
@pytest.mark.parametrize("name", ["broja", None, 3])
def test_unknown_redundancy(ask, name):
    values = np.zeros((7, 1))
    for call in (lambda: ask(name, *values), lambda: result_of(values, "mmi").with_redundancy(name)):
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert str(caught.value) == UNKNOWN.format(repr(name))


def test_cautious_cannot_do_without_expectations():
    with pytest.raises(InvalidInputError) as caught:
        decompose("cautious", *np.zeros((5, 1)))
    assert str(caught.value) == "redundancy='cautious' needs b1 and b2, what each modality expects to say."
