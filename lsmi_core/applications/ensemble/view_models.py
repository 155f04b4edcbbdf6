"""Calibrated p(y | x1), p(y | x2) and p(y | x1, x2), cross-fitted to learn from and small enough to be saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from lsmi_core.applications.ensemble.canonical import between, fit_canonical
from lsmi_core.applications.ensemble.evidence import VIEWS, Said, strangers
from lsmi_core.applications.material import Pairs
from lsmi_core.applications.probes import Probes, default_steps
from lsmi_core.families import curved, linear
from lsmi_core.folds import Folds, default_splits, stratified_folds
from lsmi_core.heads import Candidate, Head, Labels
from lsmi_core.kernel import Landmarks
from lsmi_core.linear import linear_scores
from lsmi_core.parallel import side_by_side
from lsmi_core.pooling import pool
from lsmi_core.projection import Projection

__all__ = ["CrossFitted", "ViewModels", "cross_fit", "under"]

FAMILIES = ("curved", "linear", "network")
LAYERS = ("w1", "b1", "w2", "b2")
MAX_INPUTS = 128  # of each side, to a network
OF_PROJECTION = ("mean_", "scale_", "axes_")
OF_LANDMARKS = ("landmarks_", "middle_", "whitener_", "centre_", "size_")

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class ViewModels:
    """Models of the first modality, the second and both, as plain arrays.

    Attributes
    ----------
    log_prior : float64 ndarray of shape (n_classes,)
    projections : tuple of two dict of str to ndarray
    models : tuple of three dict of str to ndarray
    canonical : dict of str to ndarray
    """

    log_prior: np.ndarray
    projections: tuple[Arrays, Arrays]
    models: tuple[Arrays, Arrays, Arrays]
    canonical: Arrays

    def read(self, x1: np.ndarray | None, x2: np.ndarray | None) -> Said:
        """Return what is said of new samples.

        Parameters
        ----------
        x1, x2 : ndarray of shape (n_samples, n_features_k), or None
        """
        sides = zip(self.projections, (x1, x2), strict=True)
        z1, z2 = (None if x is None else _projection(p).transform(x) for p, x in sides)
        whole = None if z1 is None or z2 is None else np.hstack([z1, z2])
        log_p = [
            None if z is None else _log_proba(model, self.log_prior, torch.as_tensor(z))
            for model, z in zip(self.models, (z1, z2, whole), strict=True)
        ]
        return Said(tuple(log_p), None if whole is None else between(self.canonical, z1, z2))

    def state(self) -> Arrays:
        """Return everything as one flat dictionary of arrays."""
        named = {f"side{k + 1}": arrays for k, arrays in enumerate(self.projections)}
        named |= dict(zip(VIEWS, self.models, strict=True)) | {"canonical": self.canonical}
        flat = {f"{name}.{key}": array for name, arrays in named.items() for key, array in arrays.items()}
        return flat | {"log_prior": self.log_prior}

    @classmethod
    def from_state(cls, arrays: Arrays) -> ViewModels:
        """Return what :meth:`state` came from."""
        sides = tuple(under(f"side{k + 1}.", arrays) for k in range(2))
        models = tuple(under(f"{name}.", arrays) for name in VIEWS)
        return cls(arrays["log_prior"], sides, models, under("canonical.", arrays))


@dataclass(frozen=True)
class CrossFitted:
    """What cross-fitting leaves: models of all samples, and what is known of the samples they were learned from.

    Attributes
    ----------
    models : ViewModels
        Learned from all samples.
    held_out : Said
        Of every sample, by models that did not see it.
    codes : int64 ndarray of shape (n_samples,)
    """

    models: ViewModels
    held_out: Said
    codes: np.ndarray
    of_parts: list[tuple[Arrays, Arrays]]
    z: tuple[torch.Tensor, torch.Tensor]
    folds: Folds

    def swapped(self, side: int, random_state: int) -> tuple[Said, np.ndarray]:
        """Return what is said of the samples when one side is that of another sample, of another class.

        Both come from the same fold, so that whoever says it saw neither.

        Parameters
        ----------
        side : {0, 1}
        random_state : int

        Returns
        -------
        said : Said
        rows : int64 ndarray of shape (n_rows,)
            The samples: all but those whose fold holds no other class.
        """
        rng = np.random.default_rng([random_state, side])
        found, shown = [], []
        for own in (rows.numpy() for rows in self.folds.outside):
            other = strangers(self.codes[own], rng)
            pair = [own[other >= 0], own[other >= 0]]
            pair[side] = own[other[other >= 0]]
            found.append(pair)
            shown.append(own[other >= 0])
        joint, fits = zip(*(self.of_pairs(part, *pair) for part, pair in enumerate(found)), strict=True)
        first, second = (np.concatenate(each) for each in zip(*found, strict=True))
        alone = self.held_out.log_p[0][first], self.held_out.log_p[1][second]
        return Said((*alone, np.concatenate(joint)), np.concatenate(fits)), np.concatenate(shown)

    def of_pairs(self, part: int, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the models of a part say of pairs made of these samples: log p(y | x1, x2), and how they fit."""
        joint, canonical = self.of_parts[part]
        z1, z2 = (z[torch.as_tensor(rows)] for z, rows in zip(self.z, (first, second), strict=True))
        said = _log_proba(joint, self.models.log_prior, torch.cat([z1, z2], dim=1))
        return said, between(canonical, z1.numpy(), z2.numpy())


