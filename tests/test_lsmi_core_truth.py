"""Tier 2, closed-form truth: named distributions whose answers are derived here; cautious has a file of its own."""

from __future__ import annotations

from itertools import product
from math import exp, log, log2, pi

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm
from sklearn.metrics import roc_auc_score

from lsmi_core import TERMS, PointwiseInteractions, synthetic
from lsmi_core.redundancy import REDUNDANCIES
from lsmi_core.synthetic import GATES, REGIMES, ExactSamples, continuous_xor, gate, gaussian_classes, planted_regimes

LOG2 = log(2)


def exact(drawn: ExactSamples, name: str) -> PointwiseInteractions:
    return PointwiseInteractions.from_information(drawn.__dict__, name)


# --- Discrete gates -------------------------------------------------------------------------------------------------
# Equally likely rows, bits, in the order R U1 U2 S. All values follow from counting; for one row of AND:
# (0, 1, 0): p(y=0) = 3/4, p(y=0|x1=0) = 1, p(y=0|x2=1) = 1/2, so i1 = log 4/3, i2 = log 2/3, i12 = log 4/3.
# RDNXOR, every row: i1 = i2 = 1, i12 = 2 and h1 = h2. IMPERFECTRDN: i1 = i12 = 1 = h1 on every row, and
# i2 = 1, log2 1/3 and log2 5/3 = .737 with chances .4, .1 and .5, h2 = log2 1/.4, log2 1/.6 = .737 and .737.
#
# lsmi, the values of dit's PID_PM: where h1 = h2 it is max(i1, i2). AND: (3 log 4/3 + log 2)/4 = .561.
# PWUNQ: the row (0, 1, 0) has h1 = 1 bit, i1 = 0, h2 = 2 bits, i2 = 1 bit, so r = max(0, 1 - 1) = 0.
PM = {
    "RDN": (1, 0, 0, 0), "UNQ": (1, -1, 0, 1), "COPY": (1, 0, 0, 1), "XOR": (0, 0, 0, 1),
    "AND": (0.561, -0.25, -0.25, 0.75), "OR": (0.561, -0.25, -0.25, 0.75), "SUM": (0.5, 0, 0, 1),
    "PWUNQ": (0, 0.5, 0.5, 0), "RDNXOR": (1, 0, 0, 1), "IMPERFECTRDN": (0.842, 0.158, -0.232, 0.232),
}  # fmt: skip
# ccs. AND: only (0, 0, 0) agrees in sign, with log 4/3 + log 4/3 - log 4/3; a quarter of .415 is .104.
CCS = {
    "RDN": (1, 0, 0, 0), "UNQ": (0, 0, 1, 0), "COPY": (0, 1, 1, 0), "XOR": (0, 0, 0, 1),
    "AND": (0.104, 0.208, 0.208, 0.292), "OR": (0.104, 0.208, 0.208, 0.292), "SUM": (0, 0.5, 0.5, 0.5),
    "PWUNQ": (0, 0.5, 0.5, 0), "RDNXOR": (0, 1, 1, 0), "IMPERFECTRDN": (0.768, 0.232, -0.158, 0.158),
}  # fmt: skip
# mmi pointwise. Barrett's min(I1, I2) is of means, and equals the mean of min(i1, i2) only where one modality is the
# weaker on every row. It is not in AND, (log 4/3 + 2 log 2/3 + log 2)/4 = .061 where min(I1, I2) = .311,
# nor in PWUNQ, where each row has one modality with 0 and one with 1 bit: 0 where min(I1, I2) = .5.
MMI = {
    "RDN": (1, 0, 0, 0), "UNQ": (0, 0, 1, 0), "COPY": (1, 0, 0, 1), "XOR": (0, 0, 0, 1),
    "AND": (0.061, 0.25, 0.25, 0.25), "OR": (0.061, 0.25, 0.25, 0.25), "SUM": (0.5, 0, 0, 1),
    "PWUNQ": (0, 0.5, 0.5, 0), "RDNXOR": (1, 0, 0, 1), "IMPERFECTRDN": (0.610, 0.390, 0, 0),
}  # fmt: skip
BARRETT = {
    "RDN": 1, "UNQ": 0, "COPY": 1, "XOR": 0, "AND": 0.311, "OR": 0.311, "SUM": 0.5, "PWUNQ": 0.5, "RDNXOR": 1,
    "IMPERFECTRDN": 0.610,
}  # fmt: skip
# sx with equal weights, log (e^i1 + e^i2)/2. UNQ: log2 (1 + 2)/2 = .585 on every row, likewise PWUNQ.
# XOR: log2 (1 + 1)/2 = 0. COPY: log2 (2 + 2)/2 = 1. SUM: i1 = i2 on rows 1 and 4 (1 bit), and on the others 0 bit.
# AND: (log2 4/3 + 2 log2 (4/3 + 2/3)/2 + log2 2)/4 = (.415 + 0 + 1)/4 = .354.
SX = {
    "RDN": (1, 0, 0, 0), "UNQ": (0.585, -0.585, 0.415, 0.585), "COPY": (1, 0, 0, 1), "XOR": (0, 0, 0, 1),
    "AND": (0.354, -0.042, -0.042, 0.542), "OR": (0.354, -0.042, -0.042, 0.542), "SUM": (0.5, 0, 0, 1),
    "PWUNQ": (0.585, -0.085, -0.085, 0.585), "RDNXOR": (1, 0, 0, 1), "IMPERFECTRDN": (0.8595, 0.1405, -0.2495, 0.2495),
}  # fmt: skip
# What dit calls I_sx: how likely y is once "x1 or x2" is known.
DIT_SX = {
    "RDN": 1, "UNQ": 0.415, "COPY": 0.415, "XOR": -0.585, "AND": 0.123, "OR": 0.123, "SUM": -0.085, "PWUNQ": 0,
    "RDNXOR": 0.415, "IMPERFECTRDN": 0.7685,
}  # fmt: skip


