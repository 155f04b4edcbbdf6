"""The one table of encoders, and the one function that loads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from feature_extractors.audio import WHISPER, load_sound, load_whisper
from feature_extractors.contracts import Encoder, EncoderSpec, Kind
from feature_extractors.errors import EncoderError
from feature_extractors.image import EFFICIENTNET, load_efficientnet, load_picture
from feature_extractors.listed import LISTED
from feature_extractors.precomputed import AsIsEncoder
from feature_extractors.tabular import ColumnsEncoder
from feature_extractors.text import MINILM, load_minilm, load_text
from feature_extractors.video import WHEN_TO_USE, on_frames

__all__ = ["default_encoder", "list_encoders", "load_encoder"]

_Loader = Callable[[EncoderSpec, str], Encoder]

_OWN: dict[Kind, _Loader] = {
    "text": load_text,
    "picture": load_picture,
    "sound": load_sound,
    "video": on_frames(load_picture),
}
# These need no connection. The first encoder of a kind is its default.
_OFFLINE: tuple[tuple[EncoderSpec, _Loader], ...] = (
    (
        EncoderSpec(
            "minilm-l6", "text", 384, "Apache-2.0", 91, MINILM.revision, "package",
            "Short English texts such as captions and names; quick on any computer.",
            pooling="mean", unit_length=True, prefix="", max_tokens=256,
        ),
        load_minilm,
    ),
    (
        EncoderSpec(
            "efficientnet-lite0", "picture", 1280, "Apache-2.0", 18, EFFICIENTNET.revision, "package",
            "Photographs and drawings of things; quick without a graphics card.",
            pooling="mean",
        ),
        load_efficientnet,
    ),
    (
        EncoderSpec(
            "whisper-tiny", "sound", 384, "MIT", 76, WHISPER.revision, "package",
            "Speech above all, and short sounds; it learned from English speech and uses the first 30 seconds.",
            pooling="mean",
        ),
        load_whisper,
    ),
    (
        EncoderSpec(
            "columns", "numbers", None, "none needed", 0, "1", "built in",
            "Measurements in columns; gaps are filled with the median and columns are put on one scale.",
        ),
        lambda spec, device: ColumnsEncoder(spec),
    ),
    (
        EncoderSpec(
            "as-is", "vectors", None, "none needed", 0, "1", "built in",
            "Features that you have already computed with an encoder of your own.",
        ),
        lambda spec, device: AsIsEncoder(spec),
    ),
)  # fmt: skip
_ENTRIES = (*_OFFLINE, *((spec, _OWN[spec.kind]) for spec in LISTED))
# Any picture encoder also encodes videos, frame by frame.
_TABLE = (
    *_ENTRIES,
    *(
        (replace(spec, kind="video", when_to_use=WHEN_TO_USE), on_frames(load))
        for spec, load in _ENTRIES
        if spec.kind == "picture"
    ),
)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def list_encoders(kind: Kind | None = None) -> tuple[EncoderSpec, ...]:
    """List the encoders of the table. A network of two towers is there once for each kind, under one name.

    Parameters
    ----------
    kind : {"picture", "text", "sound", "video", "numbers", "vectors"}, optional
        Only those of this kind.

    Returns
    -------
    tuple of EncoderSpec
        The default of each kind comes first, and those that need no connection before those of the hub.

    Raises
    ------
    EncoderError
        If the kind is unknown.
    """
    if kind is not None:
        _check_kind(kind)
    return tuple(spec for spec, _ in _TABLE if kind in (None, spec.kind))


def default_encoder(kind: Kind) -> str:
    """Name the encoder to use when the user has not chosen.

    Parameters
    ----------
    kind : {"picture", "text", "sound", "video", "numbers", "vectors"}
        The kind of item.

    Returns
    -------
    str
        A name of the table.

    Raises
    ------
    EncoderError
        If the kind is unknown.
    """
    _check_kind(kind)
    return list_encoders(kind)[0].name


def load_encoder(name: str, kind: Kind, device: str = "auto") -> Encoder:
    """Load an encoder by its name, from a folder, or by its Hugging Face id.

    Parameters
    ----------
    name : str
        A name of the table; for text, picture, sound and video also a folder or ``org/name``. The id of a listed
        model gives that entry with its pinned revision.
    kind : {"picture", "text", "sound", "video", "numbers", "vectors"}
        The kind of item it will get.
    device : str
        "auto" takes a graphics card where there is one; else a torch device.

    Returns
    -------
    Encoder
        Ready to encode.

    Raises
    ------
    HubUnreachableError
        If it is on the hub, not stored here, and there is no connection.
    EncoderError
        If the name is unknown, of another kind, or cannot be loaded for another reason.
    """
    _check_kind(kind)
    spec, load = _found(str(name), kind)
    return load(spec, device)


def _found(name: str, kind: Kind) -> tuple[EncoderSpec, _Loader]:
    named = [entry for entry in _TABLE if entry[0].name == name]
    for spec, load in named:
        if spec.kind == kind:
            return spec, load
    if named:
        raise EncoderError(f"The encoder {name!r} is for {_kinds(named)}, not for {kind}; choose {_known(kind)}.")
    own = _own_spec(name, kind)
    listed = [entry for entry in _TABLE if own.id and (entry[0].id, entry[0].kind) == (own.id, kind)]
    return listed[0] if listed else (own, _OWN[kind])


def _check_kind(kind: str) -> None:
    kinds = get_args(Kind)
    if kind not in kinds:
        raise EncoderError(f"The kind {kind!r} is unknown; choose one of {', '.join(kinds)}.")


def _kinds(entries: Sequence[tuple[EncoderSpec, _Loader]]) -> str:
    return " and ".join(spec.kind for spec, _ in entries)


def _known(kind: Kind) -> str:
    return " or ".join(repr(spec.name) for spec in list_encoders(kind))


def _own_spec(name: str, kind: Kind) -> EncoderSpec:
    if kind in _OWN and Path(name).expanduser().is_dir():
        return EncoderSpec(name, kind, None, "see its folder", 0, "digest of the folder", "folder", "Your own model.")
    if kind in _OWN and _HUB_ID.fullmatch(name):
        return EncoderSpec(
            name, kind, None, "see its page", 0, "latest at loading", "hub", "A model of your choice.", id=name
        )
    own = ", or give an existing folder or an id of the form org/name" if kind in _OWN else ""
    raise EncoderError(f"No encoder for {kind} is called {name!r}; choose {_known(kind)}{own}.")
