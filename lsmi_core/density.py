"""Gaussian mixtures with one shared covariance: groups of samples, surprisals, and where to measure them."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from lsmi_core.errors import InvalidInputError

__all__ = ["TiedMixture", "label_statistic"]

LEARN_FROM = 4_000
REFINE_WITH = 10_000
FEW = 32
CHUNK = 65_536


class TiedMixture(DensityMixin, BaseEstimator):
    r"""Gaussian mixture :math:`\sum_k w_k N(x; \mu_k, \Sigma)` with one covariance, fitted by expectation maximisation.

    With ``n_components="auto"`` the fit starts from many groups, merges the closest ones step by step, and keeps the
    number with the best Bayesian information criterion.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
    resolution : float, default=0.0
        Standard deviation added to every component in every direction: differences finer than this do not count,
        and a coordinate that never varies is not surprising.
    max_iter : int, default=8
    max_components : int, default=128
        Where "auto" starts from.
    random_state : int, default=0

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
    means_ : ndarray of shape (n_components, n_features)
    root_ : ndarray of shape (n_features, n_features)
        Root of the precision: ``(x - mean) @ root_`` has unit covariance within a component.
    criterion_ : float
        Bayesian information criterion, in nats, larger is better.

    References
    ----------
    Dempster, Laird and Rubin 1977 (expectation maximisation); Schwarz 1978 (the criterion).

    Examples
    --------
    >>> import numpy as np
    >>> from lsmi_core.density import TiedMixture
    >>> x = np.random.default_rng(0).normal(size=(300, 1)) + np.repeat([[-9.0], [0.0], [9.0]], 100, axis=0)
    >>> len(TiedMixture().fit(x).weights_)
    3
    """

    def __init__(
        self,
        n_components: int | str = "auto",
        resolution: float = 0.0,
        max_iter: int = 8,
        max_components: int = 128,
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.resolution = resolution
        self.max_iter = max_iter
        self.max_components = max_components
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: None = None) -> TiedMixture:  # noqa: N803
        """Learn the density of X, shape (n_samples, n_features); y is ignored."""
        auto = self.n_components == "auto"
        if not auto and (isinstance(self.n_components, str) or self.n_components < 1):
            raise InvalidInputError(
                "The 'n_components' parameter of TiedMixture must be 'auto' or an int in the range [1, inf). "
                f"Got {self.n_components!r} instead."
            )
        x = _writable(validate_data(self, X, dtype=[np.float32, np.float64], ensure_min_samples=2))
        rng = np.random.default_rng(self.random_state)
        order = torch.as_tensor(rng.permutation(len(x)))
        some = x[order[:REFINE_WITH]]
        state = self._start(x[order[:LEARN_FROM]], rng)
        if auto and len(state.weights) > FEW and len(x) > LEARN_FROM:
            state = self._start(some, rng)  # many groups take more samples to tell apart
        # ... and longer to settle.
        for _ in range(self.max_iter * (3 if auto and len(state.weights) > FEW else 1)):
            state = _maximise(some, _responsibilities(some, state)[0], self.resolution)
        return self._keep(x, state)

    def _start(self, x: torch.Tensor, rng: np.random.Generator) -> _State:
        auto = self.n_components == "auto"
        most = self.max_components if auto else self.n_components
        state = _spread_out(x, min(most, max(1, len(x) // 12)), rng)
        return _merge_down(x, state, self.resolution) if auto else state

    def fit_from(self, X: np.ndarray, responsibilities: np.ndarray) -> TiedMixture:  # noqa: N803
        """Learn from a first guess of who belongs where, shape (n_samples, n_components), columns all in use."""
        x = _writable(X)
        self.n_features_in_ = x.shape[1]
        shares = torch.as_tensor(responsibilities, dtype=x.dtype)
        for _ in range(self.max_iter):
            state = _maximise(x, shares, self.resolution)
            shares = _responsibilities(x, state)[0]
        return self._keep(x, state)

    def score_samples(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """Return log p of the samples, shape (n_samples,), in nats."""
        return np.concatenate([_responsibilities(x, self._state)[1].numpy() for x in self._checked(X).split(CHUNK)])

    def score(self, X: np.ndarray, y: None = None) -> float:  # noqa: N803
        """Return the mean log-density, in nats."""
        return float(self.score_samples(X).mean())

    def responsibilities(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """Return the posterior of each component, shape (n_samples, n_components)."""
        return np.concatenate([_responsibilities(x, self._state)[0].numpy() for x in self._checked(X).split(CHUNK)])

    def _checked(self, X: np.ndarray) -> torch.Tensor:  # noqa: N803
        check_is_fitted(self, "means_")
        return _writable(validate_data(self, X, dtype=[np.float32, np.float64], reset=False))

    def _keep(self, x: torch.Tensor, state: _State) -> TiedMixture:
        self._state = state
        self.weights_, self.means_ = state.weights.numpy(), state.means.numpy()
        self.root_ = state.root.numpy()
        parts = [_responsibilities(part, state)[1].double().sum() for part in x.split(CHUNK)]
        self.criterion_ = float(sum(parts)) - _penalty(len(state.weights), x)
        return self


def _writable(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.require(x, requirements="W"))  # torch warns of others, though nothing is written


class _State:
    """Parameters of a mixture, with the logarithm of what normalises each component."""

    def __init__(self, weights: torch.Tensor, means: torch.Tensor, root: torch.Tensor, log_scale: float) -> None:
        self.weights = weights
        self.means = means
        self.root = root
        self.log_scale = log_scale


def _penalty(n_components: int, x: torch.Tensor) -> float:
    return 0.5 * n_components * (x.shape[1] + 1) * np.log(len(x))


def _responsibilities(x: torch.Tensor, state: _State) -> tuple[torch.Tensor, torch.Tensor]:
    """Return posteriors (n, K) and log-densities (n,)."""
    # Relative to the overall mean, so that nothing cancels far from the origin.
    centre = state.weights @ state.means
    here, there = (x - centre) @ state.root, (state.means - centre) @ state.root
    joint = here @ there.T - 0.5 * (there**2).sum(dim=1) + state.weights.log()
    top = joint.max(dim=1, keepdim=True).values
    # What is smaller than e^-80 is nothing, and takes the processor much longer.
    shares = joint.sub_(top).clamp_(min=-80).exp_()
    whole = shares.sum(dim=1, keepdim=True)
    log_p = (top + whole.log())[:, 0] - 0.5 * (here**2).sum(dim=1) + state.log_scale
    return shares.div_(whole), log_p


def _maximise(x: torch.Tensor, shares: torch.Tensor, resolution: float) -> _State:
    counts = shares.sum(dim=0) + 1e-6
    weights = counts / counts.sum()
    centre = x.mean(dim=0)
    x = x - centre
    means = (shares.T @ x) / counts[:, None]
    total = (x.T @ x).double() / len(x)
    within = total - (means.double().T * weights.double()) @ means.double()
    # Groups of equal samples have no spread of their own; what rounding leaves of it may even be negative.
    floor = resolution**2 + 1e-6 * max(float(total.diagonal().mean()), 1e-12)
    within.diagonal().add_(floor)
    root, log_scale = _root_of_inverse(within, floor)
    return _State(weights, means + centre, root.to(x.dtype), log_scale - 0.5 * len(root) * np.log(2 * np.pi))


def _root_of_inverse(covariance: torch.Tensor, floor: float) -> tuple[torch.Tensor, float]:
    """Return R with R R' the inverse, and log det R; variances below the floor are lifted to it."""
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if not failed:
        return torch.linalg.inv(factor).T, -float(factor.diagonal().log().sum())
    values, vectors = torch.linalg.eigh(covariance)
    deviations = values.clamp(min=floor).sqrt()
    return vectors / deviations, -float(deviations.log().sum())


