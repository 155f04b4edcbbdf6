"""Named distributions whose pointwise interactions are known exactly: for tests, benchmarks and the demo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

__all__ = [
    "GATES",
    "REGIMES",
    "ExactSamples",
    "continuous_xor",
    "gate",
    "gaussian_classes",
    "planted_regimes",
]

REGIMES = ("redundant", "unique1", "unique2", "synergistic", "neither")


@dataclass(frozen=True)
class ExactSamples:
    """Drawn samples with the exact quantities of the law that drew them.

    Attributes
    ----------
    x1, x2 : ndarray of shape (n_samples, n_features)
    y : int64 ndarray of shape (n_samples,)
    i1, i2, i12 : float64 ndarray of shape (n_samples,)
        Exact pointwise mutual information with the label, in nats.
    h1, h2 : float64 ndarray of shape (n_samples,)
        Exact surprisal of each modality, in nats (the density is that of the feature space).
    regime : ndarray of str, shape (n_samples,), or None
        How each sample was built, where the law has regimes.
    """

    x1: np.ndarray
    x2: np.ndarray
    y: np.ndarray
    i1: np.ndarray
    i2: np.ndarray
    i12: np.ndarray
    h1: np.ndarray
    h2: np.ndarray
    regime: np.ndarray | None = None


GATES = {
    "RDN": [(0, 0, 0), (1, 1, 1)],
    "UNQ": [(0, 0, 0), (1, 0, 0), (0, 1, 1), (1, 1, 1)],
    "COPY": [(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3)],
    "XOR": [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)],
    "AND": [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 1)],
    "OR": [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)],
    "SUM": [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)],
    "PWUNQ": [(0, 1, 0), (1, 0, 0), (0, 2, 1), (2, 0, 1)],
}
"""Discrete gates as equally likely outcomes (x1, x2, y)."""


def gate(name: str) -> ExactSamples:
    """Return the equally likely outcomes of a discrete gate with their exact pointwise quantities, in nats.

    Parameters
    ----------
    name : key of :data:`GATES`

    Returns
    -------
    ExactSamples
        One row an outcome; the mean over rows is the exact expectation.
    """
    outcomes = np.array(GATES[name])
    x1, x2, y = outcomes.T

    def log_p(*columns: np.ndarray) -> np.ndarray:
        rows = np.stack(columns, axis=1)
        return np.log((rows[:, None] == rows[None]).all(axis=2).mean(axis=1))

    return ExactSamples(
        x1[:, None], x2[:, None], y,
        i1=log_p(x1, y) - log_p(x1) - log_p(y),
        i2=log_p(x2, y) - log_p(x2) - log_p(y),
        i12=log_p(x1, x2, y) - log_p(x1, x2) - log_p(y),
        h1=-log_p(x1), h2=-log_p(x2),
    )  # fmt: skip


def gaussian_classes(
    n_samples: int, n_classes: int = 10, rho: float = 0.5, sigma: float = 0.5, random_state: int = 0
) -> ExactSamples:
    r"""Draw Gaussian classes around one-hot centres, the noise of the two modalities correlated.

    :math:`x_1 = e_y + \sigma u`, :math:`x_2 = e_y + \sigma(\rho u + \sqrt{1 - \rho^2}\, v)` with standard normal
    u, v and uniform y: every density is a known mixture, so all pointwise quantities are exact.

    Parameters
    ----------
    n_samples, n_classes : int
    rho, sigma : float
    random_state : int

    Returns
    -------
    ExactSamples
        In nats.
    """
    rng = np.random.default_rng(random_state)
    y = rng.integers(n_classes, size=n_samples)
    u, v = rng.standard_normal((2, n_samples, n_classes))
    centres = np.eye(n_classes)
    x1 = centres[y] + sigma * u
    x2 = centres[y] + sigma * (rho * u + np.sqrt(1 - rho**2) * v)
    l1 = _log_normal(x1, centres, sigma)
    l2 = _log_normal(x2, centres, sigma)
    # x2 given x1 and y: mean e_y + rho (x1 - e_y), deviation sigma sqrt(1 - rho^2).
    l2_given_1 = _log_normal(x2 - rho * x1, (1 - rho) * centres, sigma * np.sqrt(1 - rho**2))
    i1, h1 = _label_information(l1, y)
    i2, h2 = _label_information(l2, y)
    i12, _ = _label_information(l1 + l2_given_1, y)
    return ExactSamples(x1, x2, y, i1, i2, i12, h1, h2)


def continuous_xor(n_samples: int, n_features: int = 64, random_state: int = 0) -> ExactSamples:
    r"""Draw a label that is the exclusive-or of two directions, one in each modality: pure synergy, log 2 nats.

    :math:`x_k = 3 (2 b_k - 1) w_k + N(0, I)` with fair bits b1, y and b2 = b1 xor y, and unit vectors w_k.

    Parameters
    ----------
    n_samples, n_features, random_state : int

    Returns
    -------
    ExactSamples
        In nats; i1 and i2 are exactly 0.
    """
    rng = np.random.default_rng(random_state)
    b1, y = rng.integers(2, size=(2, n_samples))
    w = rng.standard_normal((2, n_features))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    noise = rng.standard_normal((2, n_samples, n_features))
    centres = np.stack([-3 * w, 3 * w], axis=1)  # (modality, bit, features)
    x1 = centres[0, b1] + noise[0]
    x2 = centres[1, b1 ^ y] + noise[1]
    pairing = np.zeros((2, 2, 2))
    for bit in range(2):
        for label in range(2):
            pairing[bit, bit ^ label, label] = 0.5
    return _clustered(x1, x2, y, centres[0], centres[1], pairing, np.array([0.5, 0.5]), 1.0, None)


def planted_regimes(
    n_samples: int,
    n_classes: int = 4,
    n_features: int = 16,
    noise_features: int = 0,
    spread: float = 1.0,
    shares: tuple[float, float, float, float, float] = (0.2, 0.2, 0.2, 0.2, 0.2),
    imbalance: float = 1.0,
    random_state: int = 0,
) -> ExactSamples:
    """Draw samples that are redundant, unique, synergistic or uninformative by construction.

    Each modality has a cluster for every label, a second set of clusters that only mean something in pairs,
    and a blank one. A redundant sample shows its label's cluster in both modalities; a unique one shows it in one
    and the blank in the other; a synergistic one shows the pair clusters a and b with (a + b) mod C = label;
    the rest are blank in both.

    Parameters
    ----------
    n_samples, n_classes, n_features : int
    noise_features : int
        Columns of pure standard normal noise, appended to each modality.
    spread : float
        Standard deviation of every cluster; the centres are drawn with norm near 6.
    shares : tuple of five float
        Shares of the regimes, in the order of :data:`REGIMES`.
    imbalance : float
        Ratio of the most frequent label to the rarest; shares in between are geometric.
    random_state : int

    Returns
    -------
    ExactSamples
        With ``regime``; i1, i2, i12, h1, h2 are those of the law itself, in nats.
    """
    rng = np.random.default_rng(random_state)
    prior = np.geomspace(imbalance, 1.0, n_classes)
    prior /= prior.sum()
    y = rng.choice(n_classes, size=n_samples, p=prior)
    regime = rng.choice(5, size=n_samples, p=np.asarray(shares) / np.sum(shares))
    k1, k2 = _clusters_of(regime, y, n_classes, rng)
    centres = rng.standard_normal((2, 2 * n_classes + 1, n_features))
    centres *= 6 / np.linalg.norm(centres, axis=2, keepdims=True)
    noise = spread * rng.standard_normal((2, n_samples, n_features))
    pairing = _pairing_table(np.asarray(shares) / np.sum(shares), n_classes)
    x1, x2 = centres[0, k1] + noise[0], centres[1, k2] + noise[1]
    drawn = _clustered(x1, x2, y, centres[0], centres[1], pairing, prior, spread, np.array(REGIMES)[regime])
    return _with_noise_columns(drawn, noise_features, rng)


def _clusters_of(
    regime: np.ndarray, y: np.ndarray, n_classes: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's cluster in each modality: label clusters, then pair clusters, then the blank."""
    blank = 2 * n_classes
    a = rng.integers(n_classes, size=len(y))
    b = (y - a) % n_classes
    k1 = np.select([regime <= 1, regime == 3], [y, n_classes + a], blank)
    k2 = np.select([(regime == 0) | (regime == 2), regime == 3], [y, n_classes + b], blank)
    return k1, k2


