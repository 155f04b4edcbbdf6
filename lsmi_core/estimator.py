"""LSMIEstimator: features and labels in, pointwise interactions out, every sample scored by models blind to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from lsmi_core.advice import run_warnings
from lsmi_core.devices import DEVICES, device_of
from lsmi_core.errors import InvalidInputError
from lsmi_core.folds import Folds, default_splits, stratified_folds
from lsmi_core.heads import Labels
from lsmi_core.interactions import (
    DEFAULT_REDUNDANCY,
    INGREDIENTS,
    PointwiseInteractions,
    Predictions,
    Suspicion,
)
from lsmi_core.pair import PairModel, PairSettings
from lsmi_core.published import PublishedModel
from lsmi_core.redundancy import REDUNDANCIES
from lsmi_core.terms import expected, mean_of, turned
from lsmi_core.validation import (
    check_choice,
    check_features,
    check_int,
    check_labels,
    check_same_length,
    cut_at,
    distinct_labels,
    quantile_edges,
)

__all__ = ["LSMIEstimator", "score_pairs"]

WHOLE = 20_000_000
NO_X12 = "The published protocol knows no x12; leave it out or use protocol='cross-fit'."


class LSMIEstimator(BaseEstimator):
    """Estimate redundancy, uniqueness and synergy of every sample.

    Parameters
    ----------
    redundancy : {"cautious", "lsmi", "mmi", "ccs", "sx"}, optional
        Definition of redundancy; can be changed on the result without a new fit. By default "cautious", and the
        published "lsmi" under the published protocol.
    surprisal : {"task", "feature"}, default="task"
        Where surprisals, which only "lsmi" reads, are measured: on what each modality says about the label
        (comparable between modalities, blind to units and nuisance), or on the whitened features as published.
    n_splits : int, optional
        Folds of the cross-fit; at least 2. By default 10 below 2,000 samples, where every sample to learn from counts,
        and 5 above.
    n_repeats : int, default=1
        Refits with other folds and seeds; scores are their means, and two or more give standard errors.
    n_quantiles : int, default=5
        A numeric target is cut into this many classes of equal size, and a warning says so.
    protocol : {"cross-fit", "published"}, default="cross-fit"
        "published" is the paper's estimator: one fit, uniform label prior, KNIFE densities, scored in sample.
    random_state : int, default=0
        One seed repeats the whole run.
    device : {"auto", "cpu", "cuda", "mps"}, default="auto"
        Where heads are trained. "auto" takes an accelerator if there is one.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Set by :meth:`fit`.
    edges_ : ndarray or None
        Where a numeric target was cut, rising; a value at an edge belongs above it. None where labels were given.

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
        redundancy: str | None = None,
        surprisal: str = "task",
        n_splits: int | None = None,
        n_repeats: int = 1,
        n_quantiles: int = 5,
        protocol: str = "cross-fit",
        random_state: int = 0,
        device: str = "auto",
    ) -> None:
        self.redundancy = redundancy
        self.surprisal = surprisal
        self.n_splits = n_splits
        self.n_repeats = n_repeats
        self.n_quantiles = n_quantiles
        self.protocol = protocol
        self.random_state = random_state
        self.device = device

    def fit_score(
        self,
        x1: np.ndarray,
        x2: np.ndarray,
        y: np.ndarray,
        x12: np.ndarray | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> PointwiseInteractions:
        """Return the interactions of the given samples, each scored by models that did not see its label.

        Parameters
        ----------
        x1, x2 : array-like of shape (n_samples, n_features_1) and (n_samples, n_features_2)
        y : array-like of shape (n_samples,)
            Category of each sample, or a numeric target.
        x12 : array-like of shape (n_samples, n_features_12), optional
            A joint representation of your own that p(y | x1, x2) may be read from as well.
        progress : callable, optional
            Called with (samples' worth of work done, samples in all), over all repeats.

        Returns
        -------
        PointwiseInteractions
            In the order of the samples, in nats.

        Raises
        ------
        InvalidInputError
            When a parameter or an array cannot be used; the sentence says which and how to mend it.
        """
        (x1, x2, x12), classes, codes = self._validate(x1, x2, y, x12)
        report = progress or (lambda done, total: None)
        report(0, len(codes))
        scored = []
        for repeat in range(self.n_repeats):

            def within(share: float, before: int = repeat) -> None:
                report(int(len(codes) * (before + share) / self.n_repeats), len(codes))

            seed = self.random_state + repeat
            scored.append(self._fit_score_once(x1, x2, x12, codes, len(classes), seed, within))
            within(1.0)
        result = self._result(
            mean_of(scored),
            classes,
            self._told_of_cut() + run_warnings(scored[0], codes, classes, (x1.shape[1], x2.shape[1])),
        )
        if self.n_repeats > 1:
            each = np.stack([[one[name] for name in INGREDIENTS] for one in scored])
            result = replace(result, repeats=each)
        return result

    def fit(
        self,
        x1: np.ndarray,
        x2: np.ndarray,
        y: np.ndarray,
        x12: np.ndarray | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> LSMIEstimator:
        """Learn from all samples, to score new ones with :meth:`score_samples`.

        Parameters
        ----------
        x1, x2, y, x12, progress : as in :meth:`fit_score`

        Returns
        -------
        LSMIEstimator

        Raises
        ------
        InvalidInputError
            As in :meth:`fit_score`.
        """
        (x1, x2, x12), classes, codes = self._validate(x1, x2, y, x12)
        if self.protocol == "published":
            self.model_ = PublishedModel(len(classes), self.random_state, device_of(self.device)).fit(x1, x2, codes)
        else:
            report = progress or (lambda done, total: None)
            self.model_ = self._fit_pair(
                x1, x2, x12, codes, len(classes), self.random_state, True, lambda s: report(int(len(y) * s), len(y))
            )
        self.classes_ = classes
        return self

    def score_samples(
        self, x1: np.ndarray, x2: np.ndarray, y: np.ndarray, x12: np.ndarray | None = None
    ) -> PointwiseInteractions:
        """Return the interactions of new samples under what :meth:`fit` learned.

        Parameters
        ----------
        x1, x2 : array-like of shape (n_samples, n_features_1) and (n_samples, n_features_2)
        y : array-like of shape (n_samples,)
            Labels among ``classes_``, or numbers where :meth:`fit` was given a numeric target.
        x12 : array-like of shape (n_samples, n_features_12), optional
            Given exactly when :meth:`fit` was given one.

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
        x1, x2, *rest = self._check_new(x1, x2, x12)
        numeric = self.edges_ is not None and np.asarray(y).dtype.kind in "fiu"
        seen, codes = distinct_labels(cut_at(self.edges_, y) if numeric else y)
        check_same_length(x1=x1, y=codes)
        unseen = [label for label in seen if label not in self.classes_]
        if unseen:
            raise InvalidInputError(f"y has {len(unseen)} label(s) that fit did not see (first: {unseen[0]!s}).")
        codes = np.searchsorted(self.classes_, seen)[codes]
        return self._result(self.model_.score(x1, x2, codes, *rest), self.classes_, ())

    def expected_interactions(
        self, x1: np.ndarray, x2: np.ndarray, x12: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        r"""Return the interactions to be expected of samples without labels, in nats.

        :math:`\sum_c p(c|x_1, x_2)\, r(x_1, x_2, c)`, and likewise for every other field.

        Parameters
        ----------
        x1, x2, x12 : as in :meth:`score_samples`

        Returns
        -------
        dict of ndarray of shape (n_samples,)
            By the names of :data:`~lsmi_core.interactions.FIELDS`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, InvalidInputError
            As in :meth:`score_samples`; also after ``protocol="published"``, which has no calibrated p(y | x1, x2).
        """
        if self.protocol == "published":
            raise InvalidInputError("Expected interactions need protocol='cross-fit': the published one over-states.")
        given = self._check_new(x1, x2, x12)
        read = self.model_.read(*given)
        return expected(read.log_p, read.surprisals, self.model_.labels.log_prior, self._redundancy)

    def _told_of_cut(self) -> tuple[str, ...]:
        if self.edges_ is None:
            return ()
        places = ", ".join(f"{edge:.4g}" for edge in self.edges_)
        return (
            f"The numeric target was cut into {len(self.edges_) + 1} classes of about equal size, at {places}: "
            "scores are about the class, not the number.",
        )

    @property
    def _redundancy(self) -> str:
        if self.redundancy is None:
            return "lsmi" if self.protocol == "published" else DEFAULT_REDUNDANCY
        return self.redundancy

    def _check_new(self, x1: object, x2: object, x12: object) -> list[np.ndarray]:
        check_is_fitted(self, "model_")
        if x12 is not None and isinstance(self.model_, PublishedModel):
            raise InvalidInputError(NO_X12)
        given = {"x1": x1, "x2": x2} | ({} if x12 is None else {"x12": x12})
        arrays = {name: check_features(x, name) for name, x in given.items()}
        check_same_length(**arrays)
        self.model_.check_widths(*arrays.values())
        return list(arrays.values())

    def _validate(
        self, x1: object, x2: object, y: object, x12: object
    ) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray, np.ndarray]:
        check_choice(self._redundancy, "redundancy", tuple(REDUNDANCIES))
        check_choice(self.surprisal, "surprisal", ("task", "feature"))
        check_choice(self.protocol, "protocol", ("cross-fit", "published"))
        check_choice(self.device, "device", DEVICES)
        if self.n_splits is not None:
            check_int(self.n_splits, "n_splits", 2)
        check_int(self.n_repeats, "n_repeats", 1)
        check_int(self.n_quantiles, "n_quantiles", 2)
        check_int(self.random_state, "random_state", 0, 2**32)
        if x12 is not None and self.protocol == "published":
            raise InvalidInputError(NO_X12)
        x1, x2 = check_features(x1, "x1"), check_features(x2, "x2")
        x12 = None if x12 is None else check_features(x12, "x12")
        self.edges_ = quantile_edges(y, self.n_quantiles)
        classes, codes = check_labels(y if self.edges_ is None else cut_at(self.edges_, y))
        check_same_length(**{"x1": x1, "x2": x2, "y": codes} | ({} if x12 is None else {"x12": x12}))
        n_splits = self.n_splits or default_splits(len(codes))
        if len(codes) < 2 * n_splits:
            raise InvalidInputError(
                f"{n_splits} folds need at least {2 * n_splits} samples. Got {len(codes)}; "
                "add samples or lower n_splits."
            )
        return (x1, x2, x12), classes, codes

    def _fit_score_once(
        self, x1: np.ndarray, x2: np.ndarray, x12: np.ndarray | None, codes: np.ndarray, n_classes: int, seed: int,
        on_share: Callable[[float], None],
    ) -> dict[str, np.ndarray]:  # fmt: skip
        if self.protocol == "published":
            return PublishedModel(n_classes, seed, device_of(self.device)).fit(x1, x2, codes).score(x1, x2, codes)
        # Whatever order the modalities come in, they are learned in one order of their own: swapping them swaps
        # the terms and changes nothing else.
        other_way = _fingerprint(x1) > _fingerprint(x2)
        first, second = (x2, x1) if other_way else (x1, x2)
        terms = self._fit_pair(first, second, x12, codes, n_classes, seed, False, on_share).held_out()
        return turned(terms) if other_way else terms

    def _fit_pair(
        self, x1: np.ndarray, x2: np.ndarray, x12: np.ndarray | None, codes: np.ndarray, n_classes: int, seed: int,
        with_all: bool, on_share: Callable[[float], None] = lambda share: None,
    ) -> PairModel:  # fmt: skip
        n_splits = self.n_splits or default_splits(len(codes))
        folds = Folds(stratified_folds(codes, n_splits, np.random.default_rng(seed)), n_splits, with_all)
        log_prior = np.log(np.bincount(codes, minlength=n_classes) / len(codes))
        labels = Labels(torch.as_tensor(codes), log_prior, folds)
        return PairModel(labels, PairSettings(self.surprisal, device_of(self.device), seed)).fit(x1, x2, x12, on_share)

    def _result(
        self, scored: dict[str, np.ndarray], classes: np.ndarray, warnings: tuple[str, ...]
    ) -> PointwiseInteractions:
        views = ("1", "2", "12")
        predictions = Predictions(*(classes[scored[f"top{v}"]] for v in views), *(scored[f"p{v}"] for v in views))
        suspicion = Suspicion(scored["label_error"], scored["swapped_pair"]) if "label_error" in scored else None
        return PointwiseInteractions.from_information(
            scored, self._redundancy, warnings=warnings, predictions=predictions, suspicion=suspicion
        )


def score_pairs(
    estimator: LSMIEstimator, modalities: dict[str, np.ndarray], y: np.ndarray
) -> dict[tuple[str, str], PointwiseInteractions]:
    """Return the interactions of every pair among more than two modalities.

    Parameters
    ----------
    estimator : LSMIEstimator
        Its settings and seed are used for every pair; it is not changed.
    modalities : dict of str to array-like of shape (n_samples, n_features_k)
        At least two, by name.
    y : array-like of shape (n_samples,)

    Returns
    -------
    dict of (first name, second name) to PointwiseInteractions
        One entry a pair, in the order of the names.

    Raises
    ------
    InvalidInputError
        When there are fewer than two modalities, or as in :meth:`LSMIEstimator.fit_score`.
    """
    if len(modalities) < 2:
        raise InvalidInputError(f"Interactions need at least 2 modalities. Got {len(modalities)}.")
    return {(a, b): clone(estimator).fit_score(modalities[a], modalities[b], y) for a, b in combinations(modalities, 2)}


def _fingerprint(x: np.ndarray) -> tuple[int, bytes]:
    """Return something to order modalities by that depends on what they hold alone."""
    some = np.ascontiguousarray(x[:: -(-x.size // WHOLE)])  # of very large arrays, evenly spaced rows
    return x.shape[1], hashlib.blake2b(some.tobytes()).digest()
