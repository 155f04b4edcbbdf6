"""The one seeded gradient-training loop: small networks for many training subsets at once."""

from __future__ import annotations

import torch

__all__ = ["NetworkEnsemble", "train_networks"]


class NetworkEnsemble:
    """Two-hidden-layer networks d-H-H-C, one a subset, stored as stacked tensors and run together.

    Parameters
    ----------
    n_networks, n_features, n_hidden, n_classes : int
    generator : torch.Generator
        Source of the initial weights (He scaling).
    device : torch.device
    """

    def __init__(
        self, n_networks: int, n_features: int, n_hidden: int, n_classes: int,
        generator: torch.Generator, device: torch.device,
    ) -> None:  # fmt: skip
        shapes = [(n_features, n_hidden), (n_hidden, n_hidden), (n_hidden, n_classes)]
        self.parameters: list[torch.Tensor] = []
        for rows, columns in shapes:
            # Every network starts from the same draw: they differ by the samples they see, not by luck.
            start = torch.randn(rows, columns, generator=generator) * (2 / rows) ** 0.5
            self.parameters.append(start.repeat(n_networks, 1, 1).to(device))
            self.parameters.append(torch.zeros(n_networks, 1, columns, device=device))
        for p in self.parameters:
            p.requires_grad_(True)

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        """Return class scores of shape (n_networks, n_samples, n_classes) for x of shape (n_samples, n_features)."""
        w1, b1, w2, b2, w3, b3 = self.parameters
        hidden = torch.relu(x @ w1 + b1)
        return torch.relu(hidden @ w2 + b2) @ w3 + b3

    def snapshot(self) -> list[torch.Tensor]:
        """Return a detached copy of all parameters."""
        return [p.detach().clone() for p in self.parameters]

    def restore(self, snapshot: list[torch.Tensor]) -> None:
        """Put a snapshot back."""
        for p, saved in zip(self.parameters, snapshot, strict=True):
            p.data.copy_(saved)


def train_networks(
    x: torch.Tensor,
    codes: torch.Tensor,
    members: torch.Tensor,
    n_classes: int,
    generator: torch.Generator,
    n_hidden: int = 64,
    max_epochs: int = 40,
    patience: int = 6,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-2,
) -> NetworkEnsemble:
    """Train one network a subset, all in the same batches, and keep the epoch that serves held-out samples best.

    Parameters
    ----------
    x : float tensor of shape (n_samples, n_features)
    codes : int64 tensor of shape (n_samples,)
    members : bool tensor of shape (n_subsets, n_samples)
        Samples outside a subset are held out from its network and vote on when to stop. A subset that holds
        everything has no vote and stops with the others.
    n_classes : int
    generator : torch.Generator
        Seeds the weights and the order of the batches.
    n_hidden, max_epochs, patience : int
    learning_rate, weight_decay : float

    Returns
    -------
    NetworkEnsemble
    """
    networks = NetworkEnsemble(len(members), x.shape[1], n_hidden, n_classes, generator, x.device)
    optimiser = torch.optim.AdamW(networks.parameters, lr=learning_rate, weight_decay=weight_decay)
    weights = members.to(x.dtype)
    batch = min(256, max(32, len(x) // 16))
    best, kept, waited = float("inf"), networks.snapshot(), 0
    for _ in range(max_epochs):
        for rows in torch.randperm(len(x), generator=generator).to(x.device).split(batch):
            _step(networks, optimiser, x[rows], codes[rows], weights[:, rows])
        loss = _held_out_loss(networks, x, codes, weights)
        if loss < best:
            best, kept, waited = loss, networks.snapshot(), 0
        else:
            waited += 1
            if waited >= patience:
                break
    networks.restore(kept)
    return networks


def _step(
    networks: NetworkEnsemble, optimiser: torch.optim.Optimizer,
    x: torch.Tensor, codes: torch.Tensor, weights: torch.Tensor,
) -> None:  # fmt: skip
    optimiser.zero_grad(set_to_none=True)
    losses = _losses(networks.scores(x), codes)
    # Each network's own mean, then the sum: their gradients do not mix.
    ((losses * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)).sum().backward()
    optimiser.step()


@torch.no_grad()
def _held_out_loss(networks: NetworkEnsemble, x: torch.Tensor, codes: torch.Tensor, weights: torch.Tensor) -> float:
    outside = 1 - weights
    return float((_losses(networks.scores(x), codes) * outside).sum() / outside.sum())


def _losses(scores: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    log_p = torch.log_softmax(scores, dim=2)
    return -log_p.gather(2, codes[None, :, None].expand(len(scores), -1, 1))[:, :, 0]
