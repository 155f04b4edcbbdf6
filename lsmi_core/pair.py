"""Everything learned about a pair of modalities: heads of three views, surprisals of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import eigh

from lsmi_core.crossed import MAX_COORDINATES
from lsmi_core.density import TiedMixture, label_statistic
from lsmi_core.errors import InvalidInputError
from lsmi_core.families import cells, crossed, curved, groups, linear, screened
from lsmi_core.heads import Head, Labels
from lsmi_core.parallel import side_by_side
from lsmi_core.projection import Projection

__all__ = ["PairModel", "PairSettings"]

GROUPED_COMPONENTS = 32
STATISTIC_RESOLUTION = 0.5  # nats
FEATURE_RESOLUTION = 0.03  # whitened units
MAX_CELLS = 1_500_000
MAX_SCREENED, MAX_SCREENED_CELLS = 512, 20_000_000


@dataclass(frozen=True)
class PairSettings:
    """Where surprisals are measured, what is learned where, and from which seed."""

    surprisal: str
    device: torch.device
    random_state: int


class View:
    """One modality: its coordinates, who is grouped with whom, and its head."""

    def __init__(self, labels: Labels, settings: PairSettings) -> None:
        self.labels = labels
        self.settings = settings
        self.axes: np.ndarray | None = None

    def fit(self, x: np.ndarray) -> View:
        seed = self.settings.random_state
        self.projection = Projection()
        self.z = self._tensor(self.projection.fit_transform(x))
        # More groups than this in both modalities, and a table of their pairs would not fit.
        most = int((MAX_CELLS / self.labels.n_classes) ** 0.5)
        self.mixture = TiedMixture(max_components=most, random_state=seed).fit(self._grouped(self.z))
        self.shares = torch.as_tensor(self.mixture.responsibilities(self._grouped(self.z)))
        self.columns = self._columns(x)
        candidates = {
            "linear": linear(self.z, self.labels),
            "curved": curved(self.z, self.labels, seed),
            "groups": groups(self.shares, self.labels),
            "screened": screened(self.columns, self.labels),
        }
        self.head = Head(self.labels, candidates)
        return self

    def fit_surprisal(self) -> np.ndarray:
        """Learn densities for every part; return the surprisal of each sample by one that did not see it."""
        coordinates, starts = self._coordinates(self.z, self.head.held_out)
        parts = [rows.numpy() for rows in self.labels.folds.inside]
        tried = [[self._density(coordinates[rows], *_of(start, rows)) for rows in parts] for start in starts]
        held_out = [self._held_out_surprisal(densities, coordinates) for densities in tried]
        best = int(np.argmin([h.mean() for h in held_out]))
        self.density = tried[best][-1]
        return held_out[best]

    def _told_and_untold(self, log_p: np.ndarray) -> np.ndarray:
        """Return shares in one group a class, and in one more for samples that say nothing."""
        said = (np.exp(log_p) * (log_p - self.labels.log_prior)).sum(axis=1, keepdims=True)
        silent = np.exp(-4 * said / np.log(self.labels.n_classes))
        return np.hstack([(1 - silent) * np.exp(log_p), silent])

    def _leading(self, statistic: np.ndarray) -> np.ndarray:
        """Return what varies most of the statistic of many classes, along axes learned once."""
        if self.axes is None:
            d = statistic.shape[1]
            centred = statistic - statistic.mean(axis=0)
            self.axes = eigh(centred.T @ centred, subset_by_index=[d - MAX_COORDINATES, d - 1])[1]
        return statistic @ self.axes

    def _density(self, coordinates: np.ndarray, shares: np.ndarray, n_iter: int) -> TiedMixture:
        task = self.settings.surprisal == "task"
        resolution = STATISTIC_RESOLUTION if task else FEATURE_RESOLUTION
        return TiedMixture(resolution=resolution, max_iter=n_iter).fit_from(coordinates, shares)

    def _held_out_surprisal(self, densities: list[TiedMixture], coordinates: np.ndarray) -> np.ndarray:
        folds = self.labels.folds
        return folds.gather(
            [-d.score_samples(coordinates[rows.numpy()]) for d, rows in zip(densities, folds.outside, strict=False)]
        )

    def read(self, x: np.ndarray) -> ReadView:
        """Return what this view makes of new samples."""
        z = self._tensor(self.projection.transform(x))
        shares = torch.as_tensor(self.mixture.responsibilities(self._grouped(z)))
        columns = self._columns(x)
        log_p = self.head.log_proba({"linear": (z,), "curved": (z,), "groups": (shares,), "screened": (columns,)})
        return ReadView(z, shares, columns, log_p)

    def surprisal(self, view: ReadView) -> np.ndarray:
        """Return the surprisal of new samples."""
        return -self.density.score_samples(self._coordinates(view.z, view.log_p)[0])

    def _columns(self, x: np.ndarray) -> torch.Tensor:
        """Return the columns as they came, or none at all where there are too many for one to stand out."""
        if x.shape[1] > MAX_SCREENED or len(self.labels.codes) * x.shape[1] > MAX_SCREENED_CELLS:
            return torch.empty(len(x), 0, device=self.settings.device)
        return self._tensor(self.projection.columns(x))

    @property
    def whitened(self) -> torch.Tensor:
        """The leading coordinates of the samples fitted on, each with variance 1."""
        return self.whiten(self.z)

    def whiten(self, z: torch.Tensor) -> torch.Tensor:
        """Return the leading coordinates, each divided by its deviation."""
        deviations = self._tensor(self.projection.deviations_[:MAX_COORDINATES].astype(np.float32))
        return z[:, :MAX_COORDINATES] / deviations

    def _tensor(self, z: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(z, device=self.settings.device)

    def _grouped(self, z: torch.Tensor) -> np.ndarray:
        return z[:, :GROUPED_COMPONENTS].cpu().numpy()

    def _coordinates(self, z: torch.Tensor, log_p: np.ndarray) -> tuple[np.ndarray, list[tuple[np.ndarray, int]]]:
        """Return where surprisal is measured, and first guesses of who is grouped there, each with its iterations."""
        if self.settings.surprisal == "task":  # log-ratios have a unit, nats: whitening would hide how much is said
            statistic = label_statistic(log_p, self.labels.log_prior)
            if self.labels.n_classes <= MAX_COORDINATES:
                return statistic, [(self._told_and_untold(log_p), 8)]
            return self._leading(statistic), [(self.shares.numpy(), 5)]
        whitened = self.whiten(z).cpu().numpy()
        # Classes are as good a guess as groups are, and where they are right nothing improves on their means.
        classes = np.eye(self.labels.n_classes)[self.labels.codes.numpy()]
        return whitened.astype(np.float64), [(classes, 1), (self.shares.numpy(), 5)]


def _of(start: tuple[np.ndarray, int], rows: np.ndarray) -> tuple[np.ndarray, int]:
    return start[0][rows], start[1]


@dataclass(frozen=True)
class ReadView:
    """New samples as one view sees them."""

    z: torch.Tensor
    shares: torch.Tensor
    columns: torch.Tensor
    log_p: np.ndarray


class PairModel:
    """Heads of x1, of x2 and of both, and the surprisals of x1 and x2.

    Parameters
    ----------
    labels : Labels
    settings : PairSettings
    """

    def __init__(self, labels: Labels, settings: PairSettings) -> None:
        self.labels = labels
        self.settings = settings

    def fit(
        self,
        x1: np.ndarray,
        x2: np.ndarray,
        x12: np.ndarray | None = None,
        on_share: Callable[[float], None] = lambda share: None,
    ) -> PairModel:
        """Learn from all samples.

        Parameters
        ----------
        x1, x2 : ndarray of shape (n_samples, n_features_k)
        x12 : ndarray of shape (n_samples, n_features_12), optional
            A joint representation of the caller's own.
        on_share : callable
            Told the share of the work that is done, below 1, whenever a part of it is.

        Returns
        -------
        PairModel
        """
        first, second = self.views = side_by_side(
            lambda x: View(self.labels, self.settings).fit(x), (x1, x2), on_done=lambda n: on_share(n / 4)
        )
        z12 = torch.cat([first.z, second.z], dim=1)
        first.z, second.z = z12.split([first.z.shape[1], second.z.shape[1]], dim=1)  # held once, not twice
        tasks = {
            "curved": lambda: curved(z12, self.labels, self.settings.random_state),
            "cells": lambda: cells(first.shares, second.shares, self.labels),
            "crossed": lambda: crossed(first.whitened, second.whitened, self.labels, self.settings.random_state),
            "linear": lambda: linear(z12, self.labels),
            "screened": lambda: screened(torch.cat([first.columns, second.columns], dim=1), self.labels),
            "h1": first.fit_surprisal,
            "h2": second.fit_surprisal,
        }
        self.projection12 = None
        if x12 is not None:
            self.projection12 = Projection()
            own = torch.as_tensor(self.projection12.fit_transform(x12), device=self.settings.device)
            tasks["given linear"] = lambda: linear(own, self.labels)
            tasks["given curved"] = lambda: curved(own, self.labels, self.settings.random_state)
        results = side_by_side(
            lambda task: task(), tasks.values(), on_done=lambda n: on_share(0.5 + 0.45 * n / len(tasks))
        )
        done = dict(zip(tasks, results, strict=True))
        self.surprisals = done.pop("h1"), done.pop("h2")
        self.joint = Head(self.labels, done, self._fusions(first.head.held_out, second.head.held_out))
        return self

    def held_out(self) -> dict[str, np.ndarray]:
        """Return the terms of the samples fitted on, each by models that did not see it."""
        log_p = [view.head.held_out for view in self.views] + [self.joint.held_out]
        return self._terms(log_p, self.surprisals, self.labels.codes.numpy())

    def read(self, x1: np.ndarray, x2: np.ndarray, x12: np.ndarray | None = None) -> ReadPair:
        """Return what was learned about new samples, labels unseen; needs a part that saw everybody."""
        first, second = (view.read(x) for view, x in zip(self.views, (x1, x2), strict=True))
        z12 = torch.cat([first.z, second.z], dim=1)
        columns = torch.cat([first.columns, second.columns], dim=1)
        shares = (first.shares, second.shares)
        data = {"linear": (z12,), "curved": (z12,), "cells": shares, "screened": (columns,)}
        data["crossed"] = (self.views[0].whiten(first.z), self.views[1].whiten(second.z))
        if x12 is not None:
            own = torch.as_tensor(self.projection12.transform(x12), device=self.settings.device)
            data |= {"given linear": (own,), "given curved": (own,)}
        joint = self.joint.log_proba(data, self._fusions(first.log_p, second.log_p))
        surprisals = tuple(v.surprisal(read) for v, read in zip(self.views, (first, second), strict=True))
        return ReadPair([first.log_p, second.log_p, joint], surprisals)

    def score(
        self, x1: np.ndarray, x2: np.ndarray, codes: np.ndarray, x12: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Return the terms of new samples."""
        read = self.read(x1, x2, x12)
        return self._terms(read.log_p, read.surprisals, codes)

    def check_widths(self, x1: np.ndarray, x2: np.ndarray, x12: np.ndarray | None = None) -> None:
        """Raise InvalidInputError unless modalities have the number of features that fit saw."""
        if (x12 is None) != (self.projection12 is None):
            raise InvalidInputError("x12 must be given exactly when fit was given one.")
        projections = [view.projection for view in self.views] + [self.projection12]
        for name, x, projection in zip(("x1", "x2", "x12"), (x1, x2, x12), projections, strict=True):
            if x is not None and x.shape[1] != len(projection.mean_):
                raise InvalidInputError(f"{name} has {x.shape[1]} features but fit saw {len(projection.mean_)}.")

    def _fusions(self, log_p1: np.ndarray, log_p2: np.ndarray) -> dict[str, np.ndarray]:
        """Predictions the joint head may lean on: each modality alone, and their product as if independent given y."""
        product = log_p1 + log_p2 - self.labels.log_prior
        product = product - np.logaddexp.reduce(product, axis=1, keepdims=True)
        return {"first alone": log_p1, "second alone": log_p2, "product": product}

    def _terms(
        self, log_p: list[np.ndarray], surprisals: tuple[np.ndarray, np.ndarray], codes: np.ndarray
    ) -> dict[str, np.ndarray]:
        rows, log_prior = np.arange(len(codes)), self.labels.log_prior
        terms = {"h1": surprisals[0], "h2": surprisals[1]}
        for view, own in zip(("1", "2", "12"), log_p, strict=True):
            terms[f"i{view}"] = own[rows, codes] - log_prior[codes]
            terms[f"top{view}"] = own.argmax(axis=1)
            terms[f"p{view}"] = np.exp(own.max(axis=1))
            if view != "12":
                terms[f"b{view}"] = (np.exp(own) * (own - log_prior)).sum(axis=1)
        agreed = log_p[0] + log_p[1] - log_prior
        match = np.logaddexp.reduce(agreed, axis=1)
        terms["swapped_pair"] = -match
        terms["label_error"] = match - agreed[rows, codes]
        return terms


@dataclass(frozen=True)
class ReadPair:
    """Log-probabilities of new samples by x1, x2 and both, shape (n_samples, n_classes) each, and two surprisals."""

    log_p: list[np.ndarray]
    surprisals: tuple[np.ndarray, np.ndarray]
