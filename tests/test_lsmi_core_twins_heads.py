"""Tier 3, slow obvious twins: families of heads, what is pooled from them, and the terms of a pair."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from scipy.stats import f_oneway
from sklearn.linear_model import LogisticRegression
from toy_data import classes_in_space, folds_of, insides, labels_of

from lsmi_core.crossed import MAX_DIRECTIONS, crossed_directions
from lsmi_core.families import curved, groups, linear, screened
from lsmi_core.folds import Folds
from lsmi_core.heads import Candidate, Head
from lsmi_core.linear import discriminant_coefficients, telling_features
from lsmi_core.pair import PairModel, PairSettings
from lsmi_core.parallel import side_by_side
from lsmi_core.pooling import pool
from lsmi_core.synthetic import continuous_xor, gaussian_classes

pytestmark = pytest.mark.usefixtures("one_core")

CPU = torch.device("cpu")


def single(x: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(x, dtype=torch.float32)


def mean_log_likelihood(log_p: np.ndarray, codes: np.ndarray) -> float:
    return float(log_p[np.arange(len(codes)), codes].mean())


# --- side by side ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n_workers", [None, 1, 4])
def test_results_come_in_the_order_of_the_tasks(n_workers):
    def work(k: int) -> int:
        time.sleep(0.02 * (3 - k))  # the first finishes last
        return k * k

    told = []
    assert side_by_side(work, range(4), n_workers=n_workers, on_done=told.append) == [0, 1, 4, 9]
    assert told == [1, 2, 3, 4]
    assert side_by_side(work, iter([]), n_workers=n_workers) == []


def test_threads_are_one_inside_and_as_before_afterwards():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert side_by_side(lambda _: torch.get_num_threads(), range(3)) == [1, 1, 1]
        assert torch.get_num_threads() == 2

        def fail(k: int) -> None:
            raise KeyError(f"task {k}")

        with pytest.raises(KeyError, match="task"):
            side_by_side(fail, range(2))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_tiny_numbers_are_flushed_inside_alone():
    tiny = lambda _=None: (torch.tensor(1e-40) * 1.0).item()
    assert side_by_side(tiny, range(2)) == [0.0, 0.0]
    assert tiny() > 0


# --- which columns tell ---------------------------------------------------------------------------------------------
def test_telling_features_are_those_of_an_analysis_of_variance():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=200)
    x = rng.standard_normal((200, 40))
    x[:, :20] += np.linspace(0, 0.8, 20) * codes[:, None]
    folds = folds_of(codes)
    found = telling_features(torch.as_tensor(x), torch.as_tensor(codes), folds, 3).numpy()
    assert found.shape == (4, 40)
    for part, rows in enumerate(insides(folds)):
        for j in range(40):
            p = f_oneway(*(x[rows, j][codes[rows] == c] for c in range(3))).pvalue
            assert found[part, j] == (p < 0.01)
    assert 10 < found[-1].sum() < 25


@pytest.mark.parametrize("with_all", [True, False])
def test_a_discriminant_of_some_columns_is_that_of_the_others_left_out(with_all):
    x, codes = classes_in_space(150, n_features=5)
    folds = folds_of(codes, with_all=with_all)
    kept = torch.as_tensor(np.random.default_rng(0).random((folds.n_parts, 5)) < 0.6)
    kept[1] = False
    found = discriminant_coefficients(torch.as_tensor(x), torch.as_tensor(codes), folds, 3, (0.2, 0.9), kept)
    assert found.shape == (folds.n_parts, 2, 6, 3)
    for part in range(folds.n_parts):
        some = torch.nonzero(kept[part])[:, 0]
        assert not found[part][:, :-1][:, ~kept[part]].any()
        if len(some):
            alone = discriminant_coefficients(torch.as_tensor(x)[:, some], torch.as_tensor(codes), folds, 3, (0.2, 0.9))
            assert found[part][:, some].numpy() == pytest.approx(alone[part][:, :-1].numpy())
            assert found[part][:, -1].numpy() == pytest.approx(alone[part][:, -1].numpy())


def test_screening_has_nothing_to_add_where_nearly_all_columns_tell():
    x, codes = classes_in_space(300)
    assert screened(single(x), labels_of(codes)) is None
    assert screened(single(x[:, :0]), labels_of(codes)) is None
    noisy = np.hstack([x, np.random.default_rng(0).standard_normal((300, 20))])
    assert screened(single(noisy), labels_of(codes)) is not None


# --- directions that tell together ----------------------------------------------------------------------------------
def test_crossed_directions_by_their_definition():
    """Delta_c = sqrt(n_c) (Cov(z1, z2 | c) - their weighted mean), and eigenvectors of the summed squares of those."""
    drawn = continuous_xor(400, n_features=5)
    z1, z2, codes = drawn.x1, drawn.x2, drawn.y
    away, shares = [], [(codes == c).mean() for c in range(2)]
    by_class = [np.cov(z1[codes == c].T, z2[codes == c].T, bias=True)[:5, 5:] for c in range(2)]
    middle = sum(share * cov for share, cov in zip(shares, by_class, strict=True))
    away = [np.sqrt((codes == c).sum()) * (by_class[c] - middle) for c in range(2)]
    found = crossed_directions(torch.as_tensor(z1), torch.as_tensor(z2), torch.as_tensor(codes), 2)
    for directions, gram in zip(
        found, (sum(a @ a.T for a in away), sum(a.T @ a for a in away)), strict=True
    ):  # fmt: skip
        values, vectors = np.linalg.eigh(gram)
        assert values[-1] > 10 * values[-2]
        assert abs(directions[:, 0].numpy() @ vectors[:, -1]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_an_exclusive_or_is_found_and_noise_is_not(seed):
    """The two directions of the law, each within ten degrees. Of ten draws of pure noise none shows a direction."""
    drawn = continuous_xor(2000, n_features=20, random_state=seed)
    codes = torch.as_tensor(drawn.y)
    found = crossed_directions(torch.as_tensor(drawn.x1), torch.as_tensor(drawn.x2), codes, 2)
    assert [f.shape[1] for f in found] in ([1, 1], [2, 2])
    for f, x in zip(found, (drawn.x1, drawn.x2), strict=True):
        along = np.linalg.eigh(np.cov(x.T))[1][:, -1]  # the direction is also the widest
        assert abs(f[:, 0].numpy() @ along) > np.cos(np.radians(10))
    rng = np.random.default_rng(seed)
    for _ in range(10):
        z1, z2 = rng.standard_normal((2, 300, 20))
        assert crossed_directions(*map(torch.as_tensor, (z1, z2, rng.integers(3, size=300))), 3) is None


def test_no_more_directions_than_asked_for():
    rng = np.random.default_rng(0)
    z1, codes = rng.standard_normal((3000, 6)), rng.integers(2, size=3000)
    z2 = z1 * np.where(codes, 1, -1)[:, None] + 0.1 * rng.standard_normal((3000, 6))
    found = crossed_directions(*map(torch.as_tensor, (z1, z2, codes)), 2)
    assert [f.shape for f in found] == [(6, MAX_DIRECTIONS)] * 2


# --- candidates and heads -------------------------------------------------------------------------------------------
def test_a_candidate_says_of_each_sample_what_the_part_that_left_it_out_says():
    """Scores are given: part k says of row x its number x plus k, so that the right part can be told."""
    codes = np.arange(60) % 3
    folds = folds_of(codes)
    data = torch.arange(60.0)[:, None]
    slopes = torch.tensor([0.01, -0.02, 0.03])
    candidate = Candidate(lambda part, x: ((x + 100 * part) * slopes)[None], (data,), labels_of(codes, folds))
    for n in range(60):
        part = folds.of[n]
        scores = (n + 100 * part) * slopes.numpy() / candidate.calibration.temperature[part]
        assert candidate.held_out[n] == pytest.approx(log_softmax(scores), abs=1e-5)
    new = candidate.log_proba(torch.tensor([[7.0]]))
    assert new[0] == pytest.approx(log_softmax(307 * slopes.numpy() / candidate.calibration.temperature[3]), abs=1e-5)


def head_of(x: np.ndarray, codes: np.ndarray, folds: Folds | None = None, **others: np.ndarray) -> Head:
    labels = labels_of(codes, folds)
    families = {"linear": linear(single(x), labels), "curved": curved(single(x), labels, 0), "none": None}
    return Head(labels, families, others)


def test_a_head_pools_every_fold_by_weights_of_its_own():
    x, codes = classes_in_space(240)
    folds = folds_of(codes)
    head = head_of(x, codes, folds)
    assert list(head.weights) == ["prior", "linear", "curved"]
    prior = np.log(np.bincount(codes) / 240)
    for n in range(240):
        weights = {name: w[folds.of[n]] for name, w in head.weights.items()}
        assert sum(weights.values()) == pytest.approx(1)
        p = weights["prior"] * np.exp(prior)
        for name in ("linear", "curved"):
            p = p + weights[name] * np.exp(head.candidates[name].held_out[n])
        assert np.exp(head.held_out[n]) == pytest.approx(p)
    new = classes_in_space(5, seed=1)[0]
    said = {name: c.log_proba(single(new)) for name, c in head.candidates.items()}
    last = np.array([w[-1] for w in head.weights.values()])
    expected = pool([np.tile(prior, (5, 1)), said["linear"], said["curved"]], last)
    assert head.log_proba({"linear": (single(new),), "curved": (single(new),)}) == pytest.approx(expected)


def test_a_part_that_saw_everybody_changes_nothing_for_the_others():
    x, codes = classes_in_space(200)
    with_all, without = (head_of(x, codes, folds_of(codes, with_all=w)) for w in (True, False))
    assert with_all.held_out == pytest.approx(without.held_out, abs=1e-4)


def test_head_gives_probabilities_that_fit():
    drawn, labels = classes_in_space(1200)
    x, codes, new, truth = drawn[:400], labels[:400], drawn[400:], labels[400:]
    head = head_of(x, codes)
    log_p = head.log_proba({"linear": (single(new),), "curved": (single(new),)})
    assert np.exp(log_p).sum(axis=1) == pytest.approx(np.ones(800))
    assert np.exp(head.held_out).sum(axis=1) == pytest.approx(np.ones(400))
    theirs = LogisticRegression(max_iter=1000).fit(x, codes).predict_log_proba(new)
    assert mean_log_likelihood(log_p, truth) > mean_log_likelihood(theirs, truth) - 0.03
    assert mean_log_likelihood(log_p, truth) == pytest.approx(mean_log_likelihood(head.held_out, codes), abs=0.12)


def test_head_falls_back_on_the_prior():
    rng = np.random.default_rng(0)
    codes = rng.choice(3, size=300, p=[0.6, 0.3, 0.1])
    head = head_of(rng.standard_normal((300, 400)), codes)
    log_prior = np.log(np.bincount(codes) / 300)
    new = single(rng.standard_normal((50, 400)))
    said = head.log_proba({"linear": (new,), "curved": (new,)})
    assert np.abs(np.exp(said) - np.exp(log_prior)).mean() < 0.05
    assert mean_log_likelihood(head.held_out, codes) == pytest.approx(log_prior[codes].mean(), abs=0.03)


def test_head_leans_on_what_others_know():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=300)
    hint = log_softmax(4 * np.eye(3)[codes] + rng.standard_normal((300, 3)), axis=1)
    head = head_of(rng.standard_normal((300, 5)), codes, friend=hint)
    assert head.weights["friend"].min() > 0.9
    new = single(rng.standard_normal((4, 5)))
    said = head.log_proba({"linear": (new,), "curved": (new,)}, {"friend": hint[:4]})
    assert np.exp(said) == pytest.approx(np.exp(hint[:4]), abs=0.1)


def test_groups_learn_a_table_for_every_part():
    """Hard groups of which each shows one label: whoever is left out is told what the others of the group show."""
    which = np.arange(120) % 4
    codes = np.array([0, 1, 2, 0])[which]
    labels = labels_of(codes)
    candidate = groups(torch.eye(4)[which], labels)
    assert np.array_equal(candidate.held_out.argmax(axis=1), codes)
    assert candidate.held_out[np.arange(120), codes].min() > np.log(0.9)


# --- a pair ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def pair() -> PairModel:
    drawn = gaussian_classes(300, n_classes=3)
    return PairModel(labels_of(drawn.y), PairSettings("task", CPU, 0)).fit(drawn.x1, drawn.x2)


def test_product_of_modalities_is_bayes_rule_for_independent_evidence(pair):
    """p(y|x1, x2) is proportional to p(y) p(x1|y) p(x2|y); a biased prior must be counted once, not twice."""
    rng = np.random.default_rng(0)
    prior, n = np.exp(pair.labels.log_prior), 10
    likelihoods = rng.random((2, n, 3))
    posteriors = [prior * p / (prior * p).sum(axis=1, keepdims=True) for p in likelihoods]
    fusions = pair._fusions(*np.log(posteriors))
    for k in range(n):
        both = [prior[c] * likelihoods[0, k, c] * likelihoods[1, k, c] for c in range(3)]
        assert np.exp(fusions["product"][k]) == pytest.approx(np.array(both) / sum(both))
    assert np.array_equal(fusions["first alone"], np.log(posteriors[0]))
    assert np.array_equal(fusions["second alone"], np.log(posteriors[1]))


def test_terms_of_a_pair_one_sample_at_a_time(pair):
    """swapped_pair = -log sum_c p(c|x1) p(c|x2) / p(c); label_error: how far the product is from the given label."""
    terms, codes = pair.held_out(), pair.labels.codes.numpy()
    prior = np.exp(pair.labels.log_prior)
    views = [np.exp(view.head.held_out) for view in pair.views] + [np.exp(pair.joint.held_out)]
    for n, label in enumerate(codes):
        for name, p in zip(("1", "2", "12"), views, strict=True):
            assert terms[f"i{name}"][n] == pytest.approx(np.log(p[n, label] / prior[label]))
            assert terms[f"top{name}"][n] == max(range(3), key=lambda c, p=p: p[n, c])
            assert terms[f"p{name}"][n] == pytest.approx(max(p[n]))
        for name, p in zip(("1", "2"), views, strict=False):
            told = sum(p[n, c] * np.log(p[n, c] / prior[c]) for c in range(3))
            assert terms[f"b{name}"][n] == pytest.approx(told)
        agreed = [views[0][n, c] * views[1][n, c] / prior[c] for c in range(3)]
        assert terms["swapped_pair"][n] == pytest.approx(-np.log(sum(agreed)))
        assert terms["label_error"][n] == pytest.approx(-np.log(agreed[label] / sum(agreed)))