@pytest.mark.parametrize("name, table", [("lsmi", PM), ("ccs", CCS), ("mmi", MMI), ("sx", SX)])
@pytest.mark.parametrize("which", sorted(GATES))
def test_gates(which, name, table):
    means = exact(gate(which), name).means()
    assert [means[key] / LOG2 for key in TERMS] == pytest.approx(table[which], abs=6e-4)


@pytest.mark.parametrize("which", sorted(GATES))
def test_gates_at_data_set_level(which):
    """Barrett's min(I1, I2), which is also what the adjustment makes of lsmi where raw R, S >= 0 and some U < 0."""
    result = exact(gate(which), "lsmi")
    means = result.means()
    assert min(means["i1"], means["i2"]) / LOG2 == pytest.approx(BARRETT[which], abs=6e-4)
    if min(means["u1"], means["u2"]) < 0:
        assert result.adjusted_means()["r"] / LOG2 == pytest.approx(BARRETT[which], abs=6e-4)


@pytest.mark.parametrize("which", sorted(GATES))
def test_where_equal_weights_part_from_shared_exclusions(which):
    """dit's I_sx is log P(y|A or B)/P(y) with the events A = {x1}, B = {x2}.

    P(y, A or B) = P(A)P(y|A) + P(B)P(y|B) - P(y, A, B). Equal marginals make the two weights equal, but the last term
    vanishes only where A and B cannot meet. Discrete events do meet, so the two agree on RDN (A = B) and on no
    other of these gates, although all but PWUNQ and IMPERFECTRDN have equal marginals; densities meet with
    probability zero.
    """
    rows = [tuple(int(v) for v in row) for row in GATES[which]]
    p = 1 / len(rows)
    shared = overlapping = 0.0
    for x1, x2, y in rows:
        union = [row for row in rows if row[0] == x1 or row[1] == x2]
        shared += p * log2(np.mean([row[2] == y for row in union]) / np.mean([row[2] == y for row in rows]))
        a = np.mean([row[2] == y for row in rows if row[0] == x1])
        b = np.mean([row[2] == y for row in rows if row[1] == x2])
        overlapping += p * log2((a + b) / 2 / np.mean([row[2] == y for row in rows]))
    ours = exact(gate(which), "sx").means()["r"] / LOG2
    assert shared == pytest.approx(DIT_SX[which], abs=6e-4)
    assert overlapping == pytest.approx(ours, abs=1e-12)
    assert (abs(shared - ours) < 1e-12) == (which == "RDN")


