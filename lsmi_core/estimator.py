"""LSMIEstimator: features and labels in, pointwise interactions out, every sample scored by models blind to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from lsmi_core.density import MixtureSurprisal, label_statistic
from lsmi_core.errors import InvalidInputError
from lsmi_core.folds import stratified_folds
from lsmi_core.heads import Head, InnerSplit, Projection
from lsmi_core.interactions import PointwiseInteractions, Predictions
from lsmi_core.parallel import side_by_side
from lsmi_core.redundancy import REDUNDANCIES
from lsmi_core.validation import (
    check_choice,
    check_features,
    check_int,
    check_labels,
    check_same_length,
    distinct_labels,
)

__all__ = ["LSMIEstimator"]

INNER_SPLITS = 3
FEATURE_SURPRISAL_COMPONENTS = 64
STATISTIC_RESOLUTION = 0.5  # nats
FEATURE_RESOLUTION = 0.03  # whitened units


class LSMIEstimator(BaseEstimator):
    """Estimate redundancy, uniqueness and synergy of every sample.

    Parameters
    ----------
    redundancy : {"lsmi", "mmi", "ccs", "sx"}, default="lsmi"
        Definition of redundancy; can be changed on the result without a new fit.
    surprisal : {"task", "feature"}, default="task"
        Where surprisals are measured: on what each modality says about the label (comparable between
        modalities, blind to units and nuisance), or on the whitened features as published.
    n_splits : int, default=5
        Folds of the cross-fit; at least 2.
    random_state : int, default=0
        One seed repeats the whole run.
    device : {"auto", "cpu", "cuda", "mps"}, default="auto"
        Where heads are trained. "auto" takes an accelerator if there is one.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Set by :meth:`fit`.

    References
    ----------
    Yang, Wang and Hu 2025, "Efficient Quantification of Multimodal Interaction at Sample Level",
    arXiv:2506.17248. Differences from the published estimator are listed in docs/decisions.md.

    Examples
    --------
    >>> from lsmi_core import LSMIEstimator
    >>> from lsmi_core.synthetic import gaussian_classes
    >>> drawn = gaussian_classes(400, n_classes=2)
    >>> result = LSMIEstimator(n_splits=2).fit_score(drawn.x1, drawn.x2, drawn.y)
    >>> result.r.shape
    (400,)
    """

    def __init__(
        self,
        redundancy: str = "lsmi",
        surprisal: str = "task",
        n_splits: int = 5,
        random_state: int = 0,
        device: str = "auto",
    ) -> None:
        self.redundancy = redundancy
        self.surprisal = surprisal
        self.n_splits = n_splits
        self.random_state = random_state
        self.device = device

    def fit_score(
        self, x1: np.ndarray, x2: np.ndarray, y: np.ndarray, progress: Callable[[int, int], None] | None = None
    ) -> PointwiseInteractions:
        """Return the interactions of the given samples, each scored by models that did not see it.

        Parameters
        ----------
        x1, x2 : array-like of shape (n_samples, n_features_1) and (n_samples, n_features_2)
        y : array-like of shape (n_samples,)
            Labels, text or numbers.
        progress : callable, optional
            Called with (samples scored, samples in all).

        Returns
        -------
        PointwiseInteractions
            In the order of the samples, in nats.

        Raises
        ------
        InvalidInputError
            When a parameter or an array cannot be used; the sentence says which and how to mend it.
        """
        x1, x2, classes, codes = self._validate(x1, x2, y)
        folds = stratified_folds(codes, self.n_splits, np.random.default_rng(self.random_state))

        def score_fold(k: int) -> dict[str, np.ndarray]:
            inside = folds != k
            model = self._model(len(classes)).fit(x1[inside], x2[inside], codes[inside])
            return model.score(x1[~inside], x2[~inside], codes[~inside])

        def report(folds_done: int) -> None:
            if progress is not None:
                progress(len(codes) * folds_done // self.n_splits, len(codes))

        report(0)
        parts = side_by_side(score_fold, range(self.n_splits), on_done=report)
        order = np.argsort(np.concatenate([np.flatnonzero(folds == k) for k in range(self.n_splits)]))
        scored = {key: np.concatenate([part[key] for part in parts])[order] for key in parts[0]}
        return self._result(scored, classes, _warnings(scored, codes, classes))

    def fit(self, x1: np.ndarray, x2: np.ndarray, y: np.ndarray) -> LSMIEstimator:
        """Learn from all samples, to score new ones with :meth:`score_samples`.

        Parameters
        ----------
        x1, x2, y : as in :meth:`fit_score`

        Returns
        -------
        LSMIEstimator

        Raises
        ------
        InvalidInputError
            As in :meth:`fit_score`.
        """
        x1, x2, classes, codes = self._validate(x1, x2, y)
        (self.model_,) = side_by_side(lambda model: model.fit(x1, x2, codes), [self._model(len(classes))])
        self.classes_ = classes
        return self

    def score_samples(self, x1: np.ndarray, x2: np.ndarray, y: np.ndarray) -> PointwiseInteractions:
        """Return the interactions of new samples under what :meth:`fit` learned.

        Parameters
        ----------
        x1, x2 : array-like of shape (n_samples, n_features_1) and (n_samples, n_features_2)
        y : array-like of shape (n_samples,)
            Labels among ``classes_``.

        Returns
        -------
        PointwiseInteractions

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        InvalidInputError
            When widths differ from the fitted ones, or a label was not seen.
        """
        check_is_fitted(self, "model_")
        x1, x2, (seen, codes) = check_features(x1, "x1"), check_features(x2, "x2"), distinct_labels(y)
        check_same_length(x1=x1, x2=x2, y=codes)
        self.model_.check_widths(x1, x2)
        unseen = [label for label in seen if label not in self.classes_]
        if unseen:
            raise InvalidInputError(f"y has {len(unseen)} label(s) that fit did not see (first: {unseen[0]!s}).")
        codes = np.searchsorted(self.classes_, seen)[codes]
        return self._result(self.model_.score(x1, x2, codes), self.classes_, ())

    def _validate(self, x1: object, x2: object, y: object) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        check_choice(self.redundancy, "redundancy", tuple(REDUNDANCIES))
        check_choice(self.surprisal, "surprisal", ("task", "feature"))
        check_choice(self.device, "device", ("auto", "cpu", "cuda", "mps"))
        check_int(self.n_splits, "n_splits", 2)
        check_int(self.random_state, "random_state", 0, 2**32)
        x1, x2 = check_features(x1, "x1"), check_features(x2, "x2")
        classes, codes = check_labels(y)
        check_same_length(x1=x1, x2=x2, y=codes)
        if len(codes) < 2 * self.n_splits:
            raise InvalidInputError(
                f"{self.n_splits} folds need at least {2 * self.n_splits} samples. Got {len(codes)}; "
                "add samples or lower n_splits."
            )
        return x1, x2, classes, codes

    def _model(self, n_classes: int) -> _PairModel:
        return _PairModel(n_classes, self.surprisal, _device(self.device), self.random_state)

    def _result(
        self, scored: dict[str, np.ndarray], classes: np.ndarray, warnings: tuple[str, ...]
    ) -> PointwiseInteractions:
        predictions = Predictions(
            *(classes[scored[f"top{view}"]] for view in ("1", "2", "12")),
            *(scored[f"p{view}"] for view in ("1", "2", "12")),
        )
        terms = {key: scored[key] for key in ("i1", "i2", "i12", "h1", "h2")}
        return PointwiseInteractions.from_information(
            **terms, redundancy=self.redundancy, warnings=warnings, predictions=predictions
        )


@dataclass
class _View:
    """One modality as a model sees it: its projection and its head."""

    projection: Projection
    head: Head


class _PairModel:
    """Everything learned from one training part: heads of three views, two surprisals, the label's prior."""

    def __init__(self, n_classes: int, surprisal: str, device: torch.device, random_state: int) -> None:
        self.n_classes = n_classes
        self.surprisal = surprisal
        self.device = device
        self.random_state = random_state

    def fit(self, x1: np.ndarray, x2: np.ndarray, codes: np.ndarray) -> _PairModel:
        rng = np.random.default_rng(self.random_state)
        split = InnerSplit(stratified_folds(codes, INNER_SPLITS, rng), INNER_SPLITS)
        self.log_prior_ = np.log(np.bincount(codes, minlength=self.n_classes) / len(codes))
        self.views_ = []
        for x in (x1, x2):
            projection = Projection(random_state=self.random_state).fit(x)
            head = self._head().fit(projection.transform(x), codes, split)
            self.views_.append(_View(projection, head))
        held = [view.head.held_out_log_proba_ for view in self.views_]
        self.joint_ = self._head().fit(self._side_by_side(x1, x2), codes, split, self._fusions(*held))
        self.densities_ = [self._density(x, view) for x, view in zip((x1, x2), self.views_, strict=True)]
        return self

    def score(self, x1: np.ndarray, x2: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
        single = [v.head.log_proba(v.projection.transform(x)) for v, x in zip(self.views_, (x1, x2), strict=True)]
        joint = self.joint_.log_proba(self._side_by_side(x1, x2), self._fusions(*single))
        rows = np.arange(len(codes))
        scored = {}
        for view, log_p in (("1", single[0]), ("2", single[1]), ("12", joint)):
            scored[f"i{view}"] = log_p[rows, codes] - self.log_prior_[codes]
            scored[f"top{view}"] = log_p.argmax(axis=1)
            scored[f"p{view}"] = np.exp(log_p.max(axis=1))
        for k, x in enumerate((x1, x2)):
            scored[f"h{k + 1}"] = self.densities_[k].surprisal(self._coordinates(x, self.views_[k], single[k]))
        return scored

    def check_widths(self, x1: np.ndarray, x2: np.ndarray) -> None:
        for name, x, view in zip(("x1", "x2"), (x1, x2), self.views_, strict=True):
            width = len(view.projection.mean_)
            if x.shape[1] != width:
                raise InvalidInputError(f"{name} has {x.shape[1]} features but fit saw {width}.")

    def _head(self) -> Head:
        return Head(self.n_classes, self.device, self.random_state)

    def _side_by_side(self, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        return np.hstack([v.projection.transform(x) for v, x in zip(self.views_, (x1, x2), strict=True)])

    def _fusions(self, log_p1: np.ndarray, log_p2: np.ndarray) -> dict[str, np.ndarray]:
        """Predictions the joint head may lean on: each modality alone, and their product as if independent given y."""
        product = log_p1 + log_p2 - self.log_prior_
        product = product - np.logaddexp.reduce(product, axis=1, keepdims=True)
        return {"first alone": log_p1, "second alone": log_p2, "product": product}

    def _density(self, x: np.ndarray, view: _View) -> MixtureSurprisal:
        # The training part enters by its held-out predictions: those are what new samples will look like.
        coordinates = self._coordinates(x, view, view.head.held_out_log_proba_)
        if self.surprisal == "task":  # log-ratios have a unit, nats: whitening would hide how much is said
            mixture = MixtureSurprisal(self.n_classes + 1, STATISTIC_RESOLUTION, False, self.random_state)
        else:
            mixture = MixtureSurprisal(self.n_classes, FEATURE_RESOLUTION, True, self.random_state)
        return mixture.fit(coordinates)

    def _coordinates(self, x: np.ndarray, view: _View, log_p: np.ndarray) -> np.ndarray:
        if self.surprisal == "task":
            return label_statistic(log_p, self.log_prior_)
        return view.projection.transform(x)[:, :FEATURE_SURPRISAL_COMPONENTS]


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    elif name == "cuda" and not torch.cuda.is_available():
        raise InvalidInputError("device='cuda' was asked for but no CUDA device is there; use device='auto'.")
    elif name == "mps" and not torch.backends.mps.is_available():
        raise InvalidInputError("device='mps' was asked for but no Apple GPU is there; use device='auto'.")
    return torch.device(name)


def _warnings(scored: dict[str, np.ndarray], codes: np.ndarray, classes: np.ndarray) -> tuple[str, ...]:
    """Say in plain sentences what should be known before the numbers are trusted."""
    n, counts = len(codes), np.bincount(codes)
    told = []
    if n < 20 * len(classes):
        told.append(f"{n} samples for {len(classes)} categories are few: read the data-set means, not single samples.")
    small = classes[counts < 10]
    if len(small):
        names = ", ".join(str(c) for c in small[:3]) + (" and others" if len(small) > 3 else "")
        told.append(f"Categories with fewer than 10 samples are scored roughly: {names}.")
    if scored["i12"].mean() < 0.02:
        told.append(
            "Both modalities together predict the category no better than its frequency: "
            "the scores are close to noise, or more samples are needed to see anything."
        )
    return tuple(told)
