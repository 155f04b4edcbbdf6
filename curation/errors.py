"""The one error for data that cannot be used as it is, and the tuple of errors the two doors translate."""

from __future__ import annotations

from curation.plainly import one_line
from feature_extractors.errors import EncoderError
from lsmi_core.errors import InvalidInputError

__all__ = ["USER_ERRORS", "DataError"]


class DataError(ValueError):
    """Something the user gave cannot be used. The message says what, where, and how to mend it."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


USER_ERRORS = (DataError, EncoderError, InvalidInputError)
