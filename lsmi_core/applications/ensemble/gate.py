"""How an ensemble weighs its members, sample by sample: by predicted interactions, never by a label."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from lsmi_core.applications.ensemble.evidence import Evidence, Said, held_out_loss, spaced
from lsmi_core.interactions import TERMS
from lsmi_core.terms import expected

__all__ = ["FEATURES", "Gate", "choose_gate", "interactions"]

FEATURES = ("between", "match", "b1", "b2", "i12", *TERMS)
FARTHEST, LEAST = 5.0, -12.0  # deviations of a feature; nats below the prior
GATE_PENALTY, SLOPE_PENALTY = 1e-3, 1e-2  # a sample
FREEDOM = 3e-3  # of corrections, however many samples
N_ITER, TOLERANCE = 100, 1e-6
MOST_CORRECTED = 40


def interactions(said: Said, log_prior: np.ndarray) -> np.ndarray:
    r"""Return what can be told of the interactions of each sample; no label is read.

    Of a pair: how well the sides fit each other; :math:`\log \sum_c p(c|x_1) p(c|x_2) / p(c)`, by how much likelier
    their labels are together than apart; what each member expects to tell; and r, u1, u2 and s as both together expect
    them. Of a side alone: what it expects to tell. In nats.

    Parameters
    ----------
    said : Said
    log_prior : float64 ndarray of shape (n_classes,)

    Returns
    -------
    float64 ndarray of shape (n_samples, len(FEATURES)), or (n_samples, 1)
    """
    log_p = said.present
    told = [(np.exp(p) * (p - log_prior)).sum(axis=1) for p in log_p]
    if len(log_p) == 1:
        return told[0][:, None]
    match = np.logaddexp.reduce(log_p[0] + log_p[1] - log_prior, axis=1)
    unread = np.zeros(len(match))  # "cautious" reads no surprisal
    terms = expected(log_p, (unread, unread), log_prior, "cautious")
    fit = np.arcsinh(said.between)  # has a long tail
    return np.stack([fit, match, *told, *(terms[name] for name in TERMS)], axis=1)


class Gate:
    r"""Per-sample weighing of members.

    The members are pooled, :math:`\log q = \log p_0 + \sum_m a_m(x) (\log p_m - \log p_0) + B\rho + b`, the exponents
    :math:`a_m(x) = a_m + v_m^\top \phi(x)` following the interactions :math:`\phi` of the sample; B and b, shrunk to
    nothing, mend what single classes get too much or too little of, from all log-ratios :math:`\rho`. Of a pair, a
    second gate :math:`g(x) = \mathrm{softmax}(W \phi(x) + w)` mixes the pool with either side alone: who does not
    belong to the other cannot be pooled with it. The answer is :math:`g_0 q + g_1 p_1 + g_2 p_2`.

    Parameters
    ----------
    parameters : dict of str to float64 ndarray
        As :meth:`fit` leaves them.

    References
    ----------
    Jacobs et al. 1991, Neural Computation 3:79 (gated mixtures). Hinton 2002, Neural Computation 14:1771 (log pools).
    """

    def __init__(self, parameters: dict[str, np.ndarray]) -> None:
        self.parameters = parameters

    @classmethod
    def fit(
        cls, evidence: Evidence, log_prior: np.ndarray, sloping: bool, on_step: Callable[[], None] = lambda: None
    ) -> Gate:
        """Make the labels of the rows likeliest.

        Parameters
        ----------
        evidence : Evidence
        log_prior : float64 ndarray of shape (n_classes,)
        sloping : bool
            Whether exponents follow the interactions; v is zero where they do not.
        on_step : callable of no arguments
            Called at every step; may raise to cancel.
        """
        features = interactions(evidence.said, log_prior)
        scale = np.maximum(features.std(axis=0), 1e-6)
        fixed = {"shift": features.mean(axis=0), "scale": scale, "log_prior": log_prior}
        free = _start(len(evidence.said.present), features.shape[1], len(log_prior), sloping)
        inputs = _inputs(evidence.said.present, features, fixed)
        codes, counts = torch.as_tensor(evidence.codes)[:, None], torch.as_tensor(evidence.weights)

        def loss() -> torch.Tensor:
            on_step()
            answer, _, _ = _answer(free, *inputs)
            return (_penalty(free, counts.sum()) - counts @ answer.gather(1, codes)[:, 0]) / counts.sum()

        _minimise(loss, list(free.values()))
        return cls(fixed | {name: value.detach().numpy() for name, value in free.items()})

    def answer(self, said: Said) -> np.ndarray:
        """Return log-probabilities, the first of what :meth:`apply` returns."""
        return self.apply(said)[0]

    def apply(self, said: Said) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what the ensemble says and what it is made of.

        Parameters
        ----------
        said : Said
            Of the kind that :meth:`fit` was given.

        Returns
        -------
        answer : float64 ndarray of shape (n_samples, n_classes)
            Log-probabilities.
        shares : float64 ndarray of shape (n_samples, n_members)
            What each member contributes; they are not negative and sum to 1.
        apart : float64 ndarray of shape (n_samples,)
            How likely the sides do not belong together; 0 for a side alone.
        """
        features = interactions(said, self.parameters["log_prior"])
        own = {name: torch.as_tensor(value) for name, value in self.parameters.items()}
        answer, gate, exponents = (t.numpy() for t in _answer(own, *_inputs(said.present, features, self.parameters)))
        shares = np.maximum(exponents, 1e-6)
        shares *= gate[:, :1] / shares.sum(axis=1, keepdims=True)
        shares[:, : gate.shape[1] - 1] += gate[:, 1:]
        return answer, shares, 1 - gate[:, 0]


