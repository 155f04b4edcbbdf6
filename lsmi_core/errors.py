"""The one error of this room."""

__all__ = ["InvalidInputError"]


class InvalidInputError(ValueError):
    """Arrays or parameters that cannot be scored. The message says what, where, and how to mend it."""
