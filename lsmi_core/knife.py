"""KNIFE: a small Gaussian mixture trained by gradient, the marginal density of the published estimator."""

from __future__ import annotations

from math import log, pi

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from lsmi_core.errors import InvalidInputError

__all__ = ["KNIFE", "GaussianKernels", "minibatches"]

DECAY_EPOCH = 20  # the learning rate is divided by ten from here on
SCORED_AT_ONCE = 4096  # rows; bounds the memory that scoring takes


class KNIFE(BaseEstimator):
    r"""Log density of x under a mixture of Gaussians with full precision roots, trained by Adam.

    .. math:: \log p(x) = \log \sum_k w_k\, |L_k|\, (2\pi)^{-d/2} e^{-\frac12 \|L_k (z - \mu_k)\|^2} - \sum_j \log s_j

    with z the standardised x, s the deviations it was divided by, and L_k lower-triangular with diagonal
    :math:`\exp(\tanh(\cdot))`.

    Parameters
    ----------
    n_components : int, default=5
    initial_scale : float, default=0.01
        Standard deviation of the starting means and precision roots. 0.01 is KNIFE's own default; the published
        LSMI code starts from 1.0, which leaves it far from the density after the same training.
    epochs : int, default=30
    batch_size : int, default=32
    learning_rate : float, default=1e-3
        A tenth of it after 20 epochs.
    standardise : bool, default=True
        Divide columns by their deviation first. Axis scales are limited to [1/e, e], so other units do not fit in;
        the density returned is that of the space x came in. Columns that never vary are only centred. What stays
        out of reach is a column that the columns before it predict to within 1/e of its deviation.
    random_state : int, default=0
    device : str or torch.device, default="cpu"

    Attributes
    ----------
    kernels_ : GaussianKernels
        The trained mixture, in standardised coordinates.
    mean_, scale_ : float64 ndarray of shape (n_features,)
        Taken off the columns, and divided by.
    n_features_in_ : int

    References
    ----------
    Pichler, Colombo, Boudiaf, Koliander and Piantanida 2022, "A Differential Entropy Estimator for Training Neural
    Networks", arXiv:2202.06618.
    """

    def __init__(
        self,
        n_components: int = 5,
        initial_scale: float = 0.01,
        epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        standardise: bool = True,
        random_state: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        self.n_components = n_components
        self.initial_scale = initial_scale
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.standardise = standardise
        self.random_state = random_state
        self.device = device

    def fit(self, X: np.ndarray, y: object = None) -> KNIFE:
        """Learn the density of X by minimising its mean surprisal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        KNIFE

        Raises
        ------
        InvalidInputError
            When a parameter is out of its range.
        ValueError
            When X is not a finite matrix.
        """
        self._check_parameters()
        X = validate_data(self, X, dtype=np.float64)
        self._scaling(X)
        generator = torch.Generator().manual_seed(self.random_state)
        kernels = GaussianKernels(self.n_components, X.shape[1], self.initial_scale, generator)
        self.kernels_ = kernels.to(self.device)
        self._train(self._coordinates(X), generator)
        return self

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return the log density of each sample, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        float64 ndarray of shape (n_samples,)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        with torch.no_grad():
            parts = [self.kernels_(z).cpu() for z in self._coordinates(X).split(SCORED_AT_ONCE)]
        return torch.cat(parts).numpy().astype(np.float64) - np.log(self.scale_).sum()

    def _check_parameters(self) -> None:
        for name, kind, told in (
            ("n_components", int | np.integer, "an int"),
            ("epochs", int | np.integer, "an int"),
            ("batch_size", int | np.integer, "an int"),
            ("initial_scale", int | float, "a number"),
            ("learning_rate", int | float, "a number"),
        ):
            value = getattr(self, name)
            if not isinstance(value, kind) or not 0 < value < np.inf:
                raise InvalidInputError(
                    f"The '{name}' parameter of KNIFE must be {told} above 0. Got {value!r} instead."
                )

    def _scaling(self, X: np.ndarray) -> None:
        self.mean_, self.scale_ = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if self.standardise:
            scaler = StandardScaler().fit(X)  # its scale is 1 where a column is constant to within rounding
            self.mean_, self.scale_ = scaler.mean_, scaler.scale_

    def _coordinates(self, X: np.ndarray) -> torch.Tensor:
        return torch.from_numpy((X - self.mean_) / self.scale_).to(torch.float32).to(self.device)

    def _train(self, z: torch.Tensor, generator: torch.Generator) -> None:
        optimiser = torch.optim.Adam(self.kernels_.parameters(), lr=self.learning_rate)
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [DECAY_EPOCH])
        for _ in range(self.epochs):
            for rows in minibatches(len(z), self.batch_size, generator, z.device):
                optimiser.zero_grad()
                (-self.kernels_(z[rows]).mean()).backward()
                optimiser.step()
            schedule.step()


class GaussianKernels(nn.Module):
    r"""A mixture of K Gaussians, each with a mean, a log weight and a lower-triangular precision root.

    Parameters
    ----------
    n_components, n_features : int
    initial_scale : float
        Standard deviation of the starting means, log axis scales and off-diagonal entries; weights start equal.
    generator : torch.Generator
        On the CPU; move the module afterwards.
    """

    def __init__(self, n_components: int, n_features: int, initial_scale: float, generator: torch.Generator) -> None:
        super().__init__()

        def start(*shape: int) -> nn.Parameter:
            return nn.Parameter(initial_scale * torch.randn(n_components, *shape, generator=generator))

        self.means = start(n_features)
        self.log_scales = start(n_features)
        self.off_diagonal = start(n_features, n_features)
        self.log_weights = nn.Parameter(torch.zeros(n_components))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        r"""Return log p(x) in nats, shape (n_samples,), of x of shape (n_samples, n_features).

        :math:`\log\sum_k \exp(\log w_k + \sum_j \tanh a_{kj} - \frac12\|L_k(x - \mu_k)\|^2) - \frac d2\log 2\pi`
        """
        log_diagonal = self.log_scales.tanh()
        roots = self.off_diagonal.tril(-1) + torch.diag_embed(log_diagonal.exp())
        residual = torch.bmm(x - self.means[:, None], roots.mT)  # (n_components, n_samples, n_features)
        log_heights = self.log_weights.log_softmax(0) + log_diagonal.sum(1)
        log_kernels = log_heights[:, None] - residual.square().sum(2) / 2
        return log_kernels.logsumexp(0) - x.shape[1] / 2 * log(2 * pi)


def minibatches(
    n_samples: int, batch_size: int, generator: torch.Generator, device: torch.device
) -> tuple[torch.Tensor, ...]:
    """Return the rows of one epoch in random order, ``batch_size`` at a time; the last batch may be smaller."""
    return torch.randperm(n_samples, generator=generator).to(device).split(batch_size)
