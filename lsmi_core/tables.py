r"""What groups of samples say about the label: one table a modality, and one for pairs of groups.

With groups a of one modality and b of the other (mixture components), the joint law is
:math:`p(x_1, x_2, y) = \sum_{ab} T_{aby}\, p(x_1|a)\, p(x_2|b)`. Whether a cell has a label distribution of its own or
only that of what stands behind it is decided by its Bayes factor, so that thousands of rare cells do no harm.
"""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["cell_log_proba", "fit_cells", "fit_groups", "group_log_proba"]

CONCENTRATIONS = (0.1, 0.7, 5.0)
ENOUGH = 1_000
MAX_ROUNDS = 10
FEW_CELLS = 2_500


def fit_groups(shares: torch.Tensor, codes: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
    """Return p(y | group), shape (n_groups, n_classes).

    Parameters
    ----------
    shares : float tensor of shape (n_samples, n_groups)
        Posterior of each group, labels unseen.
    codes : int64 tensor of shape (n_samples,)
    prior : float tensor of shape (n_classes,)

    Returns
    -------
    float tensor
    """
    one_hot = torch.nn.functional.one_hot(codes, len(prior)).to(shares.dtype)
    counts = shares.T @ one_hot
    for _ in range(MAX_ROUNDS):
        # Samples are shared out anew, their labels now seen.
        table = own_or_inherited(counts, prior.expand_as(counts))
        seen = shares * (table / prior).T[codes]
        before, counts = counts, (seen / seen.sum(dim=1, keepdim=True)).T @ one_hot
        if _settled(before, counts):
            break
    return own_or_inherited(counts, prior.expand_as(counts))


def group_log_proba(shares: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Return log p(y | x), shape (n_samples, n_classes)."""
    return (shares @ table).clamp(min=1e-30).log()


def fit_cells(
    shares1: torch.Tensor,
    shares2: torch.Tensor,
    codes: torch.Tensor,
    prior: torch.Tensor,
) -> torch.Tensor:
    r"""Return how much likelier each cell and label are than if groups were independent, in two versions.

    Parameters
    ----------
    shares1, shares2 : float tensor of shape (n_samples, K1) and (n_samples, K2)
    codes : int64 tensor of shape (n_samples,)
    prior : float tensor of shape (n_classes,)

    Returns
    -------
    float tensor of shape (2, K1, K2, C)
        :math:`p(a, b, y) / (p(a)\, p(b))`: as the cells' own counts say, and so that cells agree with what each group
        says alone.
    """
    alone = fit_groups(shares1, codes, prior), fit_groups(shares2, codes, prior)
    product = alone[0][:, None] * alone[1][None] / prior
    product = product / product.sum(dim=2, keepdim=True)
    members = [torch.nonzero(codes == c)[:, 0] for c in range(len(prior))]
    marginals = shares1.mean(dim=0).clamp(min=1e-9), shares2.mean(dim=0).clamp(min=1e-9)
    counts = torch.stack([shares1[m].T @ shares2[m] for m in members], dim=2)
    for _ in range(MAX_ROUNDS if counts[..., 0].numel() <= FEW_CELLS else 1):
        lift, before = _lift(own_or_inherited(counts, product), counts, marginals), counts
        counts = torch.stack([_shared_out(shares1[m], shares2[m], lift[:, :, c]) for c, m in enumerate(members)], dim=2)
        if _settled(before, counts):
            break
    table, mass = own_or_inherited(counts, product), counts.sum(dim=2)
    smooth = (mass + _low_rank(mass)) / 2
    agreeing = _agreeing(table, smooth, alone)
    return torch.stack([_lift(table, counts, marginals), _lift(agreeing, smooth[:, :, None], marginals)])


def cell_log_proba(shares1: torch.Tensor, shares2: torch.Tensor, lift: torch.Tensor) -> torch.Tensor:
    """Return log p(y | x1, x2), shape (n_samples, n_classes)."""
    k1, k2, n_classes = lift.shape
    along = (shares1 @ lift.reshape(k1, -1)).reshape(len(shares1), k2, n_classes)
    joint = torch.einsum("nb,nbc->nc", shares2, along).clamp(min=1e-30)
    return (joint / joint.sum(dim=1, keepdim=True)).log()


def _settled(before: torch.Tensor, after: torch.Tensor) -> bool:
    return float((before - after).abs().sum()) < 5e-3 * float(after.sum())


def _shared_out(shares1: torch.Tensor, shares2: torch.Tensor, lift: torch.Tensor) -> torch.Tensor:
    """Return expected cell counts of samples of one label."""
    whole = ((shares1 @ lift) * shares2).sum(dim=1, keepdim=True).clamp(min=1e-30)
    return lift * (shares1.T @ (shares2 / whole))


def _lift(table: torch.Tensor, counts: torch.Tensor, marginals: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    mass = counts.sum(dim=2)
    independent = marginals[0][:, None] * marginals[1] * mass.sum()
    return table * ((mass + 0.02 * independent) / independent)[:, :, None]


def _agreeing(
    table: torch.Tensor, mass: torch.Tensor, alone: tuple[torch.Tensor, torch.Tensor], n_iter: int = 10
) -> torch.Tensor:
    """Return p(y | a, b) that averages to p(y | a) and to p(y | b), by proportional fitting.

    What single groups say is learned from many more samples than what their pairs say. Where a group alone says
    nothing, a label that some of its pairs have taken is so much less likely in its other pairs.
    """
    rows, columns = (a.clamp(min=1e-6) for a in alone)
    for _ in range(n_iter):
        said = torch.einsum("ab,abc->ac", mass, table) / mass.sum(dim=1)[:, None]
        table = table * (rows / said.clamp(min=1e-6))[:, None]
        table = table / table.sum(dim=2, keepdim=True)
        said = torch.einsum("ab,abc->bc", mass, table) / mass.sum(dim=0)[:, None]
        table = table * (columns / said.clamp(min=1e-6))[None]
        table = table / table.sum(dim=2, keepdim=True)
    return table


def _low_rank(counts: torch.Tensor, rank: int = 4, n_iter: int = 50) -> torch.Tensor:
    """Return a smooth version of the counts: the nearest (Kullback-Leibler) product of non-negative factors.

    References
    ----------
    Lee and Seung 1999, Nature 401:788 (multiplicative updates).
    """
    generator = torch.Generator().manual_seed(0)
    left, right = (0.1 + torch.rand(n, rank, generator=generator, dtype=counts.dtype) for n in counts.shape)
    for _ in range(n_iter):
        left = left * (counts / (left @ right.T).clamp(min=1e-12) @ right) / right.sum(dim=0).clamp(min=1e-12)
        right = right * (counts.T / (right @ left.T).clamp(min=1e-12) @ left) / left.sum(dim=0).clamp(min=1e-12)
    return (left @ right.T).clamp(min=1e-6)


def own_or_inherited(counts: torch.Tensor, inherited: torch.Tensor) -> torch.Tensor:
    r"""Return label distributions: a cell's own where its counts speak for it, else the one it inherits.

    A priori a cell either has the inherited distribution g, or one drawn from a Dirichlet around it with
    concentration :math:`\kappa`. The share of the latter and :math:`\kappa` maximise the marginal likelihood of all
    counts (empirical Bayes); each cell then mixes both by their posterior.

    Parameters
    ----------
    counts : float tensor of shape (..., n_classes)
    inherited : float tensor of the same shape, summing to 1

    Returns
    -------
    float tensor of the same shape
    """
    n, g = counts.double(), inherited.double().clamp(min=1e-12)
    total = n.sum(dim=-1)
    # Concentration and share are learned from cells that hold something, and from no more of them than it takes.
    filled = torch.nonzero(total.flatten() > 0.5)[:, 0]
    some = filled[:: max(1, len(filled) // ENOUGH)]
    flat_n, flat_g = n.flatten(0, -2)[some], g.flatten(0, -2)[some]
    tried = [_learn_share(_log_bayes_factor(flat_n, flat_g, c).numpy()) for c in CONCENTRATIONS]
    best = int(np.argmax([likelihood for likelihood, _ in tried]))
    concentration, share = CONCENTRATIONS[best], tried[best][1]
    odds = np.log(share / (1 - share))
    posterior = torch.sigmoid(_log_bayes_factor(n, g, concentration) + odds)[..., None]
    own = (n + concentration * g) / (total + concentration)[..., None]
    return (posterior * own + (1 - posterior) * g).to(counts.dtype)


def _log_bayes_factor(counts: torch.Tensor, inherited: torch.Tensor, concentration: float) -> torch.Tensor:
    """Return log p(counts | own distribution) - log p(counts | inherited one) of each cell."""
    base, total = concentration * inherited, counts.sum(dim=-1)
    own = (torch.lgamma(counts + base) - torch.lgamma(base) - counts * inherited.log()).sum(dim=-1)
    whole = torch.lgamma(torch.tensor(concentration, dtype=counts.dtype)) - torch.lgamma(total + concentration)
    return (own + whole).clamp(-700, 700)


def _learn_share(factor: np.ndarray, n_iter: int = 15) -> tuple[float, float]:
    """Return the log-likelihood and the share of cells with a distribution of their own that maximises it."""
    share = 0.5
    for _ in range(n_iter):
        share = float((1 / (1 + (1 - share) / share * np.exp(-factor))).mean()) if len(factor) else 0.5
        share = min(max(share, 1e-4), 1 - 1e-4)
    return float(np.logaddexp(np.log(share) + factor, np.log1p(-share)).sum()), share
