"""Keeps computed features in files, named by the content of the items and by the encoder's fingerprint."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.contracts import EncodedItems, Encoder, Progress

__all__ = ["FeatureCache", "content_digest", "encode_items"]

_FORMAT = "features/1"


class FeatureCache:
    """A folder with one safetensors file per list of items and encoder.

    Parameters
    ----------
    folder : Path
        Made when the first result is stored.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def path(self, content: str, fingerprint: str) -> Path:
        """Name the file of one result.

        Parameters
        ----------
        content : str
            Digest of the items.
        fingerprint : str
            Of the encoder.

        Returns
        -------
        Path
            Whether or not the file exists.
        """
        key = hashlib.sha256(f"{_FORMAT}\0{content}\0{fingerprint}".encode()).hexdigest()
        return self.folder / f"{key}.safetensors"

    def load(self, content: str, fingerprint: str) -> EncodedItems | None:
        """Read a stored result.

        Parameters
        ----------
        content : str
            Digest of the items.
        fingerprint : str
            Of the encoder.

        Returns
        -------
        EncodedItems or None
            None when there is none, or none that can be read (then with a warning).
        """
        path = self.path(content, fingerprint)
        if not path.is_file():
            return None
        try:
            return _read(path)
        except Exception as error:  # whatever is wrong with the file, the features can be computed again
            warnings.warn(f"The stored features {path.name} are unreadable, so computed again: {error}", stacklevel=2)
            return None

    def store(self, content: str, fingerprint: str, encoded: EncodedItems) -> None:
        """Write a result so that a reader sees all of it or nothing.

        Parameters
        ----------
        content : str
            Digest of the items.
        fingerprint : str
            Of the encoder.
        encoded : EncodedItems
            With `features` of shape (n_kept, d).

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        from safetensors.numpy import save

        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = {"features": np.ascontiguousarray(encoded.features), "kept": encoded.kept}
        blob = save(arrays, metadata={"problems": json.dumps(encoded.problems)})
        _write_atomically(self.path(content, fingerprint), blob)


def _read(path: Path) -> EncodedItems:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as stored:
        features, kept = stored.get_tensor("features"), stored.get_tensor("kept")
        problems = tuple((int(i), str(why)) for i, why in json.loads(stored.metadata()["problems"]))
    if features.dtype != np.float32 or features.ndim != 2 or kept.shape != features.shape[:1]:
        raise ValueError("its arrays do not fit together")
    return EncodedItems(features, kept, problems)


def _write_atomically(path: Path, blob: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(blob)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def content_digest(items: Any, kind: str) -> str:
    """Digest what the items hold, in their order; names of files do not matter.

    Parameters
    ----------
    items : sequence or ndarray of shape (n, k)
        As the encoder gets them.
    kind : {"picture", "text", "sound", "numbers", "vectors"}
        For pictures and sounds the bytes of the files count.

    Returns
    -------
    str
        A sha256 in hexadecimal.
    """
    digest = hashlib.sha256()
    if kind in ("numbers", "vectors"):
        array = np.ascontiguousarray(items)
        parts: Iterable = [(f"array {array.dtype.str} {array.shape}".encode(), array.tobytes())]
    elif kind == "text":
        parts = (_text_part(item) for item in items)
    else:
        parts = (_file_part(item) for item in items)
    for tag, content in parts:
        for piece in (tag, content):
            digest.update(len(piece).to_bytes(8, "little"))
            digest.update(piece)
    return digest.hexdigest()


def _text_part(item: Any) -> tuple[bytes, bytes]:
    return (b"text", item.encode("utf-8", "surrogatepass")) if isinstance(item, str) else (b"no text", b"")


def _file_part(item: Any) -> tuple[bytes, bytes]:
    if not isinstance(item, (str, Path)):
        return b"no file", b""
    try:
        with Path(item).open("rb") as stream:
            return b"file", hashlib.file_digest(stream, "sha256").digest()
    except OSError:
        return b"missing file", b""


def encode_items(
    encoder: Encoder, items: Any, cache: FeatureCache | None = None, progress: Progress | None = None
) -> EncodedItems:
    """Encode items, or take the result of an earlier run with the same items and the same encoder.

    Parameters
    ----------
    encoder : Encoder
        A loaded encoder.
    items : sequence or ndarray of shape (n, k)
        As the encoder's kind asks.
    cache : FeatureCache, optional
        Where results are kept.
    progress : callable, optional
        Called with (done, total), from (0, total) to (total, total).

    Returns
    -------
    EncodedItems
        With `features` of shape (n_kept, d).

    Raises
    ------
    EncoderError
        If the items are not of the encoder's kind.
    """
    if cache is None or not hasattr(items, "__len__") or isinstance(items, (str, bytes)):
        return encoder.encode(items, progress)
    content = content_digest(items, encoder.spec.kind)
    stored = cache.load(content, encoder.fingerprint)
    if stored is None:
        stored = encoder.encode(items, progress)
        _try_to_store(cache, content, encoder.fingerprint, stored)
    elif progress is not None:
        progress(0, len(items))
        progress(len(items), len(items))
    return stored


def _try_to_store(cache: FeatureCache, content: str, fingerprint: str, encoded: EncodedItems) -> None:
    try:
        cache.store(content, fingerprint, encoded)
    except OSError as error:  # a full disk must not cost the user the features just computed
        warnings.warn(f"The features could not be stored in {cache.folder}: {error}", stacklevel=3)
