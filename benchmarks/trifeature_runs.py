"""One training on Trifeature and what a linear probe reads from it: shape, texture of the first, the couple."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from torch import nn

from benchmarks.trifeature import Pairs, draw_pairs, matching
from lsmi_core.fusion.network import FusionNetwork
from lsmi_core.fusion.objectives import Objective
from lsmi_core.fusion.training import Checkpoint, Training, TrainingSettings

__all__ = ["TARGETS", "Plan", "measure"]

TARGETS = ("redundancy", "uniqueness", "synergy")
N_TOKENS, AT_ONCE = 16, 500
STRENGTHS = (0.003, 0.03, 0.3, 3.0)


@dataclass(frozen=True)
class Plan:
    """Sizes of everything; the method's own figures are those published for this set, width apart."""

    n_train: int = 2_560
    n_test: int = 2_000
    n_epochs: int = 12
    width: int = 128
    learning_rate: float = 1e-3
    temperature: float = 0.1
    mask_share: float = 0.7
    n_masks: int = 6
    mask_weight: float = 1.0
    fused_weight: float = 1.0


class Pictures(nn.Module):
    """A small convolutional encoder, from pictures of 32 x 32 to 16 tokens that know their place."""

    def __init__(self, width: int) -> None:
        super().__init__()

        def block(before: int, after: int, size: int, stride: int) -> list[nn.Module]:
            convolution = nn.Conv2d(before, after, size, stride, size // 2, bias=False)
            return [convolution, nn.BatchNorm2d(after), nn.ReLU()]

        self.layers = nn.Sequential(*block(3, 32, 5, 2), *block(32, 64, 3, 2), *block(64, 96, 3, 2))
        self.last = nn.Linear(96, width)
        self.place = nn.Parameter(0.02 * torch.randn(N_TOKENS, width))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return tokens of shape (n, 16, width) for pictures of shape (n, 3, 32, 32)."""
        return self.last(self.layers(pictures).flatten(2).mT) + self.place


def moved(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return pictures shifted, zoomed, turned a little and blurred with noise: shape, colour and texture stay."""
    n = len(pictures)
    draw = 2 * torch.rand(n, 4, generator=generator) - 1
    zoom, turn = 1 + 0.15 * draw[:, 0], 0.15 * draw[:, 1]
    first = torch.stack([zoom * turn.cos(), -zoom * turn.sin(), 0.2 * draw[:, 2]], dim=1)
    second = torch.stack([zoom * turn.sin(), zoom * turn.cos(), 0.2 * draw[:, 3]], dim=1)
    grid = nn.functional.affine_grid(torch.stack([first, second], dim=1), list(pictures.shape), align_corners=False)
    shown = nn.functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    return shown + 0.03 * torch.randn(shown.shape, generator=generator)


def measure(
    objective: str, plan: Plan, random_state: int, checkpoint: Callable[[str], Checkpoint],
    progress: Callable[[int, int], None], asked: str = "test",
) -> dict[str, float]:  # fmt: skip
    """Train twice and return the balanced accuracy of each of :data:`TARGETS`.

    Once on pairs with any texture and colour, for shape and texture; once on pairs whose texture and colour belong
    together, for telling such pairs from others.

    Parameters
    ----------
    objective : one of ``OBJECTIVES``
    plan : Plan
    random_state : int
        Of pictures, matching, first weights and draws.
    checkpoint : callable of the name of a training to Checkpoint
    progress : callable
    asked : {"test", "inner"}
        "inner" asks a fifth of what probes are trained on instead of the test pictures, for choosing a plan.
    """
    couples, seed = matching(random_state), 10 * random_state
    free = draw_pairs(plan.n_train, seed)
    network = _trained(objective, plan, free, random_state, checkpoint("free"), progress)
    test = draw_pairs(plan.n_test, seed + 1)
    told = {
        "redundancy": _probe(network, objective, free, test, lambda p: p.shape, asked),
        "uniqueness": _probe(network, objective, free, test, lambda p: p.texture1, asked),
    }
    tied = draw_pairs(plan.n_train, seed + 2, couples)
    network = _trained(objective, plan, tied, random_state, checkpoint("tied"), progress)
    learned, test = (draw_pairs(n, seed + k, couples, 0.5) for n, k in ((plan.n_train, 3), (plan.n_test, 4)))
    told["synergy"] = _probe(network, objective, learned, test, lambda p: couples[p.texture1] == p.colour2, asked)
    return told


def _trained(
    objective: str, plan: Plan, pairs: Pairs, random_state: int, checkpoint: Checkpoint,
    progress: Callable[[int, int], None],
) -> FusionNetwork:  # fmt: skip
    torch.manual_seed(random_state)
    network = FusionNetwork([Pictures(plan.width), Pictures(plan.width)], plan.width, 8)
    loss = Objective(objective, plan.temperature, plan.mask_share, plan.n_masks, plan.mask_weight, plan.fused_weight)
    settings = TrainingSettings(plan.n_epochs, 64, plan.learning_rate, 1e-2, random_state)
    real = torch.ones(len(pairs.shape), N_TOKENS, dtype=torch.bool)
    sides = [(torch.as_tensor(x), real) for x in (pairs.x1, pairs.x2)]
    return Training(network, loss, settings, checkpoint).run(sides, [moved, moved], progress).network


def _fused(network: FusionNetwork, objective: str, pairs: Pairs) -> np.ndarray:
    done = []
    with torch.inference_mode():
        for start in range(0, len(pairs.shape), AT_ONCE):
            batch = [torch.as_tensor(x[start : start + AT_ONCE]) for x in (pairs.x1, pairs.x2)]
            real = torch.ones(len(batch[0]), N_TOKENS, dtype=torch.bool)
            parts = [network.read(m, x, real) for m, x in enumerate(batch)]
            shown = [network(part) for part in parts] if objective == "contrast" else [network(*parts)]
            done.append(torch.cat(shown, dim=1).numpy())
    return np.concatenate(done)


def _probe(
    network: FusionNetwork, objective: str, learned: Pairs, test: Pairs, of: Callable[[Pairs], np.ndarray], asked: str
) -> float:
    """Return the balanced accuracy of logistic regression, its strength chosen on a fifth of what it learns from."""
    scaler = StandardScaler()
    x, y = scaler.fit_transform(_fused(network, objective, learned)), of(learned)
    cut = len(y) * 4 // 5

    def score(strength: float, rows: slice, x_asked: np.ndarray, y_asked: np.ndarray) -> float:
        probe = LogisticRegression(C=strength, max_iter=1000, tol=1e-3).fit(x[rows], y[rows])
        return balanced_accuracy_score(y_asked, probe.predict(x_asked))

    inner = {strength: score(strength, slice(cut), x[cut:], y[cut:]) for strength in STRENGTHS}
    best = max(inner, key=inner.__getitem__)
    if asked == "inner":
        return inner[best]
    return score(best, slice(None), scaler.transform(_fused(network, objective, test)), of(test))
