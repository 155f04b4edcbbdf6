"""Students of one modality, trained side by side: hard labels, a teacher's beliefs and features, weighed by sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lsmi_core.applications.probes import BATCH, Adam, Probes, first_weights
from lsmi_core.parallel import side_by_side

__all__ = ["Lesson", "Taught", "gradients", "teach"]

AT_ONCE = 12


@dataclass(frozen=True)
class Taught:
    """What can be taught of every sample.

    Attributes
    ----------
    codes : int64 ndarray of shape (n_samples,)
        The label; -1 where there is none.
    teacher, own : float32 ndarray of shape (n_samples, n_classes)
        Log-probabilities given both modalities, and given the student's own, by models that did not see the sample's
        label.
    features : float32 ndarray of shape (n_samples, n_features)
        What the hidden units are to tell, each with variance 1.
    """

    codes: np.ndarray
    teacher: np.ndarray
    own: np.ndarray
    features: np.ndarray


@dataclass(frozen=True)
class Lesson:
    r"""How much of each is taught with every sample.

    With z the student's class scores, h its hidden units, :math:`p^T \propto p^{1/T}` and A a linear map that is
    learned along, a sample adds

    .. math:: w_\text{hard} \mathrm{CE}(y, \sigma(z)) + T^2 [w_\text{soft} \mathrm{CE}(p_{12}^T, \sigma(z/T))
        + w_\text{own} \mathrm{CE}(p_1^T, \sigma(z/T))] + w_\text{feature} \|A h - \phi\|^2 / d.

    Attributes
    ----------
    rows : int64 ndarray
        The samples that are drawn.
    hard, soft, own, feature : float32 ndarray of shape (n_samples,)
    temperature : float

    References
    ----------
    Hinton, Vinyals and Dean 2015, arXiv:1503.02531 (soft labels). Romero et al. 2015, arXiv:1412.6550 (features).
    """

    rows: np.ndarray
    hard: np.ndarray
    soft: np.ndarray
    own: np.ndarray
    feature: np.ndarray
    temperature: float = 1.0

    def weights(self) -> np.ndarray:
        """Return the four weights of every sample, shape (4, n_samples)."""
        return np.stack([self.hard, self.soft, self.own, self.feature])


def teach(
    x: torch.Tensor,
    taught: Taught,
    lessons: Sequence[Lesson],
    n_steps: int,
    random_states: Sequence[int],
    report: Callable[[], None] = lambda: None,
) -> list[Probes]:
    """Train one student by each lesson and seed; those of one seed differ in their lessons only.

    Parameters
    ----------
    x : float32 tensor of shape (n_samples, n_inputs)
    taught : Taught
    lessons : sequence of Lesson
    n_steps : int
    random_states : sequence of int
        Each draws the first weights and the order of the samples, alike for all lessons.
    report : callable of no arguments
        Called from time to time; may raise to cancel.

    Returns
    -------
    list of Probes
        One a seed, its students in the order of the lessons.
    """
    parts = _parts(lessons)
    tasks = [(part, seed) for seed in random_states for part in parts]
    trained = side_by_side(
        lambda task: _train(x, taught, [lessons[k] for k in task[0]], n_steps, task[1]).weights,
        tasks,
        on_done=lambda _: report(),
    )
    back = np.argsort(np.concatenate(parts))
    each = [trained[k : k + len(parts)] for k in range(0, len(trained), len(parts))]
    return [Probes([torch.cat(w)[back] for w in zip(*own, strict=True)]) for own in each]


def _parts(lessons: Sequence[Lesson]) -> list[list[int]]:
    """Return which lessons are taught together: a few at a time, those that teach features apart from the others."""
    with_features = [bool(lesson.feature.any()) for lesson in lessons]
    groups = [[k for k, own in enumerate(with_features) if own == kind] for kind in (False, True)]
    return [group[k : k + AT_ONCE] for group in groups for k in range(0, len(group), AT_ONCE)]


def _train(x: torch.Tensor, taught: Taught, lessons: list[Lesson], n_steps: int, random_state: int) -> Probes:
    generator = torch.Generator().manual_seed(random_state)
    batches = _Batches(taught, lessons, generator)
    weights = first_weights(len(lessons), x.shape[1], taught.teacher.shape[1], generator)
    if batches.features is not None:
        shape = weights[2].shape[1], batches.features.shape[1]
        start = torch.randn(shape, generator=generator) * shape[0] ** -0.5
        weights += [w.repeat(len(lessons), 1, 1) for w in (start, torch.zeros(1, shape[1]))]
    optimiser = Adam(weights, n_steps)
    for _ in range(n_steps):
        rows = batches.draw()
        optimiser.step(gradients(weights, x[rows], *batches.of(rows)))
    return Probes(weights[:4])


class _Batches:
    """Draws samples, and looks up what is taught of them, for several lessons at once."""

    def __init__(self, taught: Taught, lessons: list[Lesson], generator: torch.Generator) -> None:
        self.generator = generator
        n_classes = taught.teacher.shape[1]
        self.labels = torch.nn.functional.one_hot(torch.as_tensor(taught.codes).clamp(min=0), n_classes).float()
        temperatures = sorted({lesson.temperature for lesson in lessons})
        both = torch.as_tensor(np.stack([taught.teacher, taught.own]))
        self.beliefs = torch.stack([(both / t).softmax(dim=2) for t in temperatures])  # (temperatures, 2, n, C)
        self.places = torch.tensor([temperatures.index(lesson.temperature) for lesson in lessons])[:, None]
        self.temperature = torch.tensor(temperatures)[self.places][..., None]
        self.weights = torch.as_tensor(np.stack([lesson.weights() for lesson in lessons], axis=1))
        self.features = torch.as_tensor(taught.features) if self.weights[3].any() else None
        self.counts = torch.tensor([len(lesson.rows) for lesson in lessons])[:, None]
        self.rows = torch.zeros(len(lessons), int(self.counts.max()), dtype=torch.int64)
        for k, lesson in enumerate(lessons):
            self.rows[k, : len(lesson.rows)] = torch.as_tensor(lesson.rows)

    def draw(self) -> torch.Tensor:
        """Return the rows of the next batch, shape (n_lessons, BATCH): the same quantiles of everybody's rows."""
        quantiles = torch.rand(BATCH, generator=self.generator, dtype=torch.float64)
        return self.rows.gather(1, (quantiles * self.counts).long())

    def of(self, rows: torch.Tensor) -> tuple:
        """Return what :func:`gradients` takes beside weights and inputs."""
        targets = self.labels[rows], self.beliefs[self.places, 0, rows], self.beliefs[self.places, 1, rows]
        features = None if self.features is None else self.features[rows]
        weights = self.weights.gather(2, rows.expand(4, -1, -1))
        return targets, features, weights[..., None], self.temperature


