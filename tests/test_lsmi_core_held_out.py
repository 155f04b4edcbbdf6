"""Tier 1: what is said of a sample owes nothing to its own label, nor to those of its fold; folds and prior fixed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toy_data import folds_of, labels_of

from lsmi_core import LSMIEstimator
from lsmi_core.density import TiedMixture
from lsmi_core.families import cells, crossed, curved, groups, linear, screened
from lsmi_core.folds import Folds
from lsmi_core.heads import Candidate, Head, Labels
from lsmi_core.pair import PairModel, PairSettings
from lsmi_core.pooling import calibrate, pool_weights
from lsmi_core.projection import Projection
from lsmi_core.synthetic import ExactSamples, continuous_xor, gaussian_classes, planted_regimes

pytestmark = pytest.mark.usefixtures("one_core")

SPOILT = 2  # the fold whose labels are changed


def spoilt(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    codes = codes.copy()
    codes[rows] = (codes[rows] + 1) % (codes.max() + 1)
    return codes


class Seen:
    """Coordinates, whitened and not, and groups of two modalities; labels have no part in them."""

    def __init__(self, drawn: ExactSamples) -> None:
        projections = [Projection(), Projection()]
        self.z = [torch.as_tensor(p.fit_transform(x)) for p, x in zip(projections, (drawn.x1, drawn.x2), strict=True)]
        self.white = [z / torch.as_tensor(p.deviations_).float() for z, p in zip(self.z, projections, strict=True)]
        self.shares = [torch.as_tensor(TiedMixture().fit(z.numpy()).responsibilities(z.numpy())) for z in self.z]


FAMILIES = {
    "linear": (lambda labels, seen: linear(seen.z[0], labels), lambda seen: seen.z[:1]),
    "screened": (lambda labels, seen: screened(seen.z[0], labels), lambda seen: seen.z[:1]),
    "curved": (lambda labels, seen: curved(seen.z[0], labels, 0), lambda seen: seen.z[:1]),
    "groups": (lambda labels, seen: groups(seen.shares[0], labels), lambda seen: seen.shares[:1]),
    "cells": (lambda labels, seen: cells(*seen.shares, labels), lambda seen: seen.shares),
    "crossed": (lambda labels, seen: crossed(*seen.white, labels, 0), lambda seen: seen.white),
}


@pytest.mark.parametrize("n", [400, 4400], ids=["few", "many"])
@pytest.mark.parametrize("family", FAMILIES)
def test_labels_of_a_fold_do_not_reach_what_is_said_of_it(family, n):
    """Every label of one fold is changed: its own scores stay bit for bit, those of all other parts move."""
    drawn = continuous_xor(n, 6) if family == "crossed" else planted_regimes(n, noise_features=30)
    build, reads = FAMILIES[family]
    seen, folds = Seen(drawn), folds_of(drawn.y, 4)
    rows, log_prior = folds.outside[SPOILT], np.log(np.bincount(drawn.y) / n)
    before, after = (
        build(labels_of(codes, folds, log_prior), seen) for codes in (drawn.y, spoilt(drawn.y, rows.numpy()))
    )  # fmt: skip
    for part in range(folds.n_parts):
        told = [c.scores_of_new(part, *(data[rows] for data in reads(seen))).numpy() for c in (before, after)]
        assert np.array_equal(*told) == (part == SPOILT), part


def test_scales_of_a_fold_are_chosen_by_the_others():
    """Held-out scores given, the labels of a fold have no say in its own setting, temperature or weights."""
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=200)
    folds = folds_of(codes)
    scores = torch.as_tensor(np.stack([2.0 * np.eye(3)[codes], np.eye(3)[codes]]) + rng.standard_normal((2, 200, 3)))
    other = spoilt(codes, folds.outside[SPOILT].numpy())
    before, after = (calibrate(scores, torch.as_tensor(c), folds) for c in (codes, other))
    assert np.array_equal(before.setting[SPOILT], after.setting[SPOILT])
    assert before.temperature[SPOILT] == pytest.approx(after.temperature[SPOILT], rel=1e-12)
    assert np.all(np.abs(np.delete(before.temperature - after.temperature, SPOILT)) > 1e-3)
    log_p = torch.log_softmax(torch.cat([torch.zeros(1, 200, 3), scores]), dim=2).numpy()
    before, after = (pool_weights(log_p[:, np.arange(200), c], folds) for c in (codes, other))
    assert np.array_equal(before[SPOILT], after[SPOILT])
    assert not np.any([np.array_equal(before[k], after[k]) for k in range(4) if k != SPOILT])


def pair_of(drawn: ExactSamples, codes: np.ndarray, folds: Folds, surprisal: str = "task") -> PairModel:
    labels = Labels(torch.as_tensor(codes), np.log(np.bincount(drawn.y) / len(codes)), folds)
    return PairModel(labels, PairSettings(surprisal, torch.device("cpu"), 0)).fit(drawn.x1, drawn.x2)


def heads_of(pair: PairModel) -> list[Head]:
    return [view.head for view in pair.views] + [pair.joint]


@pytest.mark.parametrize("law", [planted_regimes, gaussian_classes], ids=lambda law: law.__name__)
def test_an_own_label_hardly_moves_what_is_said_of_the_sample(law):
    """Only through others: its label teaches the parts that score other folds, and those settle its scales.

    Labels of ten samples are changed one at a time. Measured, 24 samples, n = 400: the largest move of a probability of
    the same sample has median .0014 and ninth decile .012 (.16 at worst, where a pool falls back on one family), and
    the new label gains .002 on average, standard error .002: who had seen it would gain much more.
    """
    drawn = law(400, n_classes=4)
    folds = folds_of(drawn.y, 5, with_all=False)
    plain = pair_of(drawn, drawn.y, folds)
    moves, gains = [], []
    for n in range(0, 400, 40):
        labels = spoilt(drawn.y, np.array([n]))
        moved = pair_of(drawn, labels, folds)
        for before, after in zip(heads_of(plain), heads_of(moved), strict=True):
            change = np.exp(after.held_out[n]) - np.exp(before.held_out[n])
            moves.append(np.abs(change).max())
            gains.append(change[labels[n]])
    assert np.median(moves) < 0.006
    assert np.mean(gains) < 0.01


def test_an_own_label_is_not_learned():
    """Twins with opposite labels: who learns a sample's own label predicts it, who learns only its twin's is wrong."""
    rng = np.random.default_rng(0)
    x = np.repeat(5 * rng.standard_normal((100, 300)), 2, axis=0)
    found = LSMIEstimator(n_splits=2).fit_score(x, x, np.tile([0, 1], 100))
    assert found.means()["i12"] < 0.02


def test_noise_much_wider_than_it_is_long_says_nothing():
    """Any fit separates 200 samples in 1,000 dimensions: scored in the sample, each would show log 2 nats."""
    rng = np.random.default_rng(0)
    x1, x2 = rng.standard_normal((2, 200, 1000))
    means = LSMIEstimator(n_splits=2).fit_score(x1, x2, rng.integers(2, size=200)).means()
    assert [means[key] for key in ("i1", "i2", "i12")] == pytest.approx([0] * 3, abs=0.03)


def test_columns_that_are_left_out_of_a_candidate_are_left_out():
    """The check above would pass for a family that reads nothing: this one reads every label, and is found out."""
    codes = np.arange(80) % 2
    folds = folds_of(codes)
    for labels, same in ((labels_of(codes, folds), True), (labels_of(1 - codes, folds), False)):
        greedy = Candidate(
            lambda part, rows, known=labels.codes: torch.nn.functional.one_hot(known[rows[:, 0]], 2)[None].float(),
            (torch.arange(80)[:, None],),
            labels,
        )
        scores = greedy.scores_of_new(0, torch.arange(80)[:, None])[0].argmax(dim=1).numpy()
        assert np.array_equal(scores, codes) == same
