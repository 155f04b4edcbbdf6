"""Training of a fusion network: epochs, checkpoints that a killed run goes on from, progress that may cancel."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from lsmi_core.errors import InvalidInputError
from lsmi_core.fusion.network import FusionNetwork
from lsmi_core.fusion.objectives import Augment, Objective, Side

__all__ = ["Checkpoint", "Training", "TrainingSettings"]

EVERY = 5.0  # seconds between checkpoints, about


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast: epochs, samples a batch, AdamW's rate and decay, and the seed of all draws."""

    n_epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    random_state: int


class Checkpoint:
    """The state of a training in a file, replaced whole.

    Parameters
    ----------
    path : pathlib.Path
    made_from : str
        Names data and settings; a file that was made from others is refused.
    """

    def __init__(self, path: Path, made_from: str) -> None:
        self.path, self.made_from, self.written = path, made_from, time.monotonic()

    def load(self) -> dict | None:
        """Return what was kept, or None where there is nothing.

        Raises
        ------
        InvalidInputError
            When the file cannot be read, or belongs to another training.
        """
        if not self.path.exists():
            return None
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            known = state["made_from"]
        except Exception as error:  # torch has many ways to say that a file is no checkpoint
            raise InvalidInputError(
                f"The checkpoint '{self.path.name}' cannot be read; delete it, and training starts anew."
            ) from error
        if known != self.made_from:
            raise InvalidInputError(
                f"The checkpoint '{self.path.name}' belongs to other data or settings; name another file, or delete it."
            )
        return state

    def save(self, state: dict, now: bool) -> None:
        """Write the state if it is time to."""
        if not (now or time.monotonic() - self.written > EVERY):
            return
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}.unfinished")
        torch.save({"made_from": self.made_from, **state}, unfinished)
        unfinished.replace(self.path)
        self.written = time.monotonic()


class Training:
    """Train a network for an objective.

    Parameters
    ----------
    network : FusionNetwork
    objective : Objective
    settings : TrainingSettings
    checkpoint : Checkpoint, optional
        Without one, nothing is kept.

    Attributes
    ----------
    losses : list of float
        Mean loss of every epoch, in nats.
    """

    def __init__(
        self,
        network: FusionNetwork,
        objective: Objective,
        settings: TrainingSettings,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.network, self.objective, self.settings, self.checkpoint = network, objective, settings, checkpoint
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.generator = torch.Generator().manual_seed(settings.random_state)
        self.losses: list[float] = []

    def run(self, sides: Sequence[Side], augments: Sequence[Augment], progress: Callable[[int, int], None]) -> Training:
        """Train, or go on where the checkpoint stopped.

        Parameters
        ----------
        sides : two of (values, real)
            All samples.
        augments : two callables of (values, generator)
        progress : callable
            Told (steps done, steps in all); what it raises cancels, and the checkpoint stays.

        Returns
        -------
        Training

        Raises
        ------
        InvalidInputError
            When the checkpoint cannot be used.
        """
        self._resume()
        n, epochs = len(sides[0][1]), self.settings.n_epochs
        size = min(self.settings.batch_size, n)
        steps = n // size
        self.network.train()
        for epoch in range(len(self.losses), epochs):
            order, total = torch.randperm(n, generator=self.generator), 0.0
            for step in range(steps):
                done = epoch * steps + step
                progress(done, epochs * steps)
                rows = order[step * size : (step + 1) * size]
                total += self._step([(v[rows], real[rows]) for v, real in sides], augments, done / (epochs * steps))
            self.losses.append(total / steps)
            if self.checkpoint is not None:
                self.checkpoint.save(self._state(), now=epoch == epochs - 1)
        progress(epochs * steps, epochs * steps)
        self.network.eval()
        return self

    def _step(self, batch: Sequence[Side], augments: Sequence[Augment], done: float) -> float:
        device = self.network.summary.device
        batch = [(values.to(device), real.to(device)) for values, real in batch]
        loss = self.objective.loss(self.network, batch, augments, done, self.generator)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())

    def _state(self) -> dict:
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "losses": self.losses,
        }

    def _resume(self) -> None:
        state = None if self.checkpoint is None else self.checkpoint.load()
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.losses = list(state["losses"])
