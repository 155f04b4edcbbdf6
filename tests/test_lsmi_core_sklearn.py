"""The scikit-learn contract of the parts that take one X, by scikit-learn's own checks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from lsmi_core.classifier import PooledClassifier
from lsmi_core.density import TiedMixture
from lsmi_core.errors import InvalidInputError
from lsmi_core.synthetic import gaussian_classes


@parametrize_with_checks([TiedMixture(), TiedMixture(n_components=2), PooledClassifier()])
def test_scikit_learn_accepts(estimator, check):
    check(estimator)


def test_the_classifier_works_in_a_pipeline_and_is_as_good_as_a_plain_one():
    drawn = gaussian_classes(800, n_classes=4)
    ours, plain = make_pipeline(StandardScaler(), PooledClassifier()), LogisticRegression(max_iter=1000)
    losses = [
        log_loss(drawn.y, cross_val_predict(m, drawn.x1, drawn.y, cv=4, method="predict_proba")) for m in (ours, plain)
    ]
    assert losses[0] < losses[1] + 0.01


def test_families_and_prior_share_the_weight():
    drawn = gaussian_classes(200, n_classes=2)
    weights = PooledClassifier().fit(drawn.x1, drawn.y).weights_
    assert {"prior", "linear", "curved", "groups"} <= weights.keys()
    assert sum(weights.values()) == pytest.approx(1)


@pytest.mark.parametrize("n_splits", [1, 2.5, "many"])
def test_folds_that_cannot_be(n_splits):
    with pytest.raises(
        InvalidInputError, match=r"'n_splits' parameter of PooledClassifier must be an int in the range"
    ):
        PooledClassifier(n_splits=n_splits).fit(np.eye(4), [0, 1, 0, 1])
