"""The one error for data that cannot be used as it is, and the tuple of errors the two doors translate."""

from __future__ import annotations

import os

from curation.plainly import one_line
from feature_extractors.errors import EncoderError
from lsmi_core.errors import InvalidInputError

__all__ = ["USER_ERRORS", "DataError", "StorageError", "reason"]


class DataError(ValueError):
    """Something the user gave cannot be used. The message says what, where, and how to mend it."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class StorageError(DataError):
    """A disk or a folder stood in the way, not what was given: once that is mended, the same may be asked again."""


def reason(error: OSError) -> str:
    """Return why the system refused, in its own few words."""
    return os.strerror(error.errno) if error.errno else (error.strerror or str(error))


USER_ERRORS = (DataError, EncoderError, InvalidInputError)
