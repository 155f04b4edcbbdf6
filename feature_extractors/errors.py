"""The errors of this room."""

__all__ = ["EncoderError", "HubUnreachableError"]


class EncoderError(ValueError):
    """An encoder cannot be found, loaded or used. The message says what, where, and how to mend it."""


class HubUnreachableError(EncoderError):
    """An encoder is not stored here and the hub cannot be reached; another one, or another time, may do."""
