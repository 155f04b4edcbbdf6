"""What the device decides: the precision of the network's arithmetic, and how much goes into a batch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["fitting", "inference", "precision"]

# A forward pass holds 19 to 21 times the bytes of its input (after the embedding, for a text): measured as the peak
# of the process for each packaged network.
_HELD = 25
_SHARE = 0.5  # of the free memory: the rest is for whoever else works here
_ON_ACCELERATOR = 8  # times as many: there a small batch costs as much time as a large one
_UNKNOWN = 4 * 2**30  # bytes taken to be free where the system does not tell


def precision(device: str) -> Any | None:
    """Choose the number format of a forward pass.

    Parameters
    ----------
    device : str
        A torch device.

    Returns
    -------
    torch.dtype or None
        On a graphics card bfloat16, or float16 on those that only emulate it; None for plain float32.
    """
    if not device.startswith("cuda"):
        return None
    import torch

    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


@contextmanager
def inference(device: str, lower: Any | None = None) -> Iterator[None]:
    """Run networks without gradients, in the precision that suits the device.

    Parameters
    ----------
    device : str
        A torch device.
    lower : torch.dtype, optional
        The number format, when it is not the device's own.
    """
    import torch

    lower = lower or precision(device)
    kind = device.partition(":")[0]
    with torch.inference_mode(), torch.autocast(kind, dtype=lower, enabled=lower is not None):
        yield


def fitting(most: int, item_bytes: int, device: str) -> int:
    """Fit a batch into the free memory, when every core works on one.

    Parameters
    ----------
    most : int
        Items in the batch that is quickest on a processor.
    item_bytes : int
        Bytes of one item as the network's layers see it.
    device : str
        A torch device.

    Returns
    -------
    int
        At least 1, and `most` unless memory is short: features must not depend on it in ordinary times.
    """
    import torch

    size = most if device == "cpu" else most * _ON_ACCELERATOR
    room = _SHARE * _free_bytes(device) / (_HELD * item_bytes * torch.get_num_threads())
    while size > 1 and size > room:
        size //= 2
    return size


def _free_bytes(device: str) -> int:
    if device.startswith("cuda"):
        import torch

        return torch.cuda.mem_get_info(device)[0]
    try:
        told = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in told if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # not Linux
        return _all_bytes() // 2


def _all_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):
        return _UNKNOWN
