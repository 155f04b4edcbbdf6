"""The estimator as published, its defects mended: three small networks and two KNIFE densities, fitted once.

The method is that of Yang, Wang and Hu 2025, "Efficient Quantification of Multimodal Interaction at Sample Level",
arXiv:2506.17248: networks, training schedule, uniform label prior and scoring by the very model that trained.
Mended against the published code:

* gradients are cleared between steps of the density training, where they piled up;
* densities start from KNIFE's own scale, 0.01, not 1.0;
* densities see standardised features: KNIFE's axis scales are limited to [1/e, e]; the surprisal returned is still that
  of the features as they came;
* log-softmax in place of log(softmax), which underflows;
* all terms of a sample belong to that sample and are kept: the published code takes five differently shuffled passes
  and returns their means.
"""

from __future__ import annotations

from math import log

import numpy as np
import torch
from torch import nn

from lsmi_core.errors import InvalidInputError
from lsmi_core.knife import KNIFE, minibatches

__all__ = ["PublishedModel", "as_float32", "class_network", "train_classifier"]

N_HIDDEN = 64
EPOCHS, DECAY_EPOCH = 30, 15
BATCH_SIZE = 32
LEARNING_RATE = 1e-3


class PublishedModel:
    r"""Networks for p(y|x1), p(y|x2), p(y|x1, x2) and densities p(x1), p(x2).

    :math:`i = \log C + \log p(y|x)`, the label taken as uniform over C classes, and :math:`h = -\log p(x)`.

    Parameters
    ----------
    n_classes : int
    random_state : int
    device : str or torch.device

    References
    ----------
    Yang, Wang and Hu 2025, arXiv:2506.17248. Pichler et al. 2022, arXiv:2202.06618 (the densities).
    """

    def __init__(self, n_classes: int, random_state: int = 0, device: str | torch.device = "cpu") -> None:
        self.n_classes = n_classes
        self.random_state = random_state
        self.device = device

    def fit(self, x1: np.ndarray, x2: np.ndarray, codes: np.ndarray) -> PublishedModel:
        """Train on samples x1, x2 of shape (n_samples, n_features_k) with class indices; return self."""
        generator = torch.Generator().manual_seed(self.random_state)
        labels = torch.as_tensor(codes, dtype=torch.int64, device=self.device)
        self.widths_ = (x1.shape[1], x2.shape[1])
        self.networks_ = [
            train_classifier(as_float32(x).to(self.device), labels, self.n_classes, generator) for x in _views(x1, x2)
        ]
        self.densities_ = [KNIFE(random_state=self.random_state, device=self.device).fit(x) for x in (x1, x2)]
        return self

    def score(self, x1: np.ndarray, x2: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
        """Return the terms of each sample.

        Parameters
        ----------
        x1, x2 : ndarray of shape (n_samples, n_features_k)
        codes : int ndarray of shape (n_samples,)

        Returns
        -------
        dict
            ``i1``, ``i2``, ``i12``, ``h1``, ``h2``, ``b1``, ``b2`` in nats, ``top1``, ``top2``, ``top12`` the most
            likely class index and ``p1``, ``p2``, ``p12`` its probability; arrays of shape (n_samples,).

        Raises
        ------
        InvalidInputError
            When features are so large that a term is not finite.
        """
        rows, scored = np.arange(len(codes)), {}
        for view, network, x in zip(("1", "2", "12"), self.networks_, _views(x1, x2), strict=True):
            log_p = _log_proba(network, as_float32(x).to(self.device))
            scored[f"i{view}"] = log(self.n_classes) + log_p[rows, codes]
            scored[f"top{view}"] = log_p.argmax(axis=1)
            scored[f"p{view}"] = np.exp(log_p.max(axis=1))
            scored[f"b{view}"] = (np.exp(log_p) * (log(self.n_classes) + log_p)).sum(axis=1)
        del scored["b12"]
        for view, density, x in zip(("1", "2"), self.densities_, (x1, x2), strict=True):
            scored[f"h{view}"] = -density.score_samples(x)
        _check_finite(scored)
        return scored

    def check_widths(self, x1: np.ndarray, x2: np.ndarray) -> None:
        """Raise InvalidInputError unless both modalities have the number of features that fit saw."""
        for name, x, width in zip(("x1", "x2"), (x1, x2), self.widths_, strict=True):
            if x.shape[1] != width:
                raise InvalidInputError(f"{name} has {x.shape[1]} features but fit saw {width}.")


def class_network(n_features: int, n_classes: int, generator: torch.Generator) -> nn.Sequential:
    r"""Return an untrained network d-64-64-C with ReLU.

    Weights and biases start uniform on :math:`\pm 1/\sqrt{n_{in}}`, as torch starts its linear layers, but drawn from
    the generator: torch's own start draws from a state that all threads share.
    """
    sizes = (n_features, N_HIDDEN, N_HIDDEN, n_classes)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        linear = nn.utils.skip_init(nn.Linear, n_in, n_out)
        for p in linear.parameters():
            nn.init.uniform_(p, -(n_in**-0.5), n_in**-0.5, generator=generator)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train_classifier(x: torch.Tensor, codes: torch.Tensor, n_classes: int, generator: torch.Generator) -> nn.Sequential:
    """Train a network on cross-entropy as published: Adam 1e-3, a tenth of it after 15 of 30 epochs, batches of 32.

    Parameters
    ----------
    x : float32 tensor of shape (n_samples, n_features)
        Taken as it is.
    codes : int64 tensor of shape (n_samples,)
        Class indices, on the device of x.
    n_classes : int
    generator : torch.Generator
        On the CPU. Seeds the weights and the order of the batches.

    Returns
    -------
    torch.nn.Sequential
        Returns class scores of shape (n_samples, n_classes), not yet normalised.
    """
    network = class_network(x.shape[1], n_classes, generator).to(x.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [DECAY_EPOCH])
    for _ in range(EPOCHS):
        for rows in minibatches(len(x), BATCH_SIZE, generator, x.device):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x[rows]), codes[rows]).backward()
            optimiser.step()
        schedule.step()
    return network


def as_float32(x: np.ndarray) -> torch.Tensor:
    """Return features, shape (n_samples, n_features), as a float32 tensor; too large becomes infinite."""
    return torch.from_numpy(np.require(x, requirements="W")).to(torch.float32)


def _views(x1: np.ndarray, x2: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return x1, x2, np.hstack([x1, x2])


@torch.no_grad()
def _log_proba(network: nn.Sequential, x: torch.Tensor) -> np.ndarray:
    return network(x).log_softmax(1).cpu().numpy().astype(np.float64)


def _check_finite(scored: dict[str, np.ndarray]) -> None:
    for x, term in (("x1", "i1"), ("x2", "i2"), ("x1 and x2", "i12"), ("x1", "h1"), ("x2", "h2")):
        if not np.isfinite(scored[term]).all():
            raise InvalidInputError(
                f"Features of {x} are too large for the published estimator, or too far from those it was fitted on: "
                f"{term} is not finite on every sample. Standardise the columns, or use another protocol."
            )
