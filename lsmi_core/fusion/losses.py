r"""Contrastive losses between ways of showing the same samples, in nats; all vectors have length 1."""

from __future__ import annotations

import torch

__all__ = ["cross_contrast", "masked_contrast", "nt_xent"]


def nt_xent(a: torch.Tensor, b: torch.Tensor, temperature: float) -> torch.Tensor:
    r"""Return the normalised temperature-scaled cross-entropy of two views of the same samples.

    Every vector has to find its partner among all others of both views:
    :math:`-\frac{1}{2n}\sum_q \log \frac{\exp(q \cdot q^+/\tau)}{\sum_{v \neq q} \exp(q \cdot v/\tau)}`.

    Parameters
    ----------
    a, b : float tensor of shape (n, n_features)
    temperature : float

    Returns
    -------
    scalar tensor

    References
    ----------
    Chen, Kornblith, Norouzi and Hinton 2020, "A Simple Framework for Contrastive Learning of Visual Representations",
    arXiv:2002.05709.
    """
    n = len(a)
    both = torch.cat([a, b])
    likeness = both @ both.mT / temperature
    likeness = likeness.masked_fill(torch.eye(2 * n, dtype=torch.bool, device=a.device), -torch.inf)
    partner = torch.arange(2 * n, device=a.device).roll(n)
    return torch.nn.functional.cross_entropy(likeness, partner)


def masked_contrast(queries: torch.Tensor, keys: torch.Tensor, temperature: float, weight: float) -> torch.Tensor:
    r"""Return how badly unmasked views find the masked views of their own sample, for infinitely many masks.

    With :math:`\mu` the mean and :math:`\Sigma` the covariance of a sample's masked views, taken as normal,

    .. math:: -\frac{q \cdot \mu}{\tau} + \log\Big[\exp\Big(\frac{q \cdot \mu}{\tau}
        + \lambda \frac{q^\top \Sigma q}{2 \tau^2}\Big) + \sum_{v} \exp\frac{q \cdot v}{\tau}\Big],

    v running over all views, masked and not, of the other samples. :math:`q^\top \Sigma q` is the variance of
    :math:`q \cdot k` over the masked views k: no covariance is built.

    Parameters
    ----------
    queries : float tensor of shape (n, n_features)
        Unmasked views.
    keys : float tensor of shape (n_masks, n, n_features)
        Masked views of the same samples; the variance is that of these n_masks, divided by n_masks.
    temperature : float
    weight : float
        :math:`\lambda`; 0 leaves the variance out.

    Returns
    -------
    scalar tensor

    References
    ----------
    Wen et al. 2025, "InfMasking", arXiv:2509.25270.
    """
    n_masks, n, _ = keys.shape
    own = torch.einsum("nf,knf->nk", queries, keys) / temperature
    mean, variance = own.mean(dim=1), own.var(dim=1, correction=0)
    others = torch.cat([queries, keys.flatten(0, 1)])
    likeness = queries @ others.mT / temperature
    same = torch.eye(n, dtype=torch.bool, device=queries.device).repeat(1, n_masks + 1)
    likeness = likeness.masked_fill(same, -torch.inf)
    lifted = mean + weight * variance / 2
    return (torch.logsumexp(torch.cat([lifted[:, None], likeness], dim=1), dim=1) - mean).mean()


def cross_contrast(a: torch.Tensor, b: torch.Tensor, temperature: float) -> torch.Tensor:
    r"""Return how badly one modality finds its partner among the vectors of the other, both ways.

    :math:`-\frac{1}{2n}\sum_i \log \frac{\exp(a_i \cdot b_i/\tau)}{\sum_j \exp(a_i \cdot b_j/\tau)}` and the same with
    a and b exchanged.

    Parameters
    ----------
    a, b : float tensor of shape (n, n_features)
    temperature : float

    Returns
    -------
    scalar tensor

    References
    ----------
    Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", arXiv:2103.00020.
    """
    likeness = a @ b.mT / temperature
    partner = torch.arange(len(a), device=a.device)
    ways = [torch.nn.functional.cross_entropy(way, partner) for way in (likeness, likeness.mT)]
    return (ways[0] + ways[1]) / 2
