"""InfMasking: a joint representation of two modalities that is learned without labels, to bring synergy to light."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from lsmi_core.devices import DEVICES, device_of
from lsmi_core.errors import InvalidInputError
from lsmi_core.fusion.network import FusionNetwork, Projected
from lsmi_core.fusion.objectives import OBJECTIVES, Objective, Side
from lsmi_core.fusion.tokens import Scaling, Tokens, as_tokens
from lsmi_core.fusion.training import Checkpoint, Training, TrainingSettings
from lsmi_core.fusion.views import augmented
from lsmi_core.validation import check_choice, check_int, check_number, check_same_length

__all__ = ["InfMasking"]

AT_ONCE = 512  # samples a pass when transforming


class InfMasking(BaseEstimator):
    """Learn to fuse two modalities by comparing whole samples with samples of which most is hidden.

    Parameters
    ----------
    objective : {"infmasking", "comm", "contrast"}, default="infmasking"
        "comm" leaves the masked views out; "contrast" compares one modality with the other and fuses nothing.
    width : int, default=40
        Features of a fused vector; a multiple of ``n_heads``.
    n_heads : int, default=8
    n_groups : int, default=16
        Tokens that a feature vector is cut into. Sequences of tokens stay as they are.
    temperature : float, default=0.1
    mask_share : float, default=0.8
        Share of the tokens of each modality that a masked view hides; one always stays.
    n_masks : int, default=5
    mask_weight : float, default=0.25
        Of the spread of masked views in the loss, at the end of training.
    fused_weight : float, default=1.0
        Of the contrast of fused with fused; the other terms weigh 1.
    n_epochs, batch_size : int, default=100 and 64
    learning_rate, weight_decay : float, default=1e-3 and 1e-2
    random_state : int, default=0
    device : {"auto", "cpu", "cuda", "mps"}, default="auto"
    checkpoint : path, optional
        A file that is kept up to date while training; a killed :meth:`fit` goes on from it. Delete it afterwards.

    Attributes
    ----------
    network_ : FusionNetwork
    losses_ : list of float
        Mean loss of every epoch, in nats.

    References
    ----------
    Wen et al. 2025, "InfMasking: Unleashing Synergistic Information by Contrastive Multimodal Interactions",
    arXiv:2509.25270; without masks Dufumier et al. 2024, "What to align in multimodal contrastive learning?",
    arXiv:2409.07402. What differs is told in docs/decisions.md.

    Examples
    --------
    >>> from lsmi_core.infmasking import InfMasking
    >>> from lsmi_core.synthetic import continuous_xor
    >>> drawn = continuous_xor(200, n_features=16)
    >>> InfMasking(n_epochs=1).fit(drawn.x1, drawn.x2).transform(drawn.x1, drawn.x2).shape
    (200, 40)
    """

    def __init__(
        self,
        objective: str = "infmasking",
        width: int = 40,
        n_heads: int = 8,
        n_groups: int = 16,
        temperature: float = 0.1,
        mask_share: float = 0.8,
        n_masks: int = 5,
        mask_weight: float = 0.25,
        fused_weight: float = 1.0,
        n_epochs: int = 100,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        random_state: int = 0,
        device: str = "auto",
        checkpoint: str | Path | None = None,
    ) -> None:
        self.objective = objective
        self.width = width
        self.n_heads = n_heads
        self.n_groups = n_groups
        self.temperature = temperature
        self.mask_share = mask_share
        self.n_masks = n_masks
        self.mask_weight = mask_weight
        self.fused_weight = fused_weight
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.random_state = random_state
        self.device = device
        self.checkpoint = checkpoint

    def fit(self, x1: object, x2: object, progress: Callable[[int, int], None] | None = None) -> InfMasking:
        """Learn to fuse these samples; labels are not needed.

        Parameters
        ----------
        x1, x2 : array-like of shape (n_samples, n_features_k) or (n_samples, n_tokens_k, n_features_k), or Tokens
            :class:`~lsmi_core.fusion.tokens.Tokens` where sequences differ in length.
        progress : callable, optional
            Told (steps done, steps in all); what it raises cancels, and the checkpoint stays.

        Returns
        -------
        InfMasking

        Raises
        ------
        InvalidInputError
            When a parameter, an array or the checkpoint cannot be used.
        """
        self._check_parameters()
        tokens = [as_tokens(x, name, self.n_groups) for x, name in ((x1, "x1"), (x2, "x2"))]
        check_same_length(x1=tokens[0].values, x2=tokens[1].values)
        if len(tokens[0]) < 2:
            raise InvalidInputError("Samples are compared with one another, so at least 2 are needed.")
        self.scalings_ = [Scaling.of(side) for side in tokens]
        sides = [self._side(side, scaling) for side, scaling in zip(tokens, self.scalings_, strict=True)]
        self._build([(*side.shape, side.by_place) for side in tokens])
        kept = None if self.checkpoint is None else Checkpoint(Path(self.checkpoint), self._made_from(sides))
        settings = TrainingSettings(
            self.n_epochs, self.batch_size, self.learning_rate, self.weight_decay, self.random_state
        )
        training = Training(self.network_, self._objective(), settings, kept)
        self.losses_ = training.run(sides, [augmented] * 2, progress or (lambda done, total: None)).losses
        return self

    def transform(self, x1: object, x2: object) -> np.ndarray:
        """Return the fused vectors of samples.

        Parameters
        ----------
        x1, x2 : as in :meth:`fit`

        Returns
        -------
        float32 ndarray of shape (n_samples, width)
            Twice as wide after "contrast": the vectors of each modality, side by side.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        InvalidInputError
            When an array cannot be used, or its tokens have other features than the fitted ones.
        """
        check_is_fitted(self, "network_")
        tokens = [as_tokens(x, name, self.n_groups) for x, name in ((x1, "x1"), (x2, "x2"))]
        check_same_length(x1=tokens[0].values, x2=tokens[1].values)
        for name, side, (n_tokens, n_features, by_place) in zip(("x1", "x2"), tokens, self.shapes_, strict=True):
            if side.shape[1] != n_features or side.by_place != by_place or (by_place and side.shape[0] != n_tokens):
                raise InvalidInputError(
                    f"{name} has {side.shape[0]} tokens of {side.shape[1]} features but fit saw {n_tokens} of "
                    f"{n_features}."
                )
        sides = [self._side(side, scaling) for side, scaling in zip(tokens, self.scalings_, strict=True)]
        cuts = [slice(start, start + AT_ONCE) for start in range(0, len(tokens[0]), AT_ONCE)]
        with torch.inference_mode():
            return np.concatenate([self._fused([(v[cut], real[cut]) for v, real in sides]) for cut in cuts])

    def state(self) -> tuple[dict[str, np.ndarray], dict]:
        """Return all that :meth:`transform` needs, as arrays and as values that JSON can hold.

        Returns
        -------
        arrays : dict of ndarray
        config : dict

        See Also
        --------
        from_state
        """
        check_is_fitted(self, "network_")
        arrays = {f"network.{name}": tensor.cpu().numpy() for name, tensor in self.network_.state_dict().items()}
        for k, scaling in enumerate(self.scalings_, 1):
            arrays |= {f"mean{k}": scaling.mean, f"deviation{k}": scaling.deviation}
        own = {name: value for name, value in self.get_params().items() if name not in ("device", "checkpoint")}
        return arrays, {"parameters": own, "shapes": [list(shape) for shape in self.shapes_]}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], config: dict, device: str = "auto") -> InfMasking:
        """Return what :meth:`state` took apart."""
        made = cls(**config["parameters"], device=device)
        made.scalings_ = [Scaling(arrays[f"mean{k}"], arrays[f"deviation{k}"]) for k in (1, 2)]
        made._build([tuple(shape) for shape in config["shapes"]])
        weights = {name: torch.as_tensor(arrays[f"network.{name}"]) for name in made.network_.state_dict()}
        made.network_.load_state_dict(weights)
        made.network_.eval()
        return made

    def _build(self, shapes: list[tuple[int, int, bool]]) -> None:
        self.shapes_ = shapes
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            readers = [Projected(n, d, self.width, by_place) for n, d, by_place in shapes]
            self.network_ = FusionNetwork(readers, self.width, self.n_heads)
        self.network_.to(device_of(self.device))

    def _fused(self, sides: list[Side]) -> np.ndarray:
        device = self.network_.summary.device
        parts = [self.network_.read(m, v.to(device), real.to(device)) for m, (v, real) in enumerate(sides)]
        shown = [self.network_(part) for part in parts] if self.objective == "contrast" else [self.network_(*parts)]
        return torch.cat(shown, dim=1).cpu().numpy()

    def _side(self, tokens: Tokens, scaling: Scaling) -> Side:
        return torch.as_tensor(scaling.of_values(tokens)), torch.as_tensor(tokens.real)

    def _objective(self) -> Objective:
        return Objective(
            self.objective, self.temperature, self.mask_share, self.n_masks, self.mask_weight, self.fused_weight
        )

    def _made_from(self, sides: list[Side]) -> str:
        own = {name: value for name, value in self.get_params().items() if name not in ("device", "checkpoint")}
        digest = hashlib.sha256(json.dumps(own, sort_keys=True).encode())
        for values, real in sides:
            digest.update(values.numpy().tobytes() + real.numpy().tobytes())
        return digest.hexdigest()

    def _check_parameters(self) -> None:
        own = type(self).__name__
        check_choice(self.objective, "objective", OBJECTIVES, own)
        check_choice(self.device, "device", DEVICES, own)
        for name in ("width", "n_heads", "n_groups", "n_masks", "n_epochs"):
            check_int(getattr(self, name), name, 1, owner=own)
        check_int(self.batch_size, "batch_size", 2, owner=own)
        check_int(self.random_state, "random_state", 0, 2**32, own)
        check_number(self.mask_share, "mask_share", 0, 1, own)
        for name, low in (("temperature", 1e-6), ("learning_rate", 1e-12)):
            check_number(getattr(self, name), name, low, owner=own)
        for name in ("mask_weight", "fused_weight", "weight_decay"):
            check_number(getattr(self, name), name, 0, owner=own)
        if self.width % self.n_heads:
            raise InvalidInputError(f"The width must be a multiple of n_heads. Got {self.width} and {self.n_heads}.")
