"""Text of users on the screen: letter by letter, whatever it holds."""

from __future__ import annotations

import re

from curation.plainly import one_line

__all__ = ["plain"]

# What the page turns into links, icons and arrows after Markdown is done with its backslashes: an invisible
# character (a word joiner) in between keeps it text.
_MADE_OF_TEXT = re.compile(r":(?=material/|streamlit:|//)|www(?=\.)|@|<(?=[-=])|-(?=[->])|[>~](?==)", re.IGNORECASE)


def plain(text: object) -> str:
    """Return text that Markdown shows letter by letter: captions and labels are never markup."""
    words = " ".join(one_line(text).split())  # runs of blanks could begin a block of code
    words = _MADE_OF_TEXT.sub("\\g<0>\u2060", words)
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>:$~&^=])", r"\\\1", words)