def _spread_out(x: torch.Tensor, n_groups: int, rng: np.random.Generator, n_iter: int = 5) -> _State:
    """Return a mixture of k-means groups started far from one another (k-means++)."""
    centres = x[rng.integers(len(x))][None]
    nearest = ((x - centres) ** 2).sum(dim=1)
    while len(centres) < n_groups and float(nearest.max()) > 0:
        # Several at a time: their mutual distances are looked after by the iterations and merges that follow.
        odds = nearest.double().numpy()
        several = min(n_groups - len(centres), max(1, len(centres) // 4), int((odds > 0).sum()))
        drawn = x[rng.choice(len(x), size=several, replace=False, p=odds / odds.sum())]
        nearest = torch.minimum(nearest, torch.cdist(x, drawn).square().min(dim=1).values)
        centres = torch.cat([centres, drawn])
    for _ in range(n_iter):
        nearest = (x @ centres.T - 0.5 * (centres**2).sum(dim=1)).argmax(dim=1)
        counts = torch.bincount(nearest, minlength=len(centres))
        sums = torch.zeros_like(centres).index_add_(0, nearest, x)
        centres = sums[counts > 0] / counts[counts > 0, None]
    # The spread within groups, as if every sample belonged to the nearest centre alone.
    nearest = (x @ centres.T - 0.5 * (centres**2).sum(dim=1)).argmax(dim=1)
    return _maximise(x, torch.nn.functional.one_hot(nearest, len(centres)).to(x.dtype), 0.0)


def _merge_down(x: torch.Tensor, state: _State, resolution: float) -> _State:
    """Merge neighbours until the criterion is past its best by far; return the best stage."""
    best, kept = -np.inf, state
    while True:
        for _ in range(1 if len(state.weights) > FEW else 2):
            shares, log_p = _responsibilities(x, state)
            state = _maximise(x, shares, resolution)
        criterion = float(log_p.double().sum()) - _penalty(len(state.weights), x)
        if criterion > best:
            best, kept = criterion, state
        if len(state.weights) < max(2, len(kept.weights) // 2):
            return kept
        state = _merge_closest(state)


def _merge_closest(state: _State) -> _State:
    """Merge the pairs whose union widens the shared covariance least, one pair in eight groups at a time."""
    weights, places = state.weights.double(), (state.means @ state.root).double()
    cost = torch.cdist(places, places).square() * weights[:, None] * weights / (weights[:, None] + weights)
    cost[tuple(torch.tril_indices(len(weights), len(weights)))] = torch.inf
    n_pairs = max(1, len(weights) // 8)
    means, gone, used = state.means.clone(), [], set()
    for flat in cost.flatten().topk(min(4 * n_pairs, cost.numel()), largest=False, sorted=True).indices.tolist():
        i, j = divmod(flat, len(weights))
        if i < j and len(gone) < n_pairs and not {i, j} & used:
            used |= {i, j}
            gone.append(j)
            means[i] = ((weights[i] * means[i] + weights[j] * means[j]) / (weights[i] + weights[j])).to(means.dtype)
            weights[i] += weights[j]
    stay = torch.tensor([k not in gone for k in range(len(weights))])
    return _State(weights[stay].to(means.dtype), means[stay], state.root, state.log_scale)


def label_statistic(log_proba: np.ndarray, log_prior: np.ndarray) -> np.ndarray:
    r"""Return what a modality says about the label and nothing else: centred class log-ratios.

    :math:`t_c = \log p(c|x)/p(c) - \frac1C \sum_{c'} \log p(c'|x)/p(c')`, written in C - 1 orthonormal coordinates.
    It is sufficient for the label, so i(t; y) = i(x; y), while nuisance, units and dimension are gone.

    Parameters
    ----------
    log_proba : ndarray of shape (n_samples, n_classes)
    log_prior : ndarray of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_samples, n_classes - 1)
    """
    ratios = log_proba - log_prior
    n_classes = ratios.shape[1]
    # Columns of an orthonormal basis of the vectors that sum to zero.
    contrasts = np.linalg.qr(np.eye(n_classes) - 1 / n_classes)[0][:, : n_classes - 1]
    return ratios @ contrasts
