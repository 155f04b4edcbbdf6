"""Where the work is done: the processor, or an accelerator if there is one."""

from __future__ import annotations

import torch

from lsmi_core.errors import InvalidInputError

__all__ = ["DEVICES", "device_of"]

DEVICES = ("auto", "cpu", "cuda", "mps")


def device_of(name: str) -> torch.device:
    """Return the device of one of :data:`DEVICES`; "auto" takes CUDA if it is there.

    Raises
    ------
    InvalidInputError
        When the device is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    elif name == "cuda" and not torch.cuda.is_available():
        raise InvalidInputError("device='cuda' was asked for but no CUDA device is there; use device='auto'.")
    elif name == "mps" and not torch.backends.mps.is_available():
        raise InvalidInputError("device='mps' was asked for but no Apple GPU is there; use device='auto'.")
    return torch.device(name)