def test_gates_count_rows_by_hand():
    drawn = gate("AND")
    assert drawn.x1.shape == drawn.x2.shape == (4, 1)
    assert drawn.y.tolist() == [0, 0, 0, 1]
    assert drawn.i1 == pytest.approx([log(4 / 3), log(4 / 3), log(2 / 3), log(2)])
    assert drawn.i2 == pytest.approx([log(4 / 3), log(2 / 3), log(4 / 3), log(2)])
    assert drawn.i12 == pytest.approx([log(4 / 3)] * 3 + [log(4)])
    assert drawn.h1 == pytest.approx([LOG2] * 4)
    assert gate("PWUNQ").h2 == pytest.approx([2 * LOG2, LOG2, 2 * LOG2, LOG2])


# --- Gaussian classes -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "n_classes, table, tolerance",
    [  # standard error of a mean here: .003 for ten classes, .001 for two
        (10, {"i1": 1.341, "i2": 1.339, "i12": 1.600, "r": 1.435, "u1": -0.094, "u2": -0.096, "s": 0.356}, 0.01),
        (2, {"i1": 0.500, "i2": 0.497, "i12": 0.560, "r": 0.568, "u1": -0.068, "u2": -0.071, "s": 0.131}, 0.005),
    ],
)
def test_gaussian_classes_means(n_classes, table, tolerance):
    means = exact(gaussian_classes(100_000, n_classes=n_classes), "lsmi").means()
    assert {key: means[key] for key in table} == pytest.approx(table, abs=tolerance)


@pytest.mark.parametrize("rho, sigma", [(0.5, 0.5), (0.0, 0.5), (0.8, 1.0), (-0.4, 0.7)])
def test_two_gaussian_classes_against_quadrature(rho, sigma):
    """With two classes the log-odds of the true label are normal with mean d/2 and variance d, d the squared distance.

    One modality: d = |e0 - e1|^2 / sigma^2 = 2 / sigma^2. Both: the noise of the pair has correlation rho in every
    column, and (1, 1) R^-1 (1, 1)' = 2 / (1 + rho), so d = (2 / sigma^2) * 2 / (1 + rho). Then
    I = log 2 - E log(1 + exp(-L)).
    """

    def information(d: float) -> float:
        lost = quad(lambda v: norm.pdf(v) * np.logaddexp(0, -(d / 2 + np.sqrt(d) * v)), -10, 10)[0]
        return LOG2 - lost

    drawn = gaussian_classes(100_000, n_classes=2, rho=rho, sigma=sigma)
    d = 2 / sigma**2
    assert drawn.i1.mean() == pytest.approx(information(d), abs=0.006)
    assert drawn.i2.mean() == pytest.approx(information(d), abs=0.006)
    assert drawn.i12.mean() == pytest.approx(information(2 * d / (1 + rho)), abs=0.006)


