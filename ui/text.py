"""Text of users on the screen: letter by letter, whatever it holds."""

from __future__ import annotations

import re

__all__ = ["plain"]


def plain(text: object) -> str:
    """Return text that Markdown shows letter by letter: captions and labels are never markup."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>:$~&^=])", r"\\\1", str(text)).replace("\n", " ")
