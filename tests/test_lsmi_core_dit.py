"""Tier 2, closed-form truth: the four redundancies against dit, an independent package, on ten discrete gates.

Everything that is compared here is computed by dit or from dit's distributions, in bits; ours are nats / log 2.
"""

from __future__ import annotations

from collections import Counter

import dit
import numpy as np
import pytest
from dit.algorithms import maxent_dist
from dit.pid import PID_CCS, PID_MMI, PID_PM, PID_SX

from lsmi_core.redundancy import decompose, redundancy, shared_exclusion
from lsmi_core.synthetic import GATES, gate

TEN = ("RDN", "UNQ", "COPY", "XOR", "AND", "OR", "SUM", "PWUNQ", "RDNXOR", "IMPERFECTRDN")
SOURCES, TARGET = ((0,), (1,)), (2,)
ATOMS = (((0,), (1,)), ((0,),), ((1,),), ((0, 1),))
every_gate = pytest.mark.parametrize("which", TEN)


def distribution(which: str) -> dit.Distribution:
    times = Counter(GATES[which])
    return dit.Distribution(list(times), [count / len(GATES[which]) for count in times.values()])


def ours(which: str, name: str) -> np.ndarray:
    """Return r, u1, u2, s of every row of the gate, shape (4, n_rows), in bits."""
    drawn = gate(which)
    return np.array(decompose(name, drawn.i1, drawn.i2, drawn.i12, drawn.h1, drawn.h2)) / np.log(2)


def atoms(pid: object) -> list[float]:
    return [float(pid[atom]) for atom in ATOMS]


def chance(law: dit.Distribution, row: tuple, *variables: int) -> float:
    return float(law.marginal(list(variables))[tuple(row[v] for v in variables)])


def information(law: dit.Distribution, row: tuple) -> tuple[float, float, float]:
    """Return i1, i2, i12 of one outcome in bits, from dit's marginals."""
    label = chance(law, row, 2)
    return tuple(
        np.log2(chance(law, row, *seen, 2) / (chance(law, row, *seen) * label)) for seen in ((0,), (1,), (0, 1))
    )


def by_definition(law: dit.Distribution, row: tuple, name: str) -> float:
    """Return the pointwise redundancy of one outcome as its paper words it, from dit's probabilities."""
    i1, i2, i12 = (0.0 if np.isclose(value, 0) else value for value in information(law, row))
    common = 0.0 if np.isclose(i1 + i2 - i12, 0) else i1 + i2 - i12
    if name == "ccs":
        return common if len({np.sign(value) for value in (i1, i2, i12, common)}) == 1 else 0.0
    return {"mmi": min(i1, i2), "sx": np.log2((2**i1 + 2**i2) / 2)}[name]


def test_there_are_ten_gates():
    assert sorted(GATES) == sorted(TEN)


@every_gate
def test_the_ingredients(which):
    drawn, law = gate(which), distribution(which)
    expected = np.array([information(law, row) for row in GATES[which]]).T
    assert np.array([drawn.i1, drawn.i2, drawn.i12]) / np.log(2) == pytest.approx(expected, abs=1e-9)
    for h, v in ((drawn.h1, 0), (drawn.h2, 1)):
        assert h / np.log(2) == pytest.approx([-np.log2(chance(law, row, v)) for row in GATES[which]], abs=1e-9)


# --- lsmi: PID_PM, Finn and Lizier. It agrees on every gate, and dit exposes the value of every outcome ---------------
@every_gate
def test_lsmi(which):
    pid = PID_PM(distribution(which), SOURCES, TARGET, pointwise=True)
    assert ours(which, "lsmi").mean(axis=1) == pytest.approx(atoms(pid), abs=1e-9)
    for mine, atom in zip(ours(which, "lsmi"), ATOMS, strict=True):
        theirs = pid.get_pw_pi(atom)
        assert mine == pytest.approx([theirs[row] for row in GATES[which]], abs=1e-9)