def choose_gate(evidence: Evidence, log_prior: np.ndarray, on_share: Callable[[float], None]) -> Gate:
    """Return a gate whose exponents follow the interactions where that makes samples left out of its fit likelier.

    Parameters
    ----------
    evidence : Evidence
        Of more than 30,000 samples, evenly spaced ones are learned from.
    log_prior : float64 ndarray of shape (n_classes,)
    on_share : callable
        Told the share of the work that is done; may raise to cancel.
    """
    losses: list[float] = []
    for sloping in (False, True):

        def on_step() -> None:
            on_share(len(losses) / 3)

        fit = partial(Gate.fit, log_prior=log_prior, sloping=sloping, on_step=on_step)
        losses.append(held_out_loss(evidence, fit))
    return Gate.fit(spaced(evidence), log_prior, losses[1] < losses[0], on_step)


def _minimise(loss: Callable[[], torch.Tensor], parameters: list[torch.Tensor]) -> None:
    optimiser = torch.optim.LBFGS(
        parameters, max_iter=N_ITER, tolerance_change=TOLERANCE, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)


def _start(n_members: int, n_features: int, n_classes: int, sloping: bool) -> dict[str, torch.Tensor]:
    """Return the parameters to begin from: mostly the member that sees everything, and pairs that belong together."""
    found = {"exponents": torch.tensor([0.2, 0.2, 0.7] if n_members > 1 else [1.0])}
    if sloping:
        found["slopes"] = torch.zeros(n_members, n_features)
    if n_classes <= MOST_CORRECTED:
        found["correction"] = torch.zeros(n_members * n_classes + 1, n_classes)
    if n_members > 1:
        found["gate"] = torch.zeros(n_members, n_features + 1)
        found["gate"][0, -1] = 2.0
    return {name: value.double().requires_grad_() for name, value in found.items()}


def _penalty(free: dict[str, torch.Tensor], n_samples: torch.Tensor) -> torch.Tensor:
    weights = {"slopes": SLOPE_PENALTY * n_samples, "gate": GATE_PENALTY * n_samples, "correction": 0.5 / FREEDOM}
    shrunk = {name: value[:, :-1] if name == "gate" else value for name, value in free.items()}  # not its intercept
    return sum(weight * shrunk[name].square().sum() for name, weight in weights.items() if name in free)


def _inputs(
    log_p: list[np.ndarray], features: np.ndarray, fixed: dict[str, np.ndarray]
) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor, torch.Tensor]:
    """Return log-probabilities and log-ratios of the members, standardised features, and the prior."""
    standard = np.clip((features - fixed["shift"]) / fixed["scale"], -FARTHEST, FARTHEST)
    ratios = [torch.as_tensor(np.maximum(p - fixed["log_prior"], LEAST)) for p in log_p]
    prior = torch.as_tensor(fixed["log_prior"])
    return [torch.as_tensor(p) for p in log_p], ratios, torch.as_tensor(standard), prior


def _answer(
    own: dict[str, torch.Tensor], log_p: list[torch.Tensor], ratios: list[torch.Tensor], features: torch.Tensor,
    log_prior: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Return the answer's log-probabilities, the gate (n, 1 or 3) and the exponents (n, n_members)."""
    exponents = own["exponents"].expand(len(features), -1)
    if "slopes" in own:
        exponents = exponents + features @ own["slopes"].T
    scores = log_prior + sum(exponents[:, [m]] * ratio for m, ratio in enumerate(ratios))
    if "correction" in own:
        scores = scores + torch.cat(ratios, dim=1) @ own["correction"][:-1] + own["correction"][-1]
    pooled = torch.log_softmax(scores, dim=1)
    if "gate" not in own:
        return pooled, torch.ones(len(features), 1, dtype=pooled.dtype), exponents
    gate = torch.log_softmax(features @ own["gate"][:, :-1].T + own["gate"][:, -1], dim=1)
    ways = [gate[:, [k]] + one for k, one in enumerate((pooled, *log_p[:2]))]
    return torch.logsumexp(torch.stack(ways), dim=0), gate.exp(), exponents
