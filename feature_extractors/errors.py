"""The one error of this room."""

__all__ = ["EncoderError"]


class EncoderError(ValueError):
    """An encoder cannot be found, loaded or used. The message says what, where, and how to mend it."""