# --- mmi: dit has Barrett's minimum of means, ours is the mean of pointwise minima ------------------------------------
# They part where now one modality is the weaker and now the other: AND, OR, PWUNQ.
@every_gate
def test_mmi(which):
    law = distribution(which)
    r = ours(which, "mmi")[0]
    assert r == pytest.approx([by_definition(law, row, "mmi") for row in GATES[which]], abs=1e-9)
    theirs = atoms(PID_MMI(law, SOURCES, TARGET))
    if which in ("AND", "OR", "PWUNQ"):
        assert theirs[0] - r.mean() > 0.2
    else:
        assert ours(which, "mmi").mean(axis=1) == pytest.approx(theirs, abs=1e-9)


# --- ccs: Ince takes signs and co-information under the maximum-entropy law with the same three pair marginals --------
# XOR and RDNXOR are not that law: their pairs do not show the synergy. In XOR both ways give R = 0; in RDNXOR
# dit says R = 1, S = 1, and ours R = 0, U = 1, 1, S = 0, because the bit of synergy cancels the bit of redundancy in
# the co-information of the true law. Pointwise values of the true law are all that ours has.
@every_gate
def test_ccs(which):
    law = distribution(which)
    r = ours(which, "ccs")[0]
    assert r == pytest.approx([by_definition(law, row, "ccs") for row in GATES[which]], abs=1e-9)
    theirs = atoms(PID_CCS(law, SOURCES, TARGET))
    loosest = maxent_dist(law, [[0, 1], [0, 2], [1, 2]])
    pairs_say_all = all(np.isclose(loosest[row], law[row], atol=1e-6) for row in law.outcomes)
    assert pairs_say_all == (which not in ("XOR", "RDNXOR"))
    if which == "RDNXOR":
        assert theirs == pytest.approx([1, 0, 0, 1], abs=1e-4)  # the maximum is found by iteration
        assert ours(which, "ccs").mean(axis=1) == pytest.approx([0, 1, 1, 0], abs=1e-9)
    else:
        assert ours(which, "ccs").mean(axis=1) == pytest.approx(theirs, abs=1e-9)


# --- sx: the true marginals are dit's PID_SX on every gate; equal weights are that only where the events are one -----
def with_true_marginals(which: str) -> np.ndarray:
    law = distribution(which)
    rows = GATES[which]
    plain = [np.array([chance(law, row, *seen) for row in rows]) for seen in ((0,), (1,), (0, 1))]
    label = np.array([chance(law, row, 2) for row in rows])
    given = [np.array([chance(law, row, *seen, 2) for row in rows]) / label for seen in ((0,), (1,), (0, 1))]
    return shared_exclusion(*plain, *given) / np.log(2)


@every_gate
def test_sx_with_the_true_marginals(which):
    pid = PID_SX(distribution(which), SOURCES, TARGET, pointwise=True)
    theirs = pid.get_pw_red(ATOMS[0])
    r = with_true_marginals(which)
    assert r == pytest.approx([theirs[row] for row in GATES[which]], abs=1e-9)
    i1, i2, i12 = np.array([information(distribution(which), row) for row in GATES[which]]).T
    whole = [r.mean(), (i1 - r).mean(), (i2 - r).mean(), (i12 - i1 - i2 + r).mean()]
    assert whole == pytest.approx(atoms(pid), abs=1e-9)


@every_gate
def test_sx_with_equal_weights(which):
    law = distribution(which)
    r = ours(which, "sx")[0]
    assert r == pytest.approx([by_definition(law, row, "sx") for row in GATES[which]], abs=1e-9)
    agrees = abs(r.mean() - with_true_marginals(which).mean()) < 1e-9
    assert agrees == (which == "RDN")


def test_shared_exclusion_of_events_that_never_meet_is_sx():
    """P(x1) = P(x2), P(x1, x2) = 0: log (p1y + p2y) / (2 p) = log (e^i1 + e^i2) / 2."""
    p, p1y, p2y, zero = np.full(3, 0.2), np.array([0.2, 0.5, 0.01]), np.array([0.2, 0.1, 0.03]), np.zeros(3)
    i1, i2 = np.log(p1y / p), np.log(p2y / p)
    expected = redundancy("sx", i1, i2, zero, zero, zero)
    assert shared_exclusion(p, p, zero, p1y, p2y, zero) == pytest.approx(expected, abs=1e-12)