def gradients(
    weights: list[torch.Tensor],
    x: torch.Tensor,
    targets: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    features: torch.Tensor | None,
    taught: torch.Tensor,
    temperature: torch.Tensor,
) -> list[torch.Tensor]:
    """Return the gradients of each student's mean loss, in the order of its weights.

    Parameters
    ----------
    weights : list of tensor
        :math:`W_1, b_1, W_2, b_2` and, where there are features, A and its intercept; students along the first axis.
    x : tensor of shape (n_students, n, n_inputs)
    targets : three tensors of shape (n_students, n, n_classes)
        Label, teacher's belief and own belief, the latter two at the student's temperature.
    features : tensor of shape (n_students, n, n_features) or None
    taught : tensor of shape (4, n_students, n, 1)
        The weights of :class:`Lesson`.
    temperature : tensor of shape (n_students, 1, 1)
    """
    w1, b1, w2, b2 = weights[:4]
    hard, soft, own, feature = taught / x.shape[1]
    hidden = torch.baddbmm(b1, x, w1).relu_()
    scores = torch.baddbmm(b2, hidden, w2)
    error = hard * (scores.softmax(dim=2) - targets[0])
    told = (soft + own) * (scores / temperature).softmax(dim=2) - soft * targets[1] - own * targets[2]
    error += temperature * told
    behind = torch.bmm(error, w2.mT)
    rest = []
    if features is not None:
        residual = (torch.baddbmm(weights[5], hidden, weights[4]) - features) * feature * (2 / features.shape[2])
        behind += torch.bmm(residual, weights[4].mT)
        rest = [torch.bmm(hidden.mT, residual), residual.sum(dim=1, keepdim=True)]
    behind = torch.ops.aten.threshold_backward(behind, hidden, 0)
    return [
        torch.bmm(x.mT, behind),
        behind.sum(dim=1, keepdim=True),
        torch.bmm(hidden.mT, error),
        error.sum(dim=1, keepdim=True),
        *rest,
    ]