def under(prefix: str, arrays: Arrays) -> Arrays:
    """Return the arrays whose names begin with a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def cross_fit(pairs: Pairs, n_classes: int, random_state: int, on_share: Callable[[float], None]) -> CrossFitted:
    """Learn the three views from all samples and across folds: each pools a linear head, a curved one and a network.

    Parameters
    ----------
    pairs : Pairs
    n_classes, random_state : int
    on_share : callable
        Told the share of the work that is done, whenever a part of it is; may raise to cancel.

    Returns
    -------
    CrossFitted
    """
    codes, n_splits = pairs.codes, default_splits(len(pairs))
    folds = Folds(stratified_folds(codes, n_splits, np.random.default_rng(random_state)), n_splits, with_all=True)
    labels = Labels(torch.as_tensor(codes), np.log(np.bincount(codes, minlength=n_classes) / len(codes)), folds)
    projections = (Projection(), Projection())
    sides = zip(projections, (pairs.x1, pairs.x2), strict=True)
    z = side_by_side(lambda side: torch.as_tensor(side[0].fit_transform(side[1])), sides)
    on_share(0.2)
    heads = _heads(z, labels, random_state, lambda share: on_share(0.2 + 0.8 * share))
    canonical = [fit_canonical(*(side[rows].numpy() for side in z)) for rows in folds.inside]
    kept = tuple({name: _plain(getattr(p, name)) for name in OF_PROJECTION} for p in projections)
    models = ViewModels(labels.log_prior, kept, tuple(_frozen(head, n_splits) for head in heads), canonical[-1])
    of_parts = [(_frozen(heads[-1], part), canonical[part]) for part in range(n_splits)]
    outside = zip(canonical, folds.outside, strict=False)
    fits = folds.gather([between(fitted, *(side[rows].numpy() for side in z)) for fitted, rows in outside])
    return CrossFitted(models, Said(tuple(head.held_out for head in heads), fits), codes, of_parts, tuple(z), folds)


def _heads(z: list[torch.Tensor], labels: Labels, seed: int, on_share: Callable[[float], None]) -> list[Head]:
    """Return the heads of both sides and of the two together."""
    widths = [side.shape[1] for side in z]
    leading = [torch.arange(min(width, MAX_INPUTS)) for width in widths]
    inputs = (*leading, torch.cat([leading[0], leading[1] + widths[0]]))
    tasks = [
        partial(fit, view, labels)
        for view, columns in zip((*z, torch.cat(z, dim=1)), inputs, strict=True)
        for fit in (partial(curved, random_state=seed), linear, partial(_network, columns=columns, random_state=seed))
    ]
    found = side_by_side(lambda fit: fit(), tasks, on_done=lambda n: on_share(n / len(tasks)))
    per_view = [found[k : k + len(FAMILIES)] for k in range(0, len(tasks), len(FAMILIES))]
    return [Head(labels, dict(zip(FAMILIES, fits, strict=True))) for fits in per_view]


def _network(x: torch.Tensor, labels: Labels, columns: torch.Tensor, random_state: int) -> Candidate:
    """Return two-layer networks on some columns of x, float tensor of shape (n_samples, n_features)."""
    rows = [part.numpy() for part in labels.folds.inside]
    n_steps = default_steps(len(x))
    probes = Probes.fit(x[:, columns], labels.codes, rows, labels.n_classes, n_steps, random_state)
    return Candidate(partial(_network_scores, columns, probes.weights), (x,), labels)


def _network_scores(columns: torch.Tensor, weights: list[torch.Tensor], part: int, x: torch.Tensor) -> torch.Tensor:
    return _layers(x[:, columns], *(w[part] for w in weights))[None]


def _layers(x: torch.Tensor, w1: torch.Tensor, b1: torch.Tensor, w2: torch.Tensor, b2: torch.Tensor) -> torch.Tensor:
    return torch.addmm(b2, torch.addmm(b1, x, w1).relu_(), w2)


def _frozen(head: Head, part: int) -> Arrays:
    """Return what a head computes log-probabilities with, of one part; the last layers come divided by temperature."""
    found = {"weights": np.array([w[part] for w in head.weights.values()])}
    for name, candidate in head.candidates.items():
        *before, fitted = candidate.scores_of_new.args  # families keep what they have learned here
        setting, temperature = candidate.calibration.setting[part], candidate.calibration.temperature[part]
        if name == "network":
            w1, b1, w2, b2 = (w[part] for w in fitted)
            layers = (w1, b1, _cooled(w2, temperature), _cooled(b2, temperature))
            found |= {"columns": _plain(before[0])} | {k: _plain(w) for k, w in zip(LAYERS, layers, strict=True)}
        else:
            found[name] = _plain(_cooled(fitted[part, setting], temperature))
        if name == "curved":
            found |= {key: _plain(getattr(before[0], key)) for key in (*OF_LANDMARKS, "width_")}
    return found


def _cooled(weights: torch.Tensor, temperature: float) -> torch.Tensor:
    return (weights.double() / temperature).float()


def _plain(values: object) -> np.ndarray:
    """Return an array laid out row by row, as it comes back from a file: products may round by the layout."""
    return np.array(values, order="C")


def _log_proba(model: Arrays, log_prior: np.ndarray, z: torch.Tensor) -> np.ndarray:
    """Return pooled log-probabilities; the families in the order that their weights are in."""
    scores = {}
    if "curved" in model:
        scores["curved"] = linear_scores(_landmarks(model).transform(z), torch.as_tensor(model["curved"]))
    scores["linear"] = linear_scores(z, torch.as_tensor(model["linear"]))
    layers = (torch.as_tensor(model[key]) for key in LAYERS)
    scores["network"] = _layers(z[:, torch.as_tensor(model["columns"])], *layers)
    said = [torch.log_softmax(one.double(), dim=1).numpy() for one in scores.values()]
    return pool([np.tile(log_prior, (len(z), 1)), *said], model["weights"])


def _projection(arrays: Arrays) -> Projection:
    return _filled(Projection(), {name: arrays[name] for name in OF_PROJECTION})


def _landmarks(model: Arrays) -> Landmarks:
    fields = {key: torch.as_tensor(model[key]) for key in OF_LANDMARKS} | {"width_": float(model["width_"])}
    return _filled(Landmarks(), fields)


def _filled(one: Projection | Landmarks, fields: dict[str, object]) -> Projection | Landmarks:
    for name, value in fields.items():
        setattr(one, name, value)
    return one
