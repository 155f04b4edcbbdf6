"""Many two-layer probes trained side by side, each on its own samples and all for the same number of steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

__all__ = ["BATCH", "Adam", "Probes", "default_steps", "first_weights"]

BATCH = 128
N_HIDDEN = 128
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 1e-4
MOMENTS = (0.9, 0.999)
PASSES, FEWEST, MOST = 10, 200, 1_500


def default_steps(n_samples: int) -> int:
    """Return how many steps a probe is trained for: ten passes over all samples, from 200 to 1,500 steps."""
    return int(np.clip(PASSES * n_samples // BATCH, FEWEST, MOST))


@dataclass
class Probes:
    r"""Two-layer networks :math:`W_2\,\mathrm{relu}(W_1 x + b_1) + b_2` that differ only in what they learn from.

    They start from the same weights, are shown the same quantiles of their samples at every step, and are trained for
    the same number of steps with Adam and a cosine schedule: what tells them apart is the data, not the compute.

    Attributes
    ----------
    weights : list of float32 tensor
        :math:`W_1, b_1, W_2, b_2`, the probes along the first axis.

    References
    ----------
    Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
    """

    weights: list[torch.Tensor]

    @classmethod
    def fit(
        cls,
        x: torch.Tensor,
        codes: torch.Tensor,
        rows: list[np.ndarray],
        n_classes: int,
        n_steps: int,
        random_state: int,
    ) -> Probes:
        """Train one probe on each set of rows.

        Parameters
        ----------
        x : float32 tensor of shape (n_samples, n_features)
        codes : int64 tensor of shape (n_samples,)
        rows : list of int ndarray
            What each probe learns from; none of them empty.
        n_classes, n_steps : int
        random_state : int
            Draws the first weights and the order of the samples, alike for all probes.

        Returns
        -------
        Probes
        """
        generator = torch.Generator().manual_seed(random_state)
        weights = first_weights(len(rows), x.shape[1], n_classes, generator)
        optimiser = Adam(weights, n_steps)
        counts = torch.tensor([len(r) for r in rows])
        table = torch.zeros(len(rows), int(counts.max()), dtype=torch.int64)
        for k, own in enumerate(rows):
            table[k, : len(own)] = torch.as_tensor(own)
        for _ in range(n_steps):
            places = (torch.rand(BATCH, generator=generator, dtype=torch.float64) * counts[:, None]).long()
            chosen = table.gather(1, places)
            optimiser.step(_gradients(weights, x[chosen], codes[chosen]))
        return cls(weights)

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        """Return class scores of shape (n_probes, n_samples, n_classes) for x of shape (n_samples, n_features)."""
        each = zip(self.hidden(x), *self.weights[2:], strict=True)
        return torch.stack([torch.addmm(b2, hidden, w2) for hidden, w2, b2 in each])

    def hidden(self, x: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield what the hidden units of each probe make of x, shape (n_samples, 128)."""
        for w1, b1 in zip(*self.weights[:2], strict=True):
            yield torch.addmm(b1, x, w1).relu_()

    def predict(self, x: torch.Tensor) -> np.ndarray:
        """Return the likeliest class of every sample, int64 of shape (n_probes, n_samples)."""
        return self.scores(x).argmax(dim=2).numpy()


def first_weights(n_probes: int, n_features: int, n_classes: int, generator: torch.Generator) -> list[torch.Tensor]:
    """Return the weights that all probes start from, drawn once."""
    w1 = torch.randn(n_features, N_HIDDEN, generator=generator) * (2 / n_features) ** 0.5
    w2 = torch.randn(N_HIDDEN, n_classes, generator=generator) * (1 / N_HIDDEN) ** 0.5
    first = (w1, torch.zeros(1, N_HIDDEN), w2, torch.zeros(1, n_classes))
    return [w.repeat(n_probes, 1, 1) for w in first]


def _gradients(weights: list[torch.Tensor], x: torch.Tensor, codes: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradients of the mean cross-entropy for x (n_probes, n, n_features) and codes (n_probes, n)."""
    w1, b1, w2, b2 = weights
    hidden = torch.baddbmm(b1, x, w1).relu_()
    error = torch.baddbmm(b2, hidden, w2).softmax(dim=2)
    error.scatter_add_(2, codes[..., None], -torch.ones(*codes.shape, 1)).div_(codes.shape[1])
    behind = torch.bmm(error, w2.mT).mul_(hidden > 0)
    return [
        torch.bmm(x.mT, behind),
        behind.sum(dim=1, keepdim=True),
        torch.bmm(hidden.mT, error),
        error.sum(dim=1, keepdim=True),
    ]


class Adam:
    """Adam with decoupled weight decay, its rate falling to nothing along half a cosine."""

    def __init__(self, weights: list[torch.Tensor], n_steps: int) -> None:
        self.weights, self.n_steps, self.done = weights, n_steps, 0
        self.first = [torch.zeros_like(w) for w in weights]
        self.second = [torch.zeros_like(w) for w in weights]

    def step(self, gradients: list[torch.Tensor]) -> None:
        """Move the weights, in place."""
        self.done += 1
        a, b = MOMENTS
        rate = LEARNING_RATE * (1 + np.cos(np.pi * self.done / self.n_steps)) / 2
        shrink = (1 - b**self.done) ** 0.5
        for w, g, m, v in zip(self.weights, gradients, self.first, self.second, strict=True):
            m.mul_(a).add_(g, alpha=1 - a)
            v.mul_(b).addcmul_(g, g, value=1 - b)
            w.mul_(1 - rate * WEIGHT_DECAY)
            w.addcdiv_(m, v.sqrt().div_(shrink).add_(1e-8), value=-rate / (1 - a**self.done))
