"""What a fusion network is trained for: InfMasking, CoMM, and plain contrast of the two modalities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from lsmi_core.fusion.losses import cross_contrast, masked_contrast, nt_xent
from lsmi_core.fusion.network import FusionNetwork
from lsmi_core.fusion.views import kept_places

__all__ = ["OBJECTIVES", "Augment", "Objective", "Side"]

OBJECTIVES = ("infmasking", "comm", "contrast")

Side = tuple[torch.Tensor, torch.Tensor]
"""A modality: what its reader takes, samples along the first axis, and which of its tokens are real."""

Augment = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


@dataclass(frozen=True)
class Objective:
    r"""The loss of a batch, in nats.

    "comm": the mean of three contrasts across two augmentations: each modality alone with both fused, and both fused
    with both fused. "infmasking": two terms more, the fused view of each augmentation with its masked views.
    "contrast": one modality with the other; nothing is fused.

    Attributes
    ----------
    name : one of :data:`OBJECTIVES`
    temperature : float
    mask_share : float in [0, 1)
        Share of the tokens of each modality that a masked view hides.
    n_masks : int
        Masked views of each augmentation.
    mask_weight : float
        Of the variance term at the end of training; it grows from 0 in a straight line.
    fused_weight : float
        Of the contrast of both fused; the other terms weigh 1.
    """

    name: str
    temperature: float
    mask_share: float
    n_masks: int
    mask_weight: float
    fused_weight: float

    def loss(
        self, network: FusionNetwork, sides: Sequence[Side], augments: Sequence[Augment], done: float,
        generator: torch.Generator,
    ) -> torch.Tensor:  # fmt: skip
        """Return the loss of one batch.

        Parameters
        ----------
        network : FusionNetwork
        sides : two of (values, real)
        augments : two callables of (values, generator)
        done : float in [0, 1]
            Share of the training that is behind.
        generator : torch.Generator

        Returns
        -------
        scalar tensor
        """
        n = len(sides[0][1])
        reals = [torch.cat([real, real]) for _, real in sides]
        parts = []
        for m, ((values, _), augment) in enumerate(zip(sides, augments, strict=True)):
            shown = torch.cat([augment(values, generator), augment(values, generator)])
            parts.append(network.read(m, shown, reals[m]))
        alone = [network(part) for part in parts]
        if self.name == "contrast":
            first, second = (network.compared(fused).split(n) for fused in alone)
            return sum(cross_contrast(a, b, self.temperature) for a, b in zip(first, second, strict=True)) / 2
        shown = [*alone, network(*parts)]
        if self.name == "infmasking":
            kept = [kept_places(real, self.mask_share, self.n_masks, generator) for real in reals]
            shown.append(network(*parts, kept=kept).flatten(0, 1))
        first, second, both, *hidden = network.compared(torch.cat(shown)).split(
            [2 * n] * 3 + [len(s) for s in shown[3:]]
        )
        terms = [self._across(view, both) for view in (first, second)] + [self.fused_weight * self._across(both, both)]
        if hidden:
            keys = hidden[0].unflatten(0, (self.n_masks, 2 * n))
            terms += [
                masked_contrast(q, k, self.temperature, self.mask_weight * done)
                for q, k in zip(both.split(n), keys.split(n, dim=1), strict=True)
            ]
        return sum(terms) / (len(terms) - 1 + self.fused_weight)

    def _across(self, view: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
        """Contrast each augmentation of a view with the other augmentation of both fused."""
        (view_a, view_b), (both_a, both_b) = view.chunk(2), both.chunk(2)
        if view is both:
            return nt_xent(both_a, both_b, self.temperature)
        return (nt_xent(view_a, both_b, self.temperature) + nt_xent(view_b, both_a, self.temperature)) / 2
