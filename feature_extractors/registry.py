"""The one table of encoders, and the one function that loads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

from feature_extractors.audio import WHISPER, load_sound, load_whisper
from feature_extractors.contracts import Encoder, EncoderSpec, Kind
from feature_extractors.errors import EncoderError
from feature_extractors.image import EFFICIENTNET, load_efficientnet, load_picture
from feature_extractors.precomputed import AsIsEncoder
from feature_extractors.tabular import ColumnsEncoder
from feature_extractors.text import MINILM, load_minilm, load_text
from feature_extractors.video import WHEN_TO_USE, on_frames

__all__ = ["default_encoder", "list_encoders", "load_encoder"]

_Loader = Callable[[EncoderSpec, str], Encoder]

# The first encoder of a kind is its default.
_TABLE: tuple[tuple[EncoderSpec, _Loader], ...] = (
    (
        EncoderSpec(
            "minilm-l6", "text", 384, "Apache-2.0", 91, MINILM.revision, "package",
            "Short English texts such as captions and names; quick on any computer.",
        ),
        load_minilm,
    ),
    (
        EncoderSpec(
            "efficientnet-lite0", "picture", 1280, "Apache-2.0", 18, EFFICIENTNET.revision, "package",
            "Photographs and drawings of things; quick without a graphics card.",
        ),
        load_efficientnet,
    ),
    (
        EncoderSpec(
            "whisper-tiny", "sound", 384, "MIT", 76, WHISPER.revision, "package",
            "Speech above all, and short sounds; it learned from English speech and uses the first 30 seconds.",
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
# Any picture encoder also encodes videos, frame by frame.
_TABLE += tuple(
    (replace(spec, kind="video", when_to_use=WHEN_TO_USE), on_frames(load))
    for spec, load in _TABLE
    if spec.kind == "picture"
)
_OWN: dict[str, _Loader] = {
    "text": load_text,
    "picture": load_picture,
    "sound": load_sound,
    "video": on_frames(load_picture),
}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def list_encoders(kind: Kind | None = None) -> tuple[EncoderSpec, ...]:
    """List the encoders of the table.

    Parameters
    ----------
    kind : {"picture", "text", "sound", "video", "numbers", "vectors"}, optional
        Only those of this kind.

    Returns
    -------
    tuple of EncoderSpec
        The default of each kind comes first.

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
        A name of the table; for text, picture, sound and video also a folder or ``org/name``.
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
    EncoderError
        If the name is unknown, of another kind, or cannot be loaded.
    """
    _check_kind(kind)
    named = [(spec, load) for spec, load in _TABLE if spec.name == name]
    for spec, load in named:
        if spec.kind == kind:
            return load(spec, device)
    if named:
        raise EncoderError(f"The encoder {name!r} is for {named[0][0].kind}, not for {kind}; choose {_known(kind)}.")
    spec = _own_spec(str(name), kind)
    return _OWN[kind](spec, device)


def _check_kind(kind: str) -> None:
    kinds = get_args(Kind)
    if kind not in kinds:
        raise EncoderError(f"The kind {kind!r} is unknown; choose one of {', '.join(kinds)}.")


def _known(kind: Kind) -> str:
    return " or ".join(repr(spec.name) for spec in list_encoders(kind))


def _own_spec(name: str, kind: Kind) -> EncoderSpec:
    if kind in _OWN and Path(name).expanduser().is_dir():
        return EncoderSpec(name, kind, None, "see its folder", 0, "digest of the folder", "folder", "Your own model.")
    if kind in _OWN and _HUB_ID.fullmatch(name):
        return EncoderSpec(name, kind, None, "see its page", 0, "latest at loading", "hub", "A model of your choice.")
    own = ", or give an existing folder or an id of the form org/name" if kind in _OWN else ""
    raise EncoderError(f"No encoder for {kind} is called {name!r}; choose {_known(kind)}{own}.")
