"""Named distributions whose pointwise interactions are known exactly: for tests, benchmarks and the demo."""

from __future__ import annotations

import numpy as np

from lsmi_core.errors import InvalidInputError
from lsmi_core.exact import ExactSamples, label_information, log_mixture, log_normal

__all__ = [
    "GATES",
    "REGIMES",
    "SWAPPED",
    "ExactSamples",
    "continuous_xor",
    "gate",
    "gaussian_classes",
    "planted_regimes",
]

REGIMES = ("redundant", "unique1", "unique2", "synergistic", "neither")
SWAPPED = "swapped"
"""The regime of a redundant sample whose second modality shows another label; no share of its own in REGIMES."""

GATES = {
    "RDN": [(0, 0, 0), (1, 1, 1)],
    "UNQ": [(0, 0, 0), (1, 0, 0), (0, 1, 1), (1, 1, 1)],
    "COPY": [(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3)],
    "XOR": [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)],
    "AND": [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 1)],
    "OR": [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)],
    "SUM": [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)],
    "PWUNQ": [(0, 1, 0), (1, 0, 0), (0, 2, 1), (2, 0, 1)],
    "RDNXOR": [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0), (2, 2, 2), (2, 3, 3), (3, 2, 3), (3, 3, 2)],
    "IMPERFECTRDN": [(0, 0, 0)] * 4 + [(0, 1, 0)] + [(1, 1, 1)] * 5,
}
"""Discrete gates as equally likely outcomes (x1, x2, y); one that is listed k times is k times as likely.

RDNXOR holds a bit of redundancy and a bit of synergy at once; in IMPERFECTRDN x1 is y, and x2 is wrong one time in ten.
"""


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

    def expected(i: np.ndarray, x: np.ndarray) -> np.ndarray:
        same = x[:, None] == x
        return same @ i / same.sum(axis=1)

    i1, i2 = (log_p(x, y) - log_p(x) - log_p(y) for x in (x1, x2))
    return ExactSamples(
        x1[:, None], x2[:, None], y, i1=i1, i2=i2,
        i12=log_p(x1, x2, y) - log_p(x1, x2) - log_p(y),
        h1=-log_p(x1), h2=-log_p(x2), b1=expected(i1, x1), b2=expected(i2, x2),
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
    l1 = log_normal(x1, centres, sigma)
    l2 = log_normal(x2, centres, sigma)
    # x2 given x1 and y: mean e_y + rho (x1 - e_y), deviation sigma sqrt(1 - rho^2).
    l2_given_1 = log_normal(x2 - rho * x1, (1 - rho) * centres, sigma * np.sqrt(1 - rho**2))
    i1, h1, b1 = label_information(l1, y)
    i2, h2, b2 = label_information(l2, y)
    i12, _, _ = label_information(l1 + l2_given_1, y)
    return ExactSamples(x1, x2, y, i1, i2, i12, h1, h2, b1, b2)


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
    cells = [(bit, bit ^ label, label, 0.5) for bit in range(2) for label in range(2)]
    return _clustered(x1, x2, y, centres[0], centres[1], cells, np.array([0.5, 0.5]), 1.0, None)


def planted_regimes(
    n_samples: int,
    n_classes: int = 4,
    n_features: int | tuple[int, int] = 16,
    noise_features: int | tuple[int, int] = 0,
    spread: float = 1.0,
    shares: tuple[float, float, float, float, float] = (0.2, 0.2, 0.2, 0.2, 0.2),
    imbalance: float = 1.0,
    random_state: int = 0,
    swapped: float = 0.0,
) -> ExactSamples:
    r"""Draw samples that are redundant, unique, synergistic or uninformative by construction.

    Each modality has a cluster for every label, a second set of clusters that only mean something in pairs,
    and a blank one. A redundant sample shows its label's cluster in both modalities; a unique one shows it in one
    and the blank in the other; a synergistic one shows the pair clusters a and b with (a + b) mod C = label;
    the rest are blank in both. A swapped sample is a redundant one that misleads: its second modality is that of
    another redundant sample with a different label.

    Parameters
    ----------
    n_samples, n_classes : int
    n_features, noise_features : int or tuple of two int
        Columns of each modality, and columns of pure standard normal noise appended to it; one number serves both.
    spread : float
        Standard deviation of every cluster; the centres are drawn with norm near 6.
    shares : tuple of five float
        Shares of the regimes, in the order of :data:`REGIMES`.
    imbalance : float
        Ratio of the most frequent label to the rarest; shares in between are geometric.
    random_state : int
    swapped : float
        Share of the redundant samples that become :data:`SWAPPED`. All other samples stay as they are without.

    Returns
    -------
    ExactSamples
        With ``regime``; i1, i2, i12, h1, h2 are those of the law itself, swapping included, in nats.

    Raises
    ------
    InvalidInputError
        When ``swapped`` is no share, or there is no other label to swap with.

    Notes
    -----
    The regime is independent of the label, so another redundant sample has label c with the prior probability p(c),
    and given that it differs from y with p(c) / (1 - p(y)). With shares :math:`q_R, q_{U1}, \ldots`, swapped share
    :math:`\omega`, label clusters c, pair clusters a' and the blank :math:`\emptyset`, the clusters of a sample are

    .. math:: p(k_1, k_2 | y) = q_R \Big[(1 - \omega) [k_1 = k_2 = y]
        + \omega \sum_{c \neq y} \frac{p(c)}{1 - p(y)} [k_1 = y, k_2 = c]\Big] + q_{U1} [k_1 = y, k_2 = \emptyset]
        + q_{U2} [k_1 = \emptyset, k_2 = y] + \frac{q_S}{C} \sum_a [k_1 = a', k_2 = (y - a)']
        + q_N [k_1 = k_2 = \emptyset].

    The partner is a fresh draw: no row occurs twice and samples stay independent. The label keeps its prior.
    """
    _check_swapped(swapped, n_classes)
    rng = np.random.default_rng(random_state)
    prior = np.geomspace(imbalance, 1.0, n_classes)
    prior /= prior.sum()
    shares = np.asarray(shares) / np.sum(shares)
    y = rng.choice(n_classes, size=n_samples, p=prior)
    regime = rng.choice(5, size=n_samples, p=shares)
    k1, k2 = _clusters_of(regime, y, n_classes, rng)
    # A stream of its own: swapping changes the swapped samples and no other.
    regime, k2 = _swap_second(regime, y, k2, prior, swapped, rng.spawn(1)[0])
    widths = np.broadcast_to(n_features, 2)
    centres = [rng.standard_normal((2 * n_classes + 1, width)) for width in widths]
    centres = [6 * c / np.linalg.norm(c, axis=1, keepdims=True) for c in centres]
    x1, x2 = (_around(c, k, spread, rng) for c, k in zip(centres, (k1, k2), strict=True))
    names = np.array((*REGIMES, SWAPPED))[regime]
    drawn = _clustered(x1, x2, y, *centres, _cells(shares, swapped, prior), prior, spread, names)
    return _with_noise_columns(drawn, np.broadcast_to(noise_features, 2), rng)


def _check_swapped(swapped: float, n_classes: int) -> None:
    if not 0 <= swapped <= 1:
        raise InvalidInputError(
            f"The 'swapped' parameter must be a share in the range [0, 1]. Got {swapped!r} instead."
        )
    if swapped and n_classes < 2:
        raise InvalidInputError(f"Swapping needs another label, so at least 2 classes. Got n_classes={n_classes!r}.")


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


def _swap_second(
    regime: np.ndarray, y: np.ndarray, k2: np.ndarray, prior: np.ndarray, swapped: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return regime and second cluster with a share of the redundant samples showing another label's cluster."""
    chosen = (regime == 0) & (rng.random(len(y)) < swapped)
    partner = k2.copy()
    for label in np.unique(y[chosen]):
        rows = chosen & (y == label)
        partner[rows] = rng.choice(len(prior), size=rows.sum(), p=_other_labels(prior)[label])
    return np.where(chosen, 5, regime), partner


def _other_labels(prior: np.ndarray) -> np.ndarray:
    """Return p(partner's label | own label) = prior over the other labels, shape (C, C), rows sum to one."""
    table = np.where(np.eye(len(prior), dtype=bool), 0.0, prior)
    return table / table.sum(axis=1, keepdims=True)


def _around(centres: np.ndarray, k: np.ndarray, spread: float, rng: np.random.Generator) -> np.ndarray:
    x = rng.standard_normal((len(k), centres.shape[1]))
    x *= spread
    x += centres[k]
    return x


def _cells(shares: np.ndarray, swapped: float, prior: np.ndarray) -> list[tuple[int, int, int, float]]:
    """Return the pairs of clusters that occur: (cluster1, cluster2, label, p(cluster1, cluster2 | label))."""
    n_classes = len(prior)
    blank, labels = 2 * n_classes, range(n_classes)
    redundant, unique1, unique2, synergistic, neither = shares
    cells = []
    for c in labels:
        cells += [(c, c, c, redundant * (1 - swapped)), (c, blank, c, unique1), (blank, c, c, unique2)]
        cells += [(blank, blank, c, neither)]
        cells += [(n_classes + a, n_classes + (c - a) % n_classes, c, synergistic / n_classes) for a in labels]
    if swapped:
        other = redundant * swapped * _other_labels(prior)
        cells += [(c, partner, c, other[c, partner]) for c in labels for partner in labels if partner != c]
    return cells


def _clustered(
    x1: np.ndarray, x2: np.ndarray, y: np.ndarray, centres1: np.ndarray, centres2: np.ndarray,
    cells: list[tuple[int, int, int, float]], prior: np.ndarray, spread: float, regime: np.ndarray | None,
) -> ExactSamples:  # fmt: skip
    """Return the samples with the exact quantities of p(x1, x2 | y) = sum over cells of w N(x1; a) N(x2; b)."""
    columns = np.array(cells)
    clusters, labels, weights = columns[:, :2].T.astype(int), columns[:, 2].astype(int), columns[:, 3]
    logs = [log_normal(x1, centres1, spread), log_normal(x2, centres2, spread)]
    i1, h1, b1 = label_information(log_mixture(logs[:1], clusters[:1], labels, weights), y, prior)
    i2, h2, b2 = label_information(log_mixture(logs[1:], clusters[1:], labels, weights), y, prior)
    i12, _, _ = label_information(log_mixture(logs, clusters, labels, weights), y, prior)
    return ExactSamples(x1, x2, y, i1, i2, i12, h1, h2, b1, b2, regime)


def _with_noise_columns(drawn: ExactSamples, widths: np.ndarray, rng: np.random.Generator) -> ExactSamples:
    if not widths.any():
        return drawn
    values = dict(drawn.__dict__)
    for k, width in zip("12", widths, strict=True):
        noise = rng.standard_normal((len(drawn.y), width))
        values[f"x{k}"] = np.hstack([values[f"x{k}"], noise])
        values[f"h{k}"] = values[f"h{k}"] + 0.5 * (noise**2 + np.log(2 * np.pi)).sum(axis=1)
    return ExactSamples(**values)