def _pairing_table(shares: np.ndarray, n_classes: int) -> np.ndarray:
    """Return p(cluster1, cluster2 | label), shape (2C + 1, 2C + 1, C)."""
    blank, table = 2 * n_classes, np.zeros((2 * n_classes + 1, 2 * n_classes + 1, n_classes))
    redundant, unique1, unique2, synergistic, neither = shares
    for label in range(n_classes):
        table[label, label, label] += redundant
        table[label, blank, label] += unique1
        table[blank, label, label] += unique2
        table[blank, blank, label] += neither
        for a in range(n_classes):
            table[n_classes + a, n_classes + (label - a) % n_classes, label] += synergistic / n_classes
    return table


def _clustered(
    x1: np.ndarray, x2: np.ndarray, y: np.ndarray, centres1: np.ndarray, centres2: np.ndarray,
    pairing: np.ndarray, prior: np.ndarray, spread: float, regime: np.ndarray | None,
) -> ExactSamples:  # fmt: skip
    """Return the samples with the exact quantities of p(x1, x2 | y) = sum pairing[a, b, y] N(x1; a) N(x2; b)."""
    l1 = _log_normal(x1, centres1, spread)
    l2 = _log_normal(x2, centres2, spread)
    top1, top2 = l1.max(axis=1, keepdims=True), l2.max(axis=1, keepdims=True)
    e1, e2 = np.exp(l1 - top1), np.exp(l2 - top2)
    with np.errstate(divide="ignore"):
        c1 = np.log(e1 @ pairing.sum(axis=1)) + top1
        c2 = np.log(e2 @ pairing.sum(axis=0)) + top2
        c12 = np.log(np.stack([((e1 @ pairing[:, :, c]) * e2).sum(axis=1) for c in range(len(prior))], axis=1))
    i1, h1 = _label_information(c1, y, prior)
    i2, h2 = _label_information(c2, y, prior)
    i12, _ = _label_information(c12, y, prior)
    return ExactSamples(x1, x2, y, i1, i2, i12, h1, h2, regime)


