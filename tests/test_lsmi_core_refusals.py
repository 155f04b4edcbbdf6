"""Contract: what is refused, and in which words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

from lsmi_core import InvalidInputError, LSMIEstimator


def spoilt(x: np.ndarray, rows: list[int], value: float) -> np.ndarray:
    x = x.copy()
    x[rows, 1] = value
    return x


X, Y = np.random.default_rng(0).standard_normal((20, 3)), np.arange(20) % 2
WHICH_ARRAY = [
    (
        {"x1": spoilt(X, [4, 9], np.nan)},
        "x1 has values that are not finite in 2 of 20 rows (first: row 4); drop or fill those rows.",
    ),
    (
        {"x2": spoilt(X, [0], -np.inf)},
        "x2 has values that are not finite in 1 of 20 rows (first: row 0); drop or fill those rows.",
    ),
    (
        {"x1": X[:, 0]},
        "x1 must have shape (n_samples, n_features). Got shape (20,); reshape a single feature with x.reshape(-1, 1).",
    ),
    (
        {"x2": np.zeros((20, 0))},
        "x2 must have shape (n_samples, n_features). Got shape (20, 0); "
        "reshape a single feature with x.reshape(-1, 1).",
    ),
    (
        {"x2": X[None]},
        "x2 must have shape (n_samples, n_features). Got shape (1, 20, 3); "
        "reshape a single feature with x.reshape(-1, 1).",
    ),
    ({"x1": np.array([["a", 1.0]] * 20, dtype=object)}, "x1 must hold numbers only, one row a sample."),
    ({"x2": [[1.0, 2.0]] * 19 + [[1.0]]}, "x2 must hold numbers only, one row a sample."),
    (
        {"x1": X[:19]},
        "All inputs need the same number of rows: x1 has 19, x2 has 20, y has 20.",
    ),
    ({"y": Y[:18]}, "All inputs need the same number of rows: x1 has 20, x2 has 20, y has 18."),
    ({"x12": X[:5]}, "All inputs need the same number of rows: x1 has 20, x2 has 20, y has 20, x12 has 5."),
    (
        {"x12": X[:, 0]},
        "x12 must have shape (n_samples, n_features). Got shape (20,); reshape a single feature with x.reshape(-1, 1).",
    ),
    (
        {"x12": spoilt(X, [7], np.inf)},
        "x12 has values that are not finite in 1 of 20 rows (first: row 7); drop or fill those rows.",
    ),
    ({"x1": X + 1j}, "x1 must hold numbers only, one row a sample."),
    ({"y": Y[:, None]}, "y must have shape (n_samples,). Got shape (20, 1)."),
    ({"y": np.where(Y, 1.0, np.nan)}, "y has missing labels; drop those samples or label them."),
    (
        {"y": np.array(["a", None] * 10, dtype=object)},
        "y mixes labels that cannot be compared; make them all text or all numbers.",
    ),
    (
        {"y": np.array([1.0, None] * 10, dtype=object)},
        "y mixes labels that cannot be compared; make them all text or all numbers.",
    ),
    ({"y": np.array([1.0, np.nan] * 10, dtype=object)}, "y has missing labels; drop those samples or label them."),
    ({"y": np.where(Y, np.arange(20) / 3, np.nan)}, "y has missing labels; drop those samples or label them."),
    ({"y": np.zeros(20)}, "y must hold at least 2 different labels. Got 1."),
    (
        {"x1": X[:0], "x2": X[:0], "y": Y[:0]},
        "x1 must have shape (n_samples, n_features). Got shape (0, 3); reshape a single feature with x.reshape(-1, 1).",
    ),
    (
        {"y": np.array(["a"] * 9 + ["b"] * 9 + ["lone", "z"])},
        "Every label needs at least 2 samples; 2 have one (first: lone). Drop or merge them.",
    ),
    (
        {"x1": X[:9], "x2": X[:9], "y": Y[:9]},
        "5 folds need at least 10 samples. Got 9; add samples or lower n_splits.",
    ),
]
CHOICE = "The '{}' parameter of LSMIEstimator must be a str among {{{}}}. Got {} instead."
NUMBER = "The '{}' parameter of LSMIEstimator must be an int in the range [{}, {}). Got {} instead."
WHICH_PARAMETER = [
    ({"redundancy": "broja"}, CHOICE.format("redundancy", "'cautious', 'lsmi', 'mmi', 'ccs', 'sx'", "'broja'")),
    ({"redundancy": 3}, CHOICE.format("redundancy", "'cautious', 'lsmi', 'mmi', 'ccs', 'sx'", "3")),
    ({"surprisal": "pixels"}, CHOICE.format("surprisal", "'task', 'feature'", "'pixels'")),
    ({"device": "tpu"}, CHOICE.format("device", "'auto', 'cpu', 'cuda', 'mps'", "'tpu'")),
    ({"n_splits": 1}, NUMBER.format("n_splits", 2, "inf", 1)),
    ({"n_splits": 2.0}, NUMBER.format("n_splits", 2, "inf", 2.0)),
    ({"n_splits": True}, NUMBER.format("n_splits", 2, "inf", True)),
    ({"n_repeats": 0}, NUMBER.format("n_repeats", 1, "inf", 0)),
    ({"n_quantiles": 1}, NUMBER.format("n_quantiles", 2, "inf", 1)),
    ({"protocol": "fast"}, CHOICE.format("protocol", "'cross-fit', 'published'", "'fast'")),
    ({"random_state": -1}, NUMBER.format("random_state", 0, 2**32, -1)),
    ({"random_state": None}, NUMBER.format("random_state", 0, 2**32, None)),
]


@pytest.mark.parametrize("method", ["fit", "fit_score"])
@pytest.mark.parametrize("arrays, sentence", WHICH_ARRAY, ids=[s[:40] for _, s in WHICH_ARRAY])
def test_arrays_that_cannot_be_scored(arrays, sentence, method):
    given_arrays = {"x1": X, "x2": X, "y": Y, **arrays}
    with pytest.raises(InvalidInputError) as caught:
        getattr(LSMIEstimator(), method)(**given_arrays)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("method", ["fit", "fit_score"])
@pytest.mark.parametrize("parameters, sentence", WHICH_PARAMETER, ids=[str(p) for p, _ in WHICH_PARAMETER])
def test_parameters_that_cannot_be_used(parameters, sentence, method):
    model = LSMIEstimator(**parameters)  # as in scikit-learn, the constructor takes anything
    with pytest.raises(InvalidInputError) as caught:
        getattr(model, method)(X, X, Y)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("device", "backend", "sentence"),
    [
        ("cuda", torch.cuda, "device='cuda' was asked for but no CUDA device is there; use device='auto'."),
        ("mps", torch.backends.mps, "device='mps' was asked for but no Apple GPU is there; use device='auto'."),
    ],
)
def test_a_device_that_is_not_there(monkeypatch, device, backend, sentence):
    monkeypatch.setattr(backend, "is_available", lambda: False)  # so that it is refused on every machine
    for method in ("fit", "fit_score"):
        with pytest.raises(InvalidInputError) as caught:
            getattr(LSMIEstimator(device=device), method)(X, X, Y)
        assert str(caught.value) == sentence


def test_scoring_before_fitting():
    with pytest.raises(NotFittedError):
        LSMIEstimator().score_samples(X, X, Y)
    with pytest.raises(NotFittedError):
        LSMIEstimator().expected_interactions(X, X)


def test_the_published_protocol_knows_no_joint_representation():
    model, sentence = LSMIEstimator(protocol="published"), "The published protocol knows no x12"
    for method in (model.fit, model.fit_score):
        with pytest.raises(InvalidInputError, match=sentence):
            method(X, X, Y, X)
    model.fit(X, X, Y)
    with pytest.raises(InvalidInputError, match="x12"):
        model.score_samples(X, X, Y, X)
    with pytest.raises(InvalidInputError, match="Expected interactions need protocol='cross-fit'"):
        model.expected_interactions(X, X)


def test_a_joint_representation_is_given_both_times_or_never():
    model = LSMIEstimator().fit(X, X, Y, X[:, :2])
    for method, labels in ((model.score_samples, (Y,)), (model.expected_interactions, ())):
        with pytest.raises(InvalidInputError, match="x12 must be given exactly when fit was given one."):
            method(X, X, *labels)
        with pytest.raises(InvalidInputError, match="x12 has 3 features but fit saw 2."):
            method(X, X, *labels, x12=X)


@pytest.fixture(scope="module")
def fitted() -> LSMIEstimator:
    return LSMIEstimator().fit(X, X[:, :2], Y)


@pytest.mark.parametrize(
    "arrays, sentence",
    [
        ({"x1": X[:, :2]}, "x1 has 2 features but fit saw 3."),
        ({"x2": X}, "x2 has 3 features but fit saw 2."),
        ({"y": Y + 1}, "y has 1 label(s) that fit did not see (first: 2)."),
        ({"y": np.array(["a", "b"] * 10)}, "y has 2 label(s) that fit did not see (first: a)."),
        ({"y": np.where(Y, 1.0, np.nan)}, "y has missing labels; drop those samples or label them."),
        ({"y": Y[:7]}, "All inputs need the same number of rows: x1 has 20, y has 7."),
        ({"x2": X[:7, :2]}, "All inputs need the same number of rows: x1 has 20, x2 has 7."),
        ({"x12": X}, "x12 must be given exactly when fit was given one."),
        (
            {"x1": spoilt(X, [3], np.nan)},
            "x1 has values that are not finite in 1 of 20 rows (first: row 3); drop or fill those rows.",
        ),
        ({"x1": np.full((20, 3), "word")}, "x1 must hold numbers only, one row a sample."),
    ],
)
def test_new_samples_that_cannot_be_scored(fitted, arrays, sentence):
    with pytest.raises(InvalidInputError) as caught:
        fitted.score_samples(**{"x1": X, "x2": X[:, :2], "y": Y, **arrays})
    assert str(caught.value) == sentence


def test_labels_of_new_samples_must_be_flat(fitted):
    with pytest.raises(InvalidInputError, match="y must have shape"):
        fitted.score_samples(X, X[:, :2], Y[:, None])
