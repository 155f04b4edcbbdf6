"""The names of a table's columns: one each, short, and not too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from curation.errors import DataError
from curation.importing.limits import MAX_COLUMNS
from curation.plainly import listed, short

__all__ = ["check_headers"]

_LONGEST = 500  # characters


def check_headers(names: Sequence[str], file_name: str) -> None:
    """Raise DataError when two columns share a name, there are too many, or a name is endless."""
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"'{file_name}' has {len(names):,} columns, more than {MAX_COLUMNS:,}; "
            "save wide features as NPZ or safetensors."
        )
    endless = next((name for name in names if len(name) > _LONGEST), "")
    if endless:
        raise DataError(
            f"'{file_name}' has a header of {len(endless):,} characters, '{short(endless, 30)}'; "
            "write short column names in the first line."
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"'{file_name}' has more than one column named {listed(repeated)}; give each column its own name."
        )