def _with_noise_columns(drawn: ExactSamples, n_columns: int, rng: np.random.Generator) -> ExactSamples:
    if n_columns == 0:
        return drawn
    noise = rng.standard_normal((2, len(drawn.y), n_columns))
    extra = 0.5 * (noise**2 + np.log(2 * np.pi)).sum(axis=2)
    values = {**drawn.__dict__, "h1": drawn.h1 + extra[0], "h2": drawn.h2 + extra[1]}
    values["x1"] = np.hstack([drawn.x1, noise[0]])
    values["x2"] = np.hstack([drawn.x2, noise[1]])
    return ExactSamples(**values)


def _log_normal(x: np.ndarray, centres: np.ndarray, sigma: float) -> np.ndarray:
    """Return log N(x; centre, sigma^2 I), shape (n_samples, n_centres)."""
    squared = ((x[:, None, :] - centres[None]) ** 2).sum(axis=2)
    return -0.5 * squared / sigma**2 - 0.5 * x.shape[1] * np.log(2 * np.pi * sigma**2)


def _label_information(
    log_likelihood: np.ndarray, y: np.ndarray, prior: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return i = log p(x|y) - log p(x) and h = -log p(x) from log p(x|y) of shape (n_samples, n_classes)."""
    n_classes = log_likelihood.shape[1]
    prior = np.full(n_classes, 1 / n_classes) if prior is None else prior
    log_p = logsumexp(log_likelihood + np.log(prior), axis=1)
    return log_likelihood[np.arange(len(y)), y] - log_p, -log_p
