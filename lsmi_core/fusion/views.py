"""How one sample is shown in several ways: augmented tokens, and which of them a masked view leaves visible."""

from __future__ import annotations

import torch

__all__ = ["augmented", "kept_places"]

CHANCE, MOST_DROPPED, NOISE = 0.5, 0.8, 0.1


def augmented(values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return tokens with, by chance, a share of them zeroed and with noise added, sample by sample.

    Parameters
    ----------
    values : float tensor of shape (n, n_tokens, n_features)
        Standardised, so that zero is the mean.
    generator : torch.Generator
        On the processor, whatever the device of the values.

    Returns
    -------
    float tensor of the same shape
        With probability 1/2 a share of up to 80 % of the tokens is zero, and with probability 1/2 normal noise of
        deviation 0.1 is added.
    """
    n, n_tokens, _ = values.shape
    draw = torch.rand(n, 3, generator=generator)
    share = torch.where(draw[:, 0] < CHANCE, MOST_DROPPED * draw[:, 1], 0)
    stays = torch.rand(n, n_tokens, generator=generator) >= share[:, None]
    noisy = (draw[:, 2] < CHANCE)[:, None, None] * torch.randn(values.shape, generator=generator)
    return values * stays[..., None].to(values.device) + NOISE * noisy.to(values.device)


def kept_places(real: torch.Tensor, share: float, n_masks: int, generator: torch.Generator) -> torch.Tensor:
    r"""Return which tokens stay visible in each of several masked views.

    Of L real tokens :math:`\lfloor L (1 - \rho) \rfloor` stay, at least one, drawn anew for every sample and view.

    Parameters
    ----------
    real : bool tensor of shape (n, n_tokens)
    share : float in [0, 1)
        The share to hide, :math:`\rho`.
    n_masks : int
    generator : torch.Generator

    Returns
    -------
    bool tensor of shape (n_masks, n, n_tokens)
        Never true where there is only padding.
    """
    here = real.cpu()
    n_kept = (here.sum(dim=1) * (1 - share) + 1e-6).floor().clamp(min=1)  # 10 (1 - .9) is a hair below 1
    draw = torch.rand(n_masks, *here.shape, generator=generator).masked_fill(~here, torch.inf)
    rank = draw.argsort(dim=2).argsort(dim=2)
    return (rank < n_kept[:, None]).to(real.device)
