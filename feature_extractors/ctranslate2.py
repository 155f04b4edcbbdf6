"""Reads the arrays of a CTranslate2 model file, with numpy and nothing else.

The file is little-endian: a format version, the name and version of the model's specification, the number of
variables, then for each variable its name, rank, dimensions, type, byte count and bytes. A name is a length of
two bytes followed by that many bytes, the last of which is zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from feature_extractors.errors import EncoderError

__all__ = ["read_variables"]

_VERSIONS = (4, 5, 6)  # older ones state an item count where these state bytes
_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
_MAX_RANK = 8


@dataclass
class _Cursor:
    data: memoryview
    at: int = 0

    def take(self, count: int) -> memoryview:
        if count > len(self.data) - self.at:
            raise EncoderError(f"The model file is cut off after {len(self.data)} bytes; install it again.")
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def name(self) -> str:
        return bytes(self.take(self.number(2))).rstrip(b"\0").decode("utf-8", "replace")


def read_variables(path: Path, prefix: str = "") -> dict[str, np.ndarray]:
    """Read the variables whose name starts with a prefix.

    Parameters
    ----------
    path : Path
        The model file.
    prefix : str
        Other variables are skipped without being copied.

    Returns
    -------
    dict of str to ndarray
        Copies, in the types of the file.

    Raises
    ------
    EncoderError
        If the file is cut off, contradicts itself, or has a version or type that is not known here.
    """
    cursor = _Cursor(memoryview(path.read_bytes()))
    version = cursor.number(4)
    if version not in _VERSIONS:
        raise EncoderError(f"The model file has version {version}, not one of {_VERSIONS}; install it again.")
    cursor.name()  # the specification
    cursor.number(4)  # its version
    found = {}
    for _ in range(cursor.number(4)):
        name = cursor.name()
        shape, kind, content = _header(cursor, name)
        if name.startswith(prefix):
            found[name] = _array(name, shape, kind, content)
    return found


def _header(cursor: _Cursor, name: str) -> tuple[tuple[int, ...], int, memoryview]:
    rank = cursor.number(1)
    if rank > _MAX_RANK:
        raise EncoderError(f"The model file gives {name!r} {rank} dimensions; it is damaged, install it again.")
    shape = tuple(cursor.number(4) for _ in range(rank))
    kind = cursor.number(1)
    return shape, kind, cursor.take(cursor.number(4))


def _array(name: str, shape: tuple[int, ...], kind: int, content: memoryview) -> np.ndarray:
    if kind not in _TYPES:
        raise EncoderError(f"The model file holds {name!r} in the unknown type {kind}; install it again.")
    dtype = np.dtype(_TYPES[kind])
    if math.prod(shape) * dtype.itemsize != len(content):
        raise EncoderError(f"The model file gives {name!r} a wrong size for its shape {shape}; install it again.")
    return np.frombuffer(content, dtype).reshape(shape).copy()
