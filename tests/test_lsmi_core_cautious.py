"""The cautious redundancy: tier 1, what it must satisfy whatever goes in; tier 2, discrete gates worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsmi_core import TERMS, PointwiseInteractions
from lsmi_core.exact import label_information
from lsmi_core.redundancy import decompose
from lsmi_core.synthetic import GATES, continuous_xor, gate, gaussian_classes, planted_regimes

OWED = 1 / 4  # the share of what is owed to one in r; the rest is the pointwise minimum

quick = settings(max_examples=150, deadline=None, database=None, derandomize=True)
numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(-20, 20), st.floats(-1e12, 1e12))
expected = st.one_of(st.integers(0, 3).map(float), st.floats(0, 20), st.floats(0, 1e12))


def columns(*strategies: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(st.tuples(*strategies), min_size=1, max_size=8).map(lambda rows: np.array(rows).T)


samples = columns(numbers, numbers, numbers, expected, expected)  # i1, i2, i12, b1, b2


def cautious(i1, i2, i12, b1, b2) -> tuple[np.ndarray, ...]:
    zero = np.zeros_like(np.asarray(i1, dtype=float))
    return decompose("cautious", i1, i2, i12, zero, zero, b1, b2)


def slack(values: np.ndarray) -> np.ndarray:
    return 1e-12 * np.maximum(1, np.abs(values).max(axis=0))


# --- Tier 1: identities ---------------------------------------------------------------------------------------------
@quick
@given(values=samples)
def test_definition_one_sample_at_a_time(values):
    """Owed to one: both are credited with the smaller expectation and charged the larger shortfall."""
    r = cautious(*values)[0]
    for n, (i1, i2, _, b1, b2) in enumerate(values.T):
        credit = b1 if b1 < b2 else b2
        shortfalls = b1 - i1, b2 - i2
        charge = shortfalls[0] if shortfalls[0] > shortfalls[1] else shortfalls[1]
        less = i1 if i1 < i2 else i2
        assert abs(r[n] - ((1 - OWED) * less + OWED * (credit - charge))) <= 4 * slack(values)[n]


@quick
@given(values=samples)
def test_three_identities(values):
    i1, i2, i12 = values[:3]
    r, u1, u2, s = cautious(*values)
    assert np.all(np.abs(r + u1 - i1) <= slack(values))
    assert np.all(np.abs(r + u2 - i2) <= slack(values))
    assert np.all(np.abs(r + u1 + u2 + s - i12) <= 4 * slack(values))


@quick
@given(values=samples)
def test_no_modality_is_misleadingly_unique(values):
    """i1 less what is owed is (b1 - min b) + (max e - e1), i1 less the minimum is max(0, i1 - i2): none is negative."""
    i1, i2, _, b1, b2 = values
    r, u1, u2, _ = cautious(*values)
    e1, e2 = b1 - i1, b2 - i2
    assert np.all(u1 >= -slack(values))
    assert np.all(u2 >= -slack(values))
    assert np.all(r <= np.minimum(i1, i2) + slack(values))
    owed = (b1 - np.minimum(b1, b2)) + (np.maximum(e1, e2) - e1)
    assert np.all(np.abs(u1 - (1 - OWED) * np.maximum(0, i1 - i2) - OWED * owed) <= 4 * slack(values))


@quick
@given(values=samples)
def test_symmetry(values):
    i1, i2, i12, b1, b2 = values
    r, u1, u2, _ = cautious(*values)
    r_, u1_, u2_, _ = cautious(i2, i1, i12, b2, b1)
    assert np.array_equal(r, r_)
    assert np.array_equal(u1, u2_)
    assert np.array_equal(u2, u1_)


@quick
@given(values=columns(numbers, numbers, expected))
def test_a_modality_shares_all_it_says_with_itself(values):
    i, i12, b = values
    r, u1, u2, _ = cautious(i, i, i12, b, b)
    assert np.all(np.abs(r - i) <= slack(values))
    assert np.all(np.abs(u1) <= slack(values))
    assert np.array_equal(u1, u2)


@quick
@given(values=columns(expected, numbers))
def test_where_nothing_is_said_nothing_is_shared(values):
    """b1 = i1 = 0, and x2 is as good as its word, b2 = i2 >= 0: min(0, i2) = 0 and min(0, b2) - max(0, 0) = 0."""
    i2, i12 = values
    zero = np.zeros_like(i2)
    r, u1, u2, s = cautious(zero, i2, i12, zero, i2)
    assert np.array_equal(r, zero)
    assert np.array_equal(u1, zero)
    assert np.array_equal(u2, i2)
    assert np.all(np.abs(s - (i12 - i2)) <= slack(values))


@quick
@given(values=columns(numbers, expected))
def test_beside_a_silent_modality_a_broken_word_counts_against_both(values):
    """b1 = i1 = 0: r mixes min(0, i2) and -max(0, b2 - i2): 0 where x2 keeps its word, below 0 where it does not."""
    i2, b2 = values
    zero = np.zeros_like(i2)
    r, u1, _, _ = cautious(zero, i2, i2, zero, b2)
    assert np.all(np.abs(r - (1 - OWED) * np.minimum(0, i2) + OWED * np.maximum(0, b2 - i2)) <= 4 * slack(values))
    assert np.array_equal(u1, -r)


@quick
@given(values=samples, more=st.floats(0, 10))
def test_saying_more_of_the_label_never_lowers_what_is_shared(values, more):
    i1, i2, i12, b1, b2 = values
    assert np.all(cautious(i1 + more, i2, i12, b1, b2)[0] >= cautious(*values)[0] - 4 * slack(values))


@quick
@given(values=samples)
def test_it_is_the_pointwise_minimum_where_one_modality_is_weaker_on_both_counts(values):
    """The smaller b with the larger e, so the smaller i: min b - max e = b_k - (b_k - i_k) = i_k. Elsewhere less."""
    i1, i2, _, b1, b2 = values
    r, least = cautious(*values)[0], np.minimum(i1, i2)
    one, two = (b1 <= b2) & (b1 - i1 >= b2 - i2), (b2 <= b1) & (b2 - i2 >= b1 - i1)
    same = one | two
    assert np.all(np.abs(r - least)[same] <= 4 * slack(values)[same])
    assert np.all(r <= least + slack(values))


# --- Tier 2: ten gates, in bits -------------------------------------------------------------------------------------
# i = log2 p(y|x)/p(y) and b its mean over the labels that x leaves open; e = b - i is 0 wherever x settles the label.
# r is three quarters min(i1, i2) and one quarter min(b1, b2) - max(e1, e2). The two are the same on every row but
# one of IMPERFECTRDN, since everywhere else the modality with the smaller b has the larger e.
#
# RDN           both settle y: i = b = 1 on either row, so r = 1 - 0.
# UNQ           x1 is silent (i = b = 0) and x2 keeps its word (i = b = 1): r = 0 - 0, u2 = 1.
# COPY          each tells its own of two bits, i = b = 1, i12 = 2: r = 1, and s = 2 - 1 - 1 + 1 = 1.
# XOR           each alone is silent: r = 0, s = 1.
# AND           p(y=0) = 3/4. x = 0 settles y = 0: i = b = log2 4/3 = .415. x = 1 leaves a fair coin:
#               i = log2 2/3 = -.585 for y = 0 and log2 2 = 1 for y = 1, so b = .2075 and e = .7925 or -.7925. Rows:
#               00: .415 - 0 = .415.  01 and 10: .2075 - max(0, .7925) = -.585.  11: .2075 + .7925 = 1.
#               R = (.415 - 1.170 + 1) / 4 = .061; I1 = I2 = .311, so U = .250; I12 = .811 leaves S = .250.
# OR            AND with 0 and 1 exchanged.
# SUM           p(y) = 1/4, 1/2, 1/4. Either x leaves two labels open, i = 1 for the end and 0 for the middle: b = .5.
#               Rows 00 and 11: e = -.5 in both, r = .5 + .5 = 1. Rows 01 and 10: e = .5 in both, r = .5 - .5 = 0.
#               R = .5 = I1 = I2 and I12 = 1.5, so S = 1.
# PWUNQ         on every row one modality shows 0, which is silent (both labels show it: i = b = 0), and the other
#               settles y: r = 0 - 0; u = i, half a bit each on average, and i12 = 1 leaves s = 0.
# RDNXOR        i1 = i2 = b = 1 and i12 = 2 on every row: r = 1, s = 1.
# IMPERFECTRDN  x1 = y: i1 = b1 = 1. x2 = 0 settles y = 0: i = b = 1, r = 1, with chance .4. x2 = 1 leaves 1 : 5, so
#               i2 = log2 1/3 = -1.585 or log2 5/3 = .737 and b2 = (-1.585 + 5 x .737) / 6 = .350. Row 01, chance .1:
#               .350 - max(0, 1.935) = -1.585 = min(i1, i2). Row 11, chance .5: .350 - max(0, -.387) = .350 beside
#               min(i1, i2) = .737, which is more than x2 expected to say: r = .75 x .737 + .25 x .350 = .640.
#               R = .4 - .1585 + .320 = .5616; I1 = I12 = 1 and I2 = .610, so U = .4384, .0484 and S = -.0484.
BY_HAND = {
    "RDN": (1, 0, 0, 0), "UNQ": (0, 0, 1, 0), "COPY": (1, 0, 0, 1), "XOR": (0, 0, 0, 1),
    "AND": (0.061, 0.25, 0.25, 0.25), "OR": (0.061, 0.25, 0.25, 0.25), "SUM": (0.5, 0, 0, 1),
    "PWUNQ": (0, 0.5, 0.5, 0), "RDNXOR": (1, 0, 0, 1), "IMPERFECTRDN": (0.5616, 0.4384, 0.0484, -0.0484),
}  # fmt: skip
ROW_BY_ROW = {
    "AND": [0.4150, -0.5850, -0.5850, 1],
    "SUM": [1, 0, 0, 1],
    "PWUNQ": [0, 0, 0, 0],
    "IMPERFECTRDN": [1] * 4 + [-1.5850] + [0.6402] * 5,
}


def of(which: str) -> PointwiseInteractions:
    drawn = gate(which)
    return PointwiseInteractions.from_information(drawn.__dict__, "cautious")


@pytest.mark.parametrize("which", sorted(GATES))
def test_gates(which):
    means = of(which).means()
    assert [means[key] / np.log(2) for key in TERMS] == pytest.approx(BY_HAND[which], abs=6e-4)


@pytest.mark.parametrize("which", sorted(ROW_BY_ROW))
def test_gates_row_by_row(which):
    assert of(which).r / np.log(2) == pytest.approx(ROW_BY_ROW[which], abs=6e-5)


# --- Tier 2: what modalities expect to say --------------------------------------------------------------------------
@pytest.mark.parametrize("which", sorted(GATES))
def test_expectations_are_means_over_what_x_leaves_open(which):
    """Counted over rows with the same x. Hence E b = E i: no shortfall on average, and b is never negative."""
    drawn, rows = gate(which), GATES[which]
    for k, b, i in ((0, drawn.b1, drawn.i1), (1, drawn.b2, drawn.i2)):
        for n, row in enumerate(rows):
            alike = [i[m] for m, other in enumerate(rows) if other[k] == row[k]]
            assert b[n] == pytest.approx(sum(alike) / len(alike), abs=1e-12)
        assert b.mean() == pytest.approx(i.mean(), abs=1e-12)
        assert b.min() >= -1e-12


@pytest.mark.parametrize("draw", [gaussian_classes, planted_regimes, continuous_xor], ids=lambda draw: draw.__name__)
def test_expectations_of_continuous_laws(draw):
    """b is a Kullback-Leibler divergence, at least 0, and its mean is that of i, up to the sampling of n = 40,000."""
    drawn = draw(40_000)
    for b, i in ((drawn.b1, drawn.i1), (drawn.b2, drawn.i2)):
        assert b.min() >= -1e-12
        assert b.mean() == pytest.approx(i.mean(), abs=5 * (b - i).std() / 200 + 1e-12)


def test_expectation_by_a_plain_sum():
    rng = np.random.default_rng(0)
    log_likelihood, prior = rng.standard_normal((20, 3)), np.array([0.5, 0.3, 0.2])
    told = label_information(log_likelihood, rng.integers(3, size=20), prior)[2]
    for n, row in enumerate(np.exp(log_likelihood)):
        posterior = [prior[c] * row[c] / sum(prior * row) for c in range(3)]
        assert told[n] == pytest.approx(sum(posterior[c] * np.log(posterior[c] / prior[c]) for c in range(3)))


@pytest.mark.filterwarnings("error")
def test_expectation_of_certainty():
    """A label that is ruled out has likelihood 0: 0 log 0 counts as 0, and what is left says log 2."""
    with np.errstate(divide="ignore"):
        told = label_information(np.log([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 1]))
    assert told[2] == pytest.approx([np.log(2), 0])
