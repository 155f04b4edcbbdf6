"""Reads texts into what every tokenizer can take, or says plainly why one cannot be used."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from feature_extractors.contracts import ItemProblem

__all__ = ["MAX_CHARACTERS", "read_text"]

MAX_CHARACTERS = 100_000  # of a text: a tokenizer would read all of a novel for its first 256 tokens
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def read_text(item: Any) -> str:
    """Return the first 100,000 characters, the same letters always written in the same way.

    Control characters become blanks: some tokenizers drop them and make one word of two. Halves of surrogate pairs
    are joined, or replaced by U+FFFD where the other half is missing; accents are put on their letters (NFC).

    Parameters
    ----------
    item : str
        A text.

    Returns
    -------
    str
        With at least one visible character.

    Raises
    ------
    ItemProblem
        If it is no text or shows nothing.
    """
    from tokenizers.normalizers import NFC  # unicodedata takes 20 seconds for 100,000 accents on one letter

    if not isinstance(item, str):
        raise ItemProblem("This row holds no text; write one, or leave the row out.")
    whole = item[:MAX_CHARACTERS].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = NFC().normalize_str(_CONTROLS.sub(" ", whole))
    if not any(map(_visible, text)):
        raise ItemProblem("This text is empty or shows nothing; write one, or leave the row out.")
    return text


def _visible(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) != "Cf"
