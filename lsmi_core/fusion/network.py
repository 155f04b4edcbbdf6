"""One transformer for each modality alone and for both, and the head that losses are measured behind.

It has one layer, and only the state of its summary token is read. What that token asks is then the same for every
sample, so how much each token weighs and what it says is worked out once and serves all views: each modality alone,
both, and any number of masked ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

__all__ = ["FusionNetwork", "Part", "Projected"]

HIDDEN, SPACE = 512, 256


class Part(NamedTuple):
    """Tokens of one modality as the summary token reads them.

    Attributes
    ----------
    weight : float tensor of shape (n, n_tokens, n_heads)
        Before the softmax; minus infinity where there is only padding.
    says : float tensor of shape (n, n_tokens, n_heads, width / n_heads)
    """

    weight: torch.Tensor
    says: torch.Tensor


class Projected(nn.Module):
    """Bring tokens of one modality to the common width, and mark which modality they are.

    Parameters
    ----------
    n_tokens, n_features : int
        Of what comes in.
    width : int
        Of what goes out.
    by_place : bool
        A projection for every place, as groups of columns need; otherwise one for all.
    """

    def __init__(self, n_tokens: int, n_features: int, width: int, by_place: bool) -> None:
        super().__init__()
        places = n_tokens if by_place else 1
        self.weight = nn.Parameter(torch.randn(places, n_features, width) / n_features**0.5)
        self.bias = nn.Parameter(0.02 * torch.randn(places, width))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (n, n_tokens, width) for values of shape (n, n_tokens, n_features)."""
        if len(self.weight) == 1:
            return values @ self.weight[0] + self.bias[0]
        return torch.einsum("nlf,lfw->nlw", values, self.weight) + self.bias


class FusionNetwork(nn.Module):
    """Tokens of one modality or of both in, one vector a sample out: the state of a learned token that reads them all.

    One pre-normalised transformer layer of the usual kind: attention, then a perceptron four times as wide, each added
    to what it is given; normalised once more at the end.

    Parameters
    ----------
    readers : sequence of nn.Module
        One a modality: what makes tokens of shape (n, n_tokens, width) of a batch.
    width, n_heads : int
        Of the transformer, which is the same for each modality alone and for all together.

    Attributes
    ----------
    summary : nn.Parameter
        The token that reads the others.
    mask_token : nn.Parameter
        Stands for every token that a masked view hides.
    """

    def __init__(self, readers: Sequence[nn.Module], width: int, n_heads: int) -> None:
        super().__init__()
        self.readers = nn.ModuleList(readers)
        self.n_heads = n_heads
        self.summary = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.before, self.between, self.after = (nn.LayerNorm(width) for _ in range(3))
        self.asks, self.answers, self.says, self.out = (nn.Linear(width, width) for _ in range(4))
        self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.head = nn.Sequential(
            nn.Linear(width, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(),
            nn.Linear(HIDDEN, SPACE),
        )  # fmt: skip

    def read(self, which: int, values: torch.Tensor, real: torch.Tensor) -> Part:
        """Return modality ``which``, 0 or 1, as the summary token reads it.

        Parameters
        ----------
        which : int
        values : tensor
            A batch of what the modality's reader takes.
        real : bool tensor of shape (n, n_tokens)
        """
        part = self._part(self.readers[which](values))
        return Part(part.weight.masked_fill(~real[..., None], -torch.inf), part.says)

    def forward(self, *parts: Part, kept: Sequence[torch.Tensor] | None = None) -> torch.Tensor:
        """Return the fused vectors of the tokens of one or more modalities.

        Parameters
        ----------
        *parts : Part
        kept : bool tensors of shape (n_masks, n, n_tokens_k), optional
            Which tokens stay visible in masked views; the mask token stands for the others, padding left out.

        Returns
        -------
        tensor of shape (n, width), or (n_masks, n, width) where masks are given
        """
        own = self._part(self.summary)
        if kept is None:
            weights, says = [p.weight for p in parts], [p.says for p in parts]
            share = self._shares(own.weight.expand(len(weights[0]), -1, -1), weights)
            read = torch.einsum("nlh,nlhd->nhd", share, torch.cat([own.says.expand(len(share), -1, -1, -1), *says], 1))
            return self._finished(read)
        hidden = self._part(self.mask_token)
        weights = [
            torch.where(k[..., None] | part.weight.isneginf(), part.weight, hidden.weight)
            for k, part in zip(kept, parts, strict=True)
        ]
        first = own.weight.expand(*weights[0].shape[:2], -1, -1)
        share = self._shares(first, weights)
        own_share, *shares = share.split([1, *(w.shape[2] for w in weights)], dim=2)
        read = own_share.mT * own.says[0, 0]
        for k, p, s in zip(kept, parts, shares, strict=True):
            read = read + torch.einsum("knlh,nlhd->knhd", s * k[..., None], p.says)
            read = read + (s * ~k[..., None]).sum(dim=2)[..., None] * hidden.says[0, 0]
        return self._finished(read)

    def compared(self, fused: torch.Tensor) -> torch.Tensor:
        """Return where fused vectors are compared: behind the head, of length 1, shape (n, 256)."""
        return nn.functional.normalize(self.head(fused), dim=1)

    def _part(self, tokens: torch.Tensor) -> Part:
        normed = self.before(tokens)
        asked = self._heads(self.asks(self.before(self.summary)))[0, 0]
        scale = (tokens.shape[2] / self.n_heads) ** -0.5
        weight = torch.einsum("hd,nlhd->nlh", asked * scale, self._heads(self.answers(normed)))
        return Part(weight, self._heads(self.says(normed)))

    def _heads(self, tokens: torch.Tensor) -> torch.Tensor:
        return tokens.unflatten(-1, (self.n_heads, -1))

    @staticmethod
    def _shares(own: torch.Tensor, weights: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.cat([own, *weights], dim=-2).softmax(dim=-2)

    def _finished(self, read: torch.Tensor) -> torch.Tensor:
        state = self.summary[0, 0] + self.out(read.flatten(-2))
        return self.after(state + self.perceptron(self.between(state)))
