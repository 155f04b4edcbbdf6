"""Finished pieces of long work in a file, so that it goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

import numpy as np

from curation.workspace.files import write_json

__all__ = ["Cells", "made_from"]


def made_from(settings: dict, arrays: Iterable[np.ndarray]) -> str:
    """Return a digest of all that a piece of work depends on."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


class Cells:
    """Finished cells in a file; those of other data or settings are not looked at.

    Parameters
    ----------
    path : pathlib.Path
    origin : str
        From :func:`made_from`.
    name : callable
        Makes the name of a cell of what JSON kept of it.

    Attributes
    ----------
    known : dict
        Values of every finished cell by its name.
    """

    def __init__(self, path: Path, origin: str, name: Callable[[object], Hashable]) -> None:
        self.path, self.origin = path, origin
        self.known: dict[Hashable, np.ndarray] = {}
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["made_from"] == origin:
                self.known = {name(cell): np.array(values) for cell, values in kept["cells"]}
        except (OSError, ValueError, KeyError, TypeError):  # none yet, or spoilt: measured again
            pass

    def keep(self, cell: Hashable, values: np.ndarray) -> None:
        """Write a finished cell down with the others."""
        self.known[cell] = values
        cells = [[cell, values.tolist()] for cell, values in self.known.items()]
        write_json({"made_from": self.origin, "cells": cells}, self.path)