def test_gaussian_classes_sample_by_sample():
    """The same densities from scipy, the pair through its full joint covariance."""
    rho, sigma, n_classes = 0.3, 0.6, 3
    drawn = gaussian_classes(40, n_classes=n_classes, rho=rho, sigma=sigma, random_state=5)
    noise = sigma**2 * np.kron([[1, rho], [rho, 1]], np.eye(n_classes))
    views = {
        "1": (drawn.x1, noise[:3, :3], 1),
        "2": (drawn.x2, noise[3:, 3:], 1),
        "12": (np.hstack([drawn.x1, drawn.x2]), noise, 2),
    }
    for view, (x, covariance, copies) in views.items():
        for n in range(40):
            density = [multivariate_normal.pdf(x[n], np.tile(e, copies), covariance) for e in np.eye(n_classes)]
            assert getattr(drawn, f"i{view}")[n] == pytest.approx(log(density[drawn.y[n]] / np.mean(density)), abs=1e-9)
            if view != "12":
                assert getattr(drawn, f"h{view}")[n] == pytest.approx(-log(np.mean(density)), abs=1e-9)
                p = np.array(density) / sum(density)
                told = sum(p[c] * log(p[c] * n_classes) for c in range(n_classes))
                assert getattr(drawn, f"b{view}")[n] == pytest.approx(told, abs=1e-9)


