"""InteractionEnsemble: one answer from models of each side and of both, weighed anew for every sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from lsmi_core.applications.ensemble.evidence import VIEWS, Evidence, Said
from lsmi_core.applications.ensemble.gate import Gate, choose_gate
from lsmi_core.applications.ensemble.view_models import CrossFitted, ViewModels, cross_fit, under
from lsmi_core.applications.material import Pairs
from lsmi_core.errors import InvalidInputError
from lsmi_core.validation import check_features, check_int, check_labels, check_same_length

__all__ = ["InteractionEnsemble", "alone_evidence", "pair_evidence"]

FORMAT = 2
MOST_SWAPPED = 0.5


class InteractionEnsemble(BaseEstimator):
    """Weigh models of the first modality, the second and both by the interactions predicted for each sample.

    The label is read in :meth:`fit` only: what a new sample's interactions are is worked out from what the members
    say of it. How to weigh is learned from answers of members that did not see the sample, intact and with one side
    swapped for that of a sample of another class.

    Parameters
    ----------
    swapped : float in [0, 0.5], default=0.1
        Share of pairs to reckon with whose sides do not belong together. More of it makes answers more cautious.
    random_state : int, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    members_ : ViewModels
    gates_ : dict of str to Gate
        By what there is to weigh: "both", or only "first" or "second".

    See Also
    --------
    lsmi_core.applications.ensemble.measuring.compare_ensembles : whether it helps.

    Examples
    --------
    >>> from lsmi_core.applications.ensemble.model import InteractionEnsemble
    >>> from lsmi_core.synthetic import gaussian_classes
    >>> drawn = gaussian_classes(300, n_classes=2)
    >>> ensemble = InteractionEnsemble().fit(drawn.x1, drawn.x2, drawn.y)
    >>> ensemble.predict_proba(drawn.x1, None).shape
    (300, 2)
    """

    def __init__(self, swapped: float = 0.1, random_state: int = 0) -> None:
        self.swapped = swapped
        self.random_state = random_state

    def fit(
        self, x1: np.ndarray, x2: np.ndarray, y: np.ndarray, progress: Callable[[int, int], None] | None = None
    ) -> InteractionEnsemble:
        """Learn the members, and how to weigh them.

        Parameters
        ----------
        x1, x2 : array-like of shape (n_samples, n_features_k)
        y : array-like of shape (n_samples,)
            Categories, each of two samples at least.
        progress : callable, optional
            Called with (samples' worth of work done, samples in all); whatever it raises cancels.

        Returns
        -------
        InteractionEnsemble

        Raises
        ------
        InvalidInputError
            When a parameter or an array cannot be used; the sentence says which and how to mend it.
        """
        _check_parameters(self.swapped, self.random_state)
        x1, x2 = check_features(x1, "x1"), check_features(x2, "x2")
        classes, codes = check_labels(y)
        check_same_length(x1=x1, x2=x2, y=codes)
        report = progress or (lambda done, total: None)

        def on_share(share: float) -> None:
            report(int(len(codes) * share), len(codes))

        pairs = Pairs(x1, x2, codes)
        found = cross_fit(pairs, len(classes), self.random_state, lambda share: on_share(0.4 * share))
        self.weigh(found, lambda share: on_share(0.4 + 0.6 * share))
        self.classes_ = classes
        on_share(1.0)
        return self

    def weigh(self, found: CrossFitted, on_share: Callable[[float], None] = lambda share: None) -> InteractionEnsemble:
        """Learn how to weigh members that are there already; ``classes_`` are their codes.

        Parameters
        ----------
        found : CrossFitted
        on_share : callable
            Told the share of the work that is done; may raise to cancel.
        """
        log_prior = found.models.log_prior
        together = pair_evidence(found, self.swapped, self.random_state)
        gates = {"both": choose_gate(together, log_prior, lambda share: on_share(0.8 * share))}
        for k, name in enumerate(VIEWS[:2]):
            alone = alone_evidence(found, k)
            gates[name] = choose_gate(alone, log_prior, lambda share, k=k: on_share(0.8 + 0.1 * (k + share)))
        self.members_, self.gates_, self.classes_ = found.models, gates, np.arange(len(log_prior))
        return self

    def predict_proba(self, x1: np.ndarray | None, x2: np.ndarray | None) -> np.ndarray:
        """Return class probabilities, shape (n_samples, n_classes).

        Parameters
        ----------
        x1, x2 : array-like of shape (n_samples, n_features_k), or None
            None where a whole side is missing.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        InvalidInputError
            When both sides are missing or widths differ from the fitted ones.
        """
        p = np.exp(self._answer(x1, x2)[0])
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, x1: np.ndarray | None, x2: np.ndarray | None) -> np.ndarray:
        """Return the likeliest label of each sample; arguments as in :meth:`predict_proba`."""
        answer = self._answer(x1, x2)[0]
        return self.classes_[answer.argmax(axis=1)]

    def weights(self, x1: np.ndarray | None, x2: np.ndarray | None) -> np.ndarray:
        """Return how much of each sample's answer comes from each member.

        Parameters
        ----------
        x1, x2 : as in :meth:`predict_proba`

        Returns
        -------
        float64 ndarray of shape (n_samples, 3)
            By the first side, the second, and both together; rows sum to 1.
        """
        return self._answer(x1, x2)[1]

    def swapped_probability(self, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        """Return how likely the sides of each sample do not belong together, shape (n_samples,)."""
        return self._answer(x1, x2)[2]

    def answer(self, said: Said) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log-probabilities, weights and suspicion, as the methods above, from what the members say."""
        answer, shares, apart = self.gates_[said.kind].apply(said)
        if said.kind != "both":
            shares = np.tile(np.eye(len(VIEWS))[VIEWS.index(said.kind)], (len(shares), 1))
        return answer, shares, apart

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, object]]:
        """Return all that predicting needs: plain arrays, and a description that JSON can hold.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        InvalidInputError
            When labels are neither text nor numbers nor true and false.
        """
        check_is_fitted(self, "gates_")
        labels = self.classes_.tolist()
        if not all(isinstance(label, str | int | float) for label in labels):
            raise InvalidInputError("Only text, numbers and true or false can be saved as labels; turn y into text.")
        arrays = {f"members.{name}": array for name, array in self.members_.state().items()}
        for kind, gate in self.gates_.items():
            arrays |= {f"gate.{kind}.{name}": array for name, array in gate.parameters.items()}
        widths = [len(projection["mean_"]) for projection in self.members_.projections]
        config = {"model": type(self).__name__, "format": FORMAT, "classes": labels, "n_features": widths}
        return arrays, config | {"parameters": self.get_params(), "arrays": sorted(arrays)}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], config: dict[str, object]) -> InteractionEnsemble:
        """Return an ensemble that predicts bit for bit what the one that :meth:`state` was asked of predicts.

        Raises
        ------
        InvalidInputError
            When the description is not of an ensemble that this version knows, or an array is not there.
        """
        if (config.get("model"), config.get("format")) != (cls.__name__, FORMAT):
            raise InvalidInputError(f"This is no {cls.__name__} of format {FORMAT}; export the model again.")
        lacking = sorted(set(config["arrays"]) - set(arrays))
        if lacking:
            raise InvalidInputError(f"The saved model lacks {', '.join(lacking)}; export it again.")
        made = cls(**config["parameters"])
        made.classes_ = np.array(config["classes"])
        made.members_ = ViewModels.from_state(under("members.", arrays))
        made.gates_ = {kind: Gate(under(f"gate.{kind}.", arrays)) for kind in VIEWS}
        return made

    def _answer(self, x1: object, x2: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        check_is_fitted(self, "gates_")
        given = {name: check_features(x, name) for name, x in (("x1", x1), ("x2", x2)) if x is not None}
        if not given:
            raise InvalidInputError("Both sides are missing; give x1 or x2.")
        check_same_length(**given)
        for name, projection in zip(("x1", "x2"), self.members_.projections, strict=True):
            width = len(projection["mean_"])
            if name in given and given[name].shape[1] != width:
                raise InvalidInputError(f"{name} has {given[name].shape[1]} features but fit saw {width}.")
        return self.answer(self.members_.read(given.get("x1"), given.get("x2")))


def pair_evidence(found: CrossFitted, swapped: float, random_state: int) -> Evidence:
    """Return held-out answers about every pair, intact and with either side swapped, which together count a share.

    Parameters
    ----------
    found : CrossFitted
    swapped : float
    random_state : int

    Returns
    -------
    Evidence
    """
    shown = [(found.held_out, np.arange(len(found.codes))), *(found.swapped(k, random_state) for k in range(2))]
    log_p = zip(*(said.log_p for said, _ in shown), strict=True)
    between = np.concatenate([said.between for said, _ in shown])
    rows = np.concatenate([rows for _, rows in shown])
    counts = np.repeat([1 - swapped, swapped / 2, swapped / 2], [len(rows) for _, rows in shown])
    return Evidence(Said(tuple(np.concatenate(p) for p in log_p), between), found.codes[rows], rows, counts)


def alone_evidence(found: CrossFitted, side: int) -> Evidence:
    """Return held-out answers about every sample by one side, 0 or 1, as where the other is missing."""
    n_samples = len(found.codes)
    return Evidence(found.held_out.only(side), found.codes, np.arange(n_samples), np.ones(n_samples))


def _check_parameters(swapped: object, random_state: object) -> None:
    if isinstance(swapped, bool) or not isinstance(swapped, int | float) or not 0 <= swapped <= MOST_SWAPPED:
        raise InvalidInputError(f"The 'swapped' parameter must be a share between 0 and 0.5. Got {swapped!r} instead.")
    check_int(random_state, "random_state", 0, 2**32, "InteractionEnsemble")
