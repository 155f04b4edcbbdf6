"""Samples leave: as tables, lists, arrays, or with their media; each with a manifest that says how to repeat it."""

from curation.export.choices import Choice, Chosen, choose, named_choice
from curation.export.making import Made, export, make_file
from curation.export.repeating import commands, snippet
from curation.export.tables import TABLES, export_bytes
from curation.formats import FORMATS, LINKS, check_target, format_of

__all__ = [
    "FORMATS", "LINKS", "TABLES", "Choice", "Chosen", "Made", "check_target", "choose", "commands", "export",
    "export_bytes", "format_of", "make_file", "named_choice", "snippet",
]  # fmt: skip
