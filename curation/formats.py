"""What can be exported, and what a new file or folder must be called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.errors import DataError

__all__ = ["FORMATS", "LINKS", "Format", "check_target", "format_of"]


@dataclass(frozen=True)
class Format:
    """A format as people see it.

    Attributes
    ----------
    title : str
    mime : str
        Media type.
    when : str
        When to take it.
    ending : str
        Of the file's name; empty for a folder.
    """

    title: str
    mime: str
    when: str
    ending: str


def _format(title: str, mime: str, when: str, ending: str) -> Format:
    return Format(title, mime, when, ending)


FORMATS = {
    "csv": _format(
        "CSV", "text/csv",
        "opens in any spreadsheet; cells that a spreadsheet would run as formulas get a leading '", ".csv",
    ),
    "parquet": _format(
        "Parquet", "application/vnd.apache.parquet", "exact and compact, for pandas, Polars, DuckDB", ".parquet",
    ),
    "jsonl": _format("JSON lines", "application/x-ndjson", "one object a line, exact", ".jsonl"),
    "txt": _format("List of identifiers", "text/plain", "one a line, to filter your own data with", ".txt"),
    "json": _format(
        "List of rows", "application/json", "identifiers with their rows in your own table, counted from 1", ".json",
    ),
    "npz": _format(
        "NumPy arrays", "application/octet-stream",
        "identifiers, labels and all scores as arrays; features on request", ".npz",
    ),
    "pt": _format(
        "Tensors of LSMI", "application/octet-stream",
        "features and targets as the published LSMI code reads them, with the scores beside them", ".pt",
    ),
    "zip": _format(
        "ZIP with media", "application/zip",
        "media and texts with their scores, as Hugging Face datasets open them once unpacked", ".zip",
    ),
    "folder": _format("Folder with media", "", "what the ZIP holds, as a folder; files can be linked", ""),
}  # fmt: skip
"""Every format by its name."""

LINKS = ("copies", "hard", "symbolic", "paths")
"""How a folder gets its media: copied, linked, or not at all but listed."""

_BY_ENDING = {told.ending: name for name, told in FORMATS.items() if told.ending}


def format_of(path: Path) -> str:
    """Return the format that a file name asks for.

    Raises
    ------
    DataError
        When the extension is none of the formats.
    """
    found = _BY_ENDING.get(Path(path).suffix.lower())
    if found is None:
        raise DataError(f"{path} should end in one of: {', '.join(_BY_ENDING)}.")
    return found


def check_target(path: Path, form: str | None = None) -> str:
    """Return the format a new file or folder will have: the one given, or that of its extension.

    Raises
    ------
    DataError
        When the extension is none of the formats or contradicts the one given, or something of that name exists.
    """
    path = Path(path)
    asked = form or format_of(path)
    said = _BY_ENDING.get(path.suffix.lower(), asked)
    if said != asked and asked != "folder":
        raise DataError(
            f"{path} would hold {FORMATS[asked].title}; let its name end in {FORMATS[asked].ending}, or ask for its "
            "format."
        )
    if path.exists():
        raise DataError(f"{path} exists already; choose another name, nothing was overwritten.")
    return asked