# --- Continuous exclusive-or ----------------------------------------------------------------------------------------
def test_continuous_xor_is_pure_synergy():
    """Each modality alone is the same mixture under both labels, so i1 = i2 = 0 exactly.

    Along w_k the pair is N(+-3, 1) twice; given y = 0 (equal bits, take ++) the log-odds are
    L = log cosh 3(a + b) - log cosh 3(a - b), a, b ~ N(3, 1), and S = log 2 - E log(1 + exp(-L)) = .6855:
    a little less than log 2 = .6931, because the two clusters of a modality overlap.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    a, b = np.meshgrid(nodes + 3, nodes + 3)
    log_cosh = lambda v: np.logaddexp(v, -v)
    odds = log_cosh(3 * (a + b)) - log_cosh(3 * (a - b))
    truth = LOG2 - (np.outer(weights, weights) / (2 * pi) * np.logaddexp(0, -odds)).sum()
    drawn = continuous_xor(40_000, n_features=8)
    assert np.abs(drawn.i1).max() < 1e-12
    assert np.abs(drawn.i2).max() < 1e-12
    assert truth == pytest.approx(0.6855, abs=1e-4)
    assert drawn.i12.mean() == pytest.approx(truth, abs=0.003)
    for name in REDUNDANCIES:
        means = exact(drawn, name).means()
        assert [means[key] for key in TERMS] == pytest.approx([0, 0, 0, drawn.i12.mean()], abs=1e-12)


# --- Planted regimes ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "settings",
    [
        {"n_classes": 2, "n_features": 3},
        {"n_classes": 3, "n_features": 4, "spread": 2.5, "imbalance": 4.0, "shares": (0.5, 0.1, 0.2, 0.15, 0.05)},
        {"n_classes": 2, "n_features": 3, "noise_features": 2, "spread": 2.0},
    ],
)
def test_planted_regimes_against_plain_loops(settings, monkeypatch):
    """p(x1, x2 | y) written out regime by regime; only the drawn centres are taken from the generator."""
    centres = []

    def listen(*arguments):
        centres.extend(arguments[3:5])
        return clustered(*arguments)

    clustered = synthetic._clustered
    monkeypatch.setattr(synthetic, "_clustered", listen)
    drawn = planted_regimes(25, random_state=3, **settings)
    n_classes, width = settings["n_classes"], settings["n_features"]
    spread, shares = settings.get("spread", 1.0), settings.get("shares", (0.2,) * 5)
    prior = [settings.get("imbalance", 1.0) ** (-c / (n_classes - 1)) for c in range(n_classes)]
    prior = [p / sum(prior) for p in prior]
    blank, pair = 2 * n_classes, lambda a: n_classes + a

    def density(modality: int, x: np.ndarray, cluster: int) -> float:
        squared = sum(float(v - c) ** 2 for v, c in zip(x[:width], centres[modality][cluster], strict=True))
        noise = sum(float(v) ** 2 for v in x[width:])
        return (
            exp(-squared / (2 * spread**2)) / (2 * pi * spread**2) ** (width / 2)
            * exp(-noise / 2) / (2 * pi) ** ((len(x) - width) / 2)
        )  # fmt: skip

    def ways(label: int) -> list[tuple[float, int, int]]:
        """Return (probability, cluster in the first modality, cluster in the second) given the label."""
        listed = [
            (shares[0], label, label),
            (shares[1], label, blank),
            (shares[2], blank, label),
            (shares[4], blank, blank),
        ]
        for a, b in product(range(n_classes), repeat=2):
            if (a + b) % n_classes == label:
                listed.append((shares[3] / n_classes, pair(a), pair(b)))
        return listed

    for n in range(25):
        x1, x2, y = drawn.x1[n], drawn.x2[n], drawn.y[n]
        of1 = [sum(p * density(0, x1, k1) for p, k1, _ in ways(c)) for c in range(n_classes)]
        of2 = [sum(p * density(1, x2, k2) for p, _, k2 in ways(c)) for c in range(n_classes)]
        both = [
            sum(p * density(0, x1, k1) * density(1, x2, k2) for p, k1, k2 in ways(c)) for c in range(n_classes)
        ]  # fmt: skip
        for view, given_label in (("1", of1), ("2", of2), ("12", both)):
            total = sum(p * q for p, q in zip(prior, given_label, strict=True))
            assert getattr(drawn, f"i{view}")[n] == pytest.approx(log(given_label[y] / total), abs=1e-8)
            if view != "12":
                assert getattr(drawn, f"h{view}")[n] == pytest.approx(-log(total), abs=1e-8)
                told = sum(p * q / total * log(q / total) for p, q in zip(prior, given_label, strict=True))
                assert getattr(drawn, f"b{view}")[n] == pytest.approx(told, abs=1e-8)


@pytest.mark.parametrize("seed", range(2))
def test_planted_regimes_say_what_was_planted(seed):
    """The clusters hardly overlap: a label cluster is worth log C = log 4, a blank or a lone pair cluster nothing."""
    drawn = planted_regimes(5000, spread=0.7, random_state=seed)
    told = {"redundant": (1, 1, 1), "unique1": (1, 0, 1), "unique2": (0, 1, 1), "synergistic": (0, 0, 1)}
    for regime in REGIMES:
        rows = drawn.regime == regime
        assert 0.17 < rows.mean() < 0.23
        means = [getattr(drawn, f"i{view}")[rows].mean() for view in ("1", "2", "12")]
        assert means == pytest.approx([k * log(4) for k in told.get(regime, (0, 0, 0))], abs=0.02)


@pytest.mark.parametrize("name", ["cautious", "mmi", "ccs", "sx"])
def test_exact_terms_find_the_planted_regimes(name):
    """Measured over seeds 0-2, worst regime: cautious .9996, mmi .9996, ccs .9998, sx .9981."""
    drawn = planted_regimes(6000)
    result = exact(drawn, name)
    for regime, term in zip(REGIMES, TERMS, strict=False):
        assert roc_auc_score(drawn.regime == regime, getattr(result, term)) >= 0.995, regime


def test_planted_regimes_honour_shares_and_imbalance():
    drawn = planted_regimes(8000, n_classes=3, shares=(6, 1, 1, 1, 1), imbalance=9.0, noise_features=5)
    assert drawn.x1.shape == drawn.x2.shape == (8000, 21)
    # Geometric from 9 to 1 over three labels: 9 : 3 : 1.
    assert np.bincount(drawn.y) / 8000 == pytest.approx(np.array([9, 3, 1]) / 13, abs=0.02)
    assert (drawn.regime == "redundant").mean() == pytest.approx(0.6, abs=0.02)
    assert np.abs(np.corrcoef(drawn.x1[:, 16:].T) - np.eye(5)).max() < 0.06


@pytest.mark.parametrize("draw", [gaussian_classes, continuous_xor, planted_regimes])
def test_draws_repeat_by_seed(draw):
    once, again, other = draw(50, random_state=4), draw(50, random_state=4), draw(50, random_state=5)
    assert np.array_equal(once.x1, again.x1)
    assert np.array_equal(once.i12, again.i12)
    assert not np.array_equal(once.x1, other.x1)
