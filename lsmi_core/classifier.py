"""The head of one view as a scikit-learn classifier: calibrated class probabilities from features."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from lsmi_core.errors import InvalidInputError
from lsmi_core.folds import Folds, stratified_folds
from lsmi_core.heads import Labels
from lsmi_core.pair import PairSettings, View

__all__ = ["PooledClassifier"]


class PooledClassifier(ClassifierMixin, BaseEstimator):
    """Calibrated p(y | x), pooled over families of heads by held-out likelihood, as the estimator reads one view.

    Parameters
    ----------
    n_splits : int, default=5
        Folds whose held-out predictions calibrate and weigh the families; at least 2.
    random_state : int, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : dict of str to float
        What each family contributes, the class prior among them.

    Examples
    --------
    >>> from lsmi_core.classifier import PooledClassifier
    >>> from lsmi_core.synthetic import gaussian_classes
    >>> drawn = gaussian_classes(300, n_classes=2)
    >>> PooledClassifier().fit(drawn.x1, drawn.y).predict_proba(drawn.x1).shape
    (300, 2)
    """

    def __init__(self, n_splits: int = 5, random_state: int = 0) -> None:
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> PooledClassifier:  # noqa: N803
        """Learn from X of shape (n_samples, n_features) and labels y of shape (n_samples,); return self."""
        X, y = validate_data(self, X, y, dtype=[np.float32, np.float64])  # noqa: N806
        check_classification_targets(y)
        if not isinstance(self.n_splits, int) or self.n_splits < 2:
            raise InvalidInputError(
                "The 'n_splits' parameter of PooledClassifier must be an int in the range [2, inf). "
                f"Got {self.n_splits!r} instead."
            )
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InvalidInputError("y must hold at least 2 different labels. Got 1 class.")
        drawn = stratified_folds(codes, self.n_splits, np.random.default_rng(self.random_state))
        log_prior = np.log(np.bincount(codes) / len(codes))
        labels = Labels(torch.as_tensor(codes), log_prior, Folds(drawn, self.n_splits, with_all=True))
        self.view_ = View(labels, PairSettings("task", torch.device("cpu"), self.random_state)).fit(X)
        self.weights_ = {name: float(w[-1]) for name, w in self.view_.head.weights.items()}
        return self

    def predict_log_proba(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """Return log p(y | x), shape (n_samples, n_classes), in nats."""
        check_is_fitted(self, "view_")
        return self.view_.read(validate_data(self, X, dtype=[np.float32, np.float64], reset=False)).log_p

    def predict_proba(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """Return p(y | x), shape (n_samples, n_classes)."""
        p = np.exp(self.predict_log_proba(X))
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """Return the most likely label of each sample."""
        check_is_fitted(self, "view_")
        return self.classes_[self.predict_log_proba(X).argmax(axis=1)]
