"""Text of others inside our own sentences: on one line, short, and without what a terminal would obey."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["listed", "one_line", "short"]

# Line ends of every alphabet, terminal escapes, and marks that turn the direction of writing.
_NOT_FOR_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def one_line(text: object) -> str:
    """Return text without line ends, control characters and halves of characters."""
    whole = str(text).encode("utf-8", "replace").decode("utf-8")
    return _NOT_FOR_A_LINE.sub(" ", whole)


def short(text: object, longest: int = 80) -> str:
    """Return text on one line and cut to at most ``longest`` characters."""
    line = one_line(str(text)[: 4 * longest])
    return line if len(line) <= longest and len(str(text)) <= longest else line[: longest - 1] + "…"


def listed(names: Iterable[object], most: int = 20) -> str:
    """Return "'a', 'b' and 9,998 more": enough names to find one's bearings."""
    names = list(names)
    said = ", ".join(f"'{short(name)}'" for name in names[:most])
    return said if len(names) <= most else f"{said} and {len(names) - most:,} more"
