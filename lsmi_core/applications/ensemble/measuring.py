"""Whether weighing by interactions helps: the same members weighed in six ways, on samples that none has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.linear_model import LogisticRegression

from lsmi_core.applications.comparison import Comparison, over_repeats
from lsmi_core.applications.ensemble.evidence import VIEWS, Evidence, Said, held_out_loss, spaced, strangers
from lsmi_core.applications.ensemble.model import InteractionEnsemble, alone_evidence, pair_evidence
from lsmi_core.applications.ensemble.view_models import CrossFitted, ViewModels, cross_fit
from lsmi_core.applications.material import Pairs
from lsmi_core.applications.pruning.settings import check_test
from lsmi_core.pooling import pool
from lsmi_core.validation import check_features, check_int, check_labels, check_same_length

__all__ = ["CONDITIONS", "METHODS", "METRICS", "compare_ensembles", "expected_calibration_error"]

METHODS = (
    "interactions",
    "uniform",
    "validation-weighted",
    "stacking",
    "stacking with corruptions",
    "best single",
)
CONDITIONS = ("intact", "first missing", "second missing", "swapped")
METRICS = ("accuracy", "ece", "log_loss")
SWAPPED_OF_ASKED = 0.5
N_REPEATS, N_BINS = 5, 15
FREEDOMS = (0.003, 0.03, 0.3)
MOST_BY_NEWTON = 1_000
LEAST = 1e-12
ASKED = 0x5A  # keeps this draw apart from others of the same seed

Weigher = Callable[[Said], np.ndarray]


def compare_ensembles(
    x1: np.ndarray,
    x2: np.ndarray,
    y: np.ndarray,
    asked: np.ndarray,
    n_repeats: int | None = None,
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
    known: Mapping[int, np.ndarray] | None = None,
    keep: Callable[[int, np.ndarray], None] | None = None,
) -> Comparison:
    """Measure weighing by interactions against five other ways to make one answer of the same members.

    "Uniform" is the mean of the members' probabilities; "validation-weighted" has the mixture weights, and "best
    single" the member, that make held-out labels likeliest; "stacking" is logistic regression on all log-ratios, and
    "stacking with corruptions" learns from the same swapped pairs as ours, and anew for each side alone. Everybody is
    told which side is missing, and does without the members that need it. Of "swapped", half of the samples have one
    side, either as often, that belongs to a sample of another class; nobody is told which.

    Parameters
    ----------
    x1, x2 : array-like of shape (n_samples, n_features_k)
    y : array-like of shape (n_samples,)
        Categories; two samples of each must be left to learn from.
    asked : bool array-like of shape (n_samples,) or (n_repeats, n_samples)
        Who is asked; the others are learned from.
    n_repeats : int, optional
        By default one for every row of ``asked``, or five where there is one.
    random_state : int
    progress : callable, optional
        Called with (steps done, steps in all); whatever it raises cancels.
    known : mapping of int to ndarray, optional
        Repeats that an earlier call with the same data and seed has finished.
    keep : callable, optional
        Handed every finished repeat, its number and its values, to be kept.

    Returns
    -------
    Comparison
        Of :data:`METHODS`, :data:`CONDITIONS` and :data:`METRICS`.

    Raises
    ------
    InvalidInputError
        When an array or a number cannot be used; the sentence says which and how to mend it.
    """
    x1, x2 = check_features(x1, "x1"), check_features(x2, "x2")
    pairs = Pairs(x1, x2, check_labels(y)[1])
    check_same_length(x1=x1, x2=x2, y=pairs.codes)
    if n_repeats is None:
        n_repeats = len(asked) if np.ndim(asked) == 2 else N_REPEATS
    check_int(n_repeats, "n_repeats", 1, owner="compare_ensembles")
    check_int(random_state, "random_state", 0, 2**32, owner="compare_ensembles")
    masks = check_test(asked, pairs.codes, n_repeats, "asked")

    def measure(repeat: int, report: Callable[[float], None]) -> np.ndarray:
        return _measured(pairs, masks[repeat], random_state + repeat, report)

    return Comparison(METHODS, CONDITIONS, METRICS, over_repeats(measure, n_repeats, progress, known, keep))


def expected_calibration_error(p: np.ndarray, codes: np.ndarray) -> float:
    r"""Return by how much confidence and accuracy differ, over fifteen ranges of confidence of equal width.

    :math:`\sum_b \frac{n_b}{n} |\mathrm{acc}_b - \mathrm{conf}_b|`, of the likeliest class of each sample.

    Parameters
    ----------
    p : float ndarray of shape (n_samples, n_classes)
    codes : int ndarray of shape (n_samples,)

    References
    ----------
    Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599.
    """
    confidence = p.max(axis=1)
    surplus = confidence - (p.argmax(axis=1) == codes)
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    return float(np.abs(np.bincount(bins, surplus)).sum() / len(codes))


def _measured(pairs: Pairs, asked: np.ndarray, seed: int, on_share: Callable[[float], None]) -> np.ndarray:
    learned, tested = pairs.take(np.flatnonzero(~asked)), pairs.take(np.flatnonzero(asked))
    found = cross_fit(learned, int(pairs.codes.max()) + 1, seed, lambda share: on_share(0.2 * share))
    weighers = _weighers(found, seed, lambda share: on_share(0.2 + 0.75 * share))
    said = _said(found.models, tested, np.random.default_rng([seed, ASKED]))
    return np.array([[_figures(weigh(one), tested.codes) for one in said] for weigh in weighers])


def _said(models: ViewModels, tested: Pairs, rng: np.random.Generator) -> list[Said]:
    """Return what the members say of the samples under every condition."""
    intact = models.read(tested.x1, tested.x2)
    other = strangers(tested.codes, rng)
    swapped = (rng.permutation(len(tested)) < SWAPPED_OF_ASKED * len(tested)) & (other >= 0)
    side = rng.random(len(tested)) < 1 / 2
    x1, x2 = (
        np.where((swapped & chosen)[:, None], x[other], x) for x, chosen in ((tested.x1, side), (tested.x2, ~side))
    )
    return [intact, intact.only(1), intact.only(0), models.read(x1, x2)]


def _figures(log_p: np.ndarray, codes: np.ndarray) -> list[float]:
    p = np.exp(log_p)
    p /= p.sum(axis=1, keepdims=True)
    own = p[np.arange(len(codes)), codes]
    right = p.argmax(axis=1) == codes
    return [float(right.mean()), expected_calibration_error(p, codes), float(-np.log(np.maximum(own, LEAST)).mean())]


def _weighers(found: CrossFitted, seed: int, on_share: Callable[[float], None]) -> list[Weigher]:
    """Return the methods, in their order, as functions of what the members say, None for who cannot."""
    ours = InteractionEnsemble(random_state=seed)
    ours.weigh(found, lambda share: on_share(0.8 * share))
    held_out, codes, log_prior = found.held_out, found.codes, found.models.log_prior
    own = np.stack([np.take_along_axis(p, codes[:, None], axis=1)[:, 0] for p in held_out.log_p])
    best = np.argsort(-own.mean(axis=1))
    mixture = _mixture_weights(own)
    shown = {"plain": Evidence(held_out, codes, np.arange(len(codes)), np.ones(len(codes)))}
    shown |= {"both": pair_evidence(found, ours.swapped, seed)}
    shown |= {name: alone_evidence(found, side) for side, name in enumerate(VIEWS[:2])}
    stackers = {
        name: Stacker.choose(evidence, log_prior, lambda k=k: on_share(0.8 + 0.05 * k))
        for k, (name, evidence) in enumerate(shown.items())
    }
    return [
        lambda said: ours.answer(said)[0],
        lambda said: _mixed(said, np.ones(len(VIEWS))),
        lambda said: _mixed(said, mixture),
        lambda said: stackers["plain"].answer(_filled(said, log_prior)),
        lambda said: stackers[said.kind].answer(said),
        lambda said: next(said.log_p[m] for m in best if said.log_p[m] is not None),
    ]


def _mixture_weights(own: np.ndarray) -> np.ndarray:
    """Return mixture weights that make the labels likeliest, from log-probabilities of them, (n_members, n_samples)."""
    p, weights = np.exp(own - own.max(axis=0)), np.full(len(own), 1 / len(own))
    for _ in range(200):
        weights = weights * (p @ (1 / (weights @ p))) / p.shape[1]
    return weights


def _mixed(said: Said, weights: np.ndarray) -> np.ndarray:
    kept = [k for k, p in enumerate(said.log_p) if p is not None]
    shares = np.maximum(weights[kept], LEAST)
    return pool(said.present, shares / shares.sum())


def _filled(said: Said, log_prior: np.ndarray) -> Said:
    """Put the prior in place of a missing side, and the other side in place of both."""
    if said.kind == "both":
        return said
    (left,) = said.present
    first, second = (np.tile(log_prior, (len(left), 1)) if p is None else p for p in said.log_p[:2])
    return Said((first, second, left))


class Stacker:
    """Logistic regression on the log-ratios of the members."""

    def __init__(self, fitted: LogisticRegression, log_prior: np.ndarray) -> None:
        self.fitted, self.log_prior = fitted, log_prior

    @classmethod
    def choose(cls, evidence: Evidence, log_prior: np.ndarray, report: Callable[[], None]) -> Stacker:
        """Fit with the penalty that held-out samples prefer, on the samples that our gate learns from."""

        def fit(part: Evidence, freedom: float) -> Stacker:
            report()
            ratios = _ratios(part.said, log_prior)
            solver = "newton-cholesky" if ratios.shape[1] * len(log_prior) <= MOST_BY_NEWTON else "lbfgs"
            regression = LogisticRegression(C=freedom, max_iter=1_000, solver=solver)
            return cls(regression.fit(ratios, part.codes, part.weights), log_prior)

        losses = {c: held_out_loss(evidence, lambda part, c=c: fit(part, c)) for c in FREEDOMS}
        return fit(spaced(evidence), min(losses, key=losses.__getitem__))

    def answer(self, said: Said) -> np.ndarray:
        """Return log-probabilities of shape (n_samples, n_classes)."""
        found = np.full((len(said), len(self.log_prior)), np.log(LEAST))
        found[:, self.fitted.classes_] = self.fitted.predict_log_proba(_ratios(said, self.log_prior))
        return found


def _ratios(said: Said, log_prior: np.ndarray) -> np.ndarray:
    return np.hstack([np.maximum(p - log_prior, np.log(LEAST) / 2) for p in said.present])
