"""Explains plainly why a model cannot be loaded."""

from __future__ import annotations

from pathlib import Path

from feature_extractors.errors import EncoderError, HubUnreachableError

__all__ = ["explained", "where"]

_Cause = tuple[tuple[str, ...], type[EncoderError], str]
_CAUSES: tuple[_Cause, ...] = (
    (("GatedRepo", "gated"), EncoderError,
     "its licence must be accepted on its page first, then log in with: hf auth login"),
    (("trust_remote_code",), EncoderError,
     "it wants to run its own code, which is never allowed here; choose another model"),
    (("RevisionNotFound",), EncoderError,
     "its pinned revision is gone from there; choose another model, or give the path of a folder that holds it"),
    (("RepositoryNotFound", "not a valid model identifier"), EncoderError,
     "there is no such model; check its spelling"),
    (("OfflineMode", "LocalEntryNotFound", "Connect", "couldn't connect", "Timeout", "offline"), HubUnreachableError,
     "there is no connection; download the model elsewhere and give the path of its folder instead"),
    (("safetensors",), EncoderError,
     "its weights are not in safetensors format; choose a model that has model.safetensors"),
    (("preprocessor_config", "feature extractor", "image processor", "okenizer"), EncoderError,
     "it has no usable input description for this kind of item; choose a model made for this kind"),
)  # fmt: skip


def where(name: str) -> str:
    """Say where a model was looked for.

    Parameters
    ----------
    name : str
        A folder, or ``org/name``.

    Returns
    -------
    str
        For a sentence.
    """
    return f"in the folder {name}" if Path(name).is_dir() else f"on the hub under {name!r}"


def explained(name: str, error: Exception) -> EncoderError:
    """Turn whatever a library raised into one sentence: what, where, and how to mend it.

    Parameters
    ----------
    name : str
        The model that was to be loaded.
    error : Exception
        What was raised.

    Returns
    -------
    EncoderError
        To be raised; HubUnreachableError where there is no connection.
    """
    text = " ".join(f"{type(e).__name__} {e}" for e in _chain(error))
    for marks, sort, sentence in _CAUSES:
        if any(mark in text for mark in marks):
            return sort(f"The encoder {where(name)} cannot be loaded: {sentence}.")
    why = f"{type(error).__name__}: {_first_line(error)}"
    return EncoderError(f"The encoder {where(name)} cannot be loaded ({why}); choose another one.")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]
