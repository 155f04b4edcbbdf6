"""Tier 3, slow obvious twins: folds, projection, parallel work, networks and heads."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from toy_data import classes_in_space

from lsmi_core.estimator import _PairModel
from lsmi_core.folds import stratified_folds
from lsmi_core.heads import PENALTIES, SHRINKAGES, Head, InnerSplit, Projection
from lsmi_core.linear import discriminant_coefficients, linear_scores, softmax_coefficients
from lsmi_core.parallel import side_by_side
from lsmi_core.pooling import mean_log_likelihood
from lsmi_core.training import NetworkEnsemble, train_networks

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_core")


# --- folds ----------------------------------------------------------------------------------------------------------
@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(sizes=st.lists(st.integers(1, 17), min_size=1, max_size=6), n_splits=st.integers(2, 7), seed=st.integers(0, 99))
def test_folds_spread_every_class(sizes, n_splits, seed):
    codes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    folds = stratified_folds(codes, n_splits, np.random.default_rng(seed))
    assert folds.shape == codes.shape
    assert folds.dtype == np.int64
    assert set(folds) <= set(range(n_splits))
    assert np.ptp(np.bincount(folds, minlength=n_splits)) <= 1
    for label, size in enumerate(sizes):
        counts = np.bincount(folds[codes == label], minlength=n_splits)
        assert np.ptp(counts) <= 1
        if size >= 2:  # whoever is held out leaves one of its kind behind
            assert counts.max() < size
    assert np.array_equal(folds, stratified_folds(codes, n_splits, np.random.default_rng(seed)))


def test_folds_are_drawn_and_not_dealt_in_order():
    codes = np.zeros(60, dtype=int)
    draws = [stratified_folds(codes, 3, np.random.default_rng(seed)) for seed in range(2)]
    assert not np.array_equal(*draws)
    assert not np.array_equal(draws[0], np.arange(60) % 3)


def test_inner_split_picks_the_fit_that_did_not_see_the_sample():
    folds = np.array([0, 2, 1, 0])
    split = InnerSplit(folds, 3)
    members = split.members(CPU).numpy()
    assert members.shape == (4, 4)
    for k in range(3):
        assert members[k].tolist() == [f != k for f in folds]
    assert members[3].all()
    scores = torch.arange(4.0)[:, None, None].expand(4, 4, 2)  # every fit says its own number
    assert split.held_out(scores).tolist() == [[0, 0], [2, 2], [1, 1], [0, 0]]


# --- projection -----------------------------------------------------------------------------------------------------
def test_projection_is_principal_components_of_standardised_columns():
    x, _ = classes_in_space(80)
    x = x * [1, 5, 100, 1e4] + [0, 3, -7, 1e5]
    found = Projection().fit(x).transform(x)
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    values, vectors = np.linalg.eigh(standard.T @ standard / 80)
    twin = standard @ vectors[:, ::-1]
    # Four standardised columns: mean variance is already 1. The sign of an axis is free.
    assert np.abs(found) == pytest.approx(np.abs(twin), abs=1e-8)
    assert found.var(axis=0) == pytest.approx(values[::-1])


def test_projection_drops_constant_columns_and_units():
    x, _ = classes_in_space(60)
    plain = Projection().fit(x).transform(x)
    padded = np.column_stack([x[:, 0], np.full(60, 0.1), x[:, 1:], np.zeros(60), np.full(60, -1e6)])
    found = Projection().fit(padded).transform(padded)
    assert found[:, 4:] == pytest.approx(np.zeros((60, 3)), abs=1e-9)
    distances = lambda v: np.linalg.norm(v[:, None] - v[None], axis=2)
    ratio = distances(found)[~np.eye(60, dtype=bool)] / distances(plain)[~np.eye(60, dtype=bool)]
    assert ratio == pytest.approx(np.full_like(ratio, ratio[0]))
    other = x * [1e3, 1e-3, 7, 1] + 50
    assert np.abs(Projection().fit(other).transform(other)) == pytest.approx(np.abs(plain), abs=1e-8)


def test_projection_of_new_values_in_a_column_that_was_constant():
    """Such a column taught nothing, so nothing can be read off it."""
    x, _ = classes_in_space(60)
    projection = Projection().fit(np.column_stack([x, np.ones(60)]))
    before, after = (projection.transform(np.column_stack([x, np.full(60, v)])) for v in (1.0, 9.0))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("n_samples, n_features, kept", [(20, 50, 20), (400, 300, 256), (50, 1, 1)])
def test_projection_of_wide_data(n_samples, n_features, kept):
    x = np.random.default_rng(0).standard_normal((n_samples, n_features))
    projection = Projection().fit(x)
    found = projection.transform(x)
    assert found.shape == (n_samples, kept)
    assert found.std() == pytest.approx(1, abs=0.05)
    assert np.all(np.diff(found.var(axis=0)) <= 1e-9)
    assert projection.transform(x[:3]) == pytest.approx(found[:3], abs=1e-9)


def test_projection_of_nothing_but_constants():
    projection = Projection().fit(np.full((10, 3), 4.0))
    assert np.array_equal(projection.transform(np.random.default_rng(0).random((5, 3))), np.zeros((5, 3)))


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


# --- networks and heads ---------------------------------------------------------------------------------------------
def trained(x: np.ndarray, codes: np.ndarray, members: torch.Tensor, **options: int) -> NetworkEnsemble:
    generator = torch.Generator().manual_seed(7)
    return train_networks(
        torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(codes), members, 3, generator, **options
    )


def three_subsets(n: int) -> torch.Tensor:
    members = np.ones((3, n), dtype=bool)
    for k in range(3):
        members[k, k::4] = False
    return torch.as_tensor(members)


def test_networks_do_not_influence_one_another():
    """One epoch, so that the shared stopping rule has no say: each network equals itself trained alone."""
    x, codes = classes_in_space(200)
    members = three_subsets(200)
    together = trained(x, codes, members, max_epochs=1)
    start = NetworkEnsemble(1, 4, 64, 3, torch.Generator().manual_seed(7), CPU)
    for k in range(3):
        alone = trained(x, codes, members[k : k + 1], max_epochs=1)
        for a, b, c in zip(together.parameters, alone.parameters, start.parameters, strict=True):
            assert torch.allclose(a[k], b[0], atol=1e-6)
            assert not torch.allclose(a[k], c[0], atol=1e-4)


def test_held_out_samples_teach_a_network_nothing():
    x, codes = classes_in_space(200)
    members = three_subsets(200)[:1]
    outside = ~members[0].numpy()
    spoilt_x, spoilt = x.copy(), codes.copy()
    spoilt_x[outside] *= -5
    spoilt[outside] = (codes[outside] + 1) % 3
    once, again = trained(x, codes, members, max_epochs=1), trained(spoilt_x, spoilt, members, max_epochs=1)
    for a, b in zip(once.parameters, again.parameters, strict=True):
        assert torch.allclose(a, b, atol=1e-7)


def test_one_network_step_is_adamw_on_its_own_mean_loss():
    """The same network written with torch.nn, same start, same batches."""
    x, codes = classes_in_space(100)
    members = three_subsets(100)
    ours = trained(x, codes, members, max_epochs=2)
    generator = torch.Generator().manual_seed(7)
    twin = torch.nn.Sequential(
        torch.nn.Linear(4, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 3)
    )
    with torch.no_grad():
        for layer in twin[::2]:
            rows = layer.in_features
            layer.weight.copy_((torch.randn(rows, layer.out_features, generator=generator) * (2 / rows) ** 0.5).T)
            layer.bias.zero_()
    optimiser = torch.optim.AdamW(twin.parameters(), lr=2e-3, weight_decay=1e-2)
    data, labels = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(codes)
    for _ in range(2):
        for rows in torch.randperm(100, generator=generator).split(32):
            rows = rows[members[1][rows]]
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(twin(data[rows]), labels[rows]).backward()
            optimiser.step()
    assert torch.allclose(ours.scores(data)[1], twin(data), atol=1e-4)


def test_training_stops_at_the_best_epoch_for_held_out_samples():
    """Labels are noise: every further epoch makes the held-out samples less likely, and is thrown away."""
    rng = np.random.default_rng(0)
    x, codes = rng.standard_normal((90, 30)), rng.integers(3, size=90)
    members = three_subsets(90)
    stopped = trained(x, codes, members)
    data, labels = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(codes)

    def loss(networks: NetworkEnsemble) -> float:
        log_p = torch.log_softmax(networks.scores(data), dim=2).detach()
        own = log_p[:, torch.arange(90), labels]
        return -float(own[~members].mean())

    by_epochs = [loss(trained(x, codes, members, max_epochs=k, patience=99)) for k in range(1, 13)]
    assert loss(stopped) == pytest.approx(min(by_epochs), abs=1e-6)
    assert loss(stopped) < loss(trained(x, codes, members, max_epochs=40, patience=99)) + 1e-9


def head_of(x: np.ndarray, codes: np.ndarray, **others: np.ndarray) -> Head:
    folds = stratified_folds(codes, 3, np.random.default_rng(0))
    return Head(3, CPU).fit(x, codes, InnerSplit(folds, 3), others)


def test_head_gives_probabilities_that_fit():
    drawn, labels = classes_in_space(1200)
    x, codes, new, truth = drawn[:400], labels[:400], drawn[400:], labels[400:]
    head = head_of(x, codes)
    log_p = head.log_proba(new)
    assert np.exp(log_p).sum(axis=1) == pytest.approx(np.ones(800))
    assert np.exp(head.held_out_log_proba_).sum(axis=1) == pytest.approx(np.ones(400))
    assert sum(head.weights_.values()) == pytest.approx(1)
    twin = LogisticRegression(max_iter=1000).fit(x, codes).predict_log_proba(new)
    assert mean_log_likelihood(log_p, truth) > mean_log_likelihood(twin, truth) - 0.03
    assert mean_log_likelihood(log_p, truth) == pytest.approx(
        mean_log_likelihood(head.held_out_log_proba_, codes), abs=0.12
    )


def test_head_falls_back_on_the_prior():
    rng = np.random.default_rng(0)
    codes = rng.choice(3, size=300, p=[0.6, 0.3, 0.1])
    head = head_of(rng.standard_normal((300, 400)), codes)
    log_prior = np.log(np.bincount(codes) / 300)
    said = head.log_proba(rng.standard_normal((50, 400)))
    assert np.abs(np.exp(said) - np.exp(log_prior)).mean() < 0.05
    assert mean_log_likelihood(head.held_out_log_proba_, codes) == pytest.approx(log_prior[codes].mean(), abs=0.03)


def test_head_leans_on_what_others_know():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=300)
    hint = log_softmax(4 * np.eye(3)[codes] + rng.standard_normal((300, 3)), axis=1)
    head = head_of(rng.standard_normal((300, 5)), codes, friend=hint)
    assert head.weights_["friend"] > 0.9
    assert list(head.weights_) == ["prior", "discriminant", "softmax", "network", "friend"]
    said = head.log_proba(rng.standard_normal((4, 5)), {"friend": hint[:4]})
    assert np.exp(said) == pytest.approx(np.exp(hint[:4]), abs=0.1)


def test_new_samples_are_scored_by_the_fits_that_saw_everybody():
    """Each family's prediction is, up to its temperature, the scores of the last of the (inner + 1) fits."""
    x, codes = classes_in_space(150)
    split = InnerSplit(stratified_folds(codes, 3, np.random.default_rng(0)), 3)
    head = Head(3, CPU).fit(x, codes, split)
    data, labels = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(codes)
    members = split.members(CPU)
    networks = train_networks(data, labels, members, 3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        fits = {
            "discriminant": linear_scores(data, discriminant_coefficients(data, labels, members, 3, SHRINKAGES)[-1]),
            "softmax": linear_scores(data, softmax_coefficients(data, labels, members, 3, PENALTIES)[-1]),
            "network": networks.scores(data)[-1:],
        }
    centre = lambda scores: (scores - scores.mean(axis=1, keepdims=True)).ravel()
    for name, settings_tried in fits.items():
        said = centre(head.candidates_[name].predict(data))
        alike = [np.corrcoef(said, centre(scores.double().numpy()))[0, 1] for scores in settings_tried]
        assert max(alike) > 1 - 1e-9, name


def test_product_of_modalities_is_bayes_rule_for_independent_evidence():
    """p(y|x1, x2) is proportional to p(y) p(x1|y) p(x2|y); a biased prior must be counted once, not twice."""
    rng = np.random.default_rng(0)
    prior, n = np.array([0.7, 0.2, 0.1]), 10
    likelihoods = rng.random((2, n, 3))
    posteriors = [prior * p / (prior * p).sum(axis=1, keepdims=True) for p in likelihoods]
    model = _PairModel(3, "task", CPU, 0)
    model.log_prior_ = np.log(prior)
    fusions = model._fusions(*np.log(posteriors))
    for k in range(n):
        both = [prior[c] * likelihoods[0, k, c] * likelihoods[1, k, c] for c in range(3)]
        assert np.exp(fusions["product"][k]) == pytest.approx(np.array(both) / sum(both))
    assert np.array_equal(fusions["first alone"], np.log(posteriors[0]))
    assert np.array_equal(fusions["second alone"], np.log(posteriors[1]))
