"""Puts the report together, and writes it to a new file."""

from __future__ import annotations

from pathlib import Path

from curation.errors import DataError, reason
from curation.exploring import Samples
from curation.report import decisions, findings
from curation.report.page import whole_page
from curation.workspace import Workspace, note_export, open_run, tags_of
from curation.workspace.files import write_atomically

__all__ = ["report_html", "write_report"]


def report_html(workspace: Workspace, samples: Samples) -> str:
    """Return the report of a run: one file that needs nothing else.

    Figures are interactive and hold a few thousand points at most, however many samples there are; pictures are small
    copies; texts stay texts. Sounds are named, not included.

    Parameters
    ----------
    workspace : Workspace
    samples : Samples
        In the measure of the report, with tags.

    Returns
    -------
    str
        HTML.
    """
    body = "".join(
        [
            findings.head(samples),
            findings.figures(samples),
            findings.examples(samples),
            findings.suspects(samples),
            decisions.choices_made(workspace, samples),
            decisions.left_out(samples),
            decisions.method(samples),
            decisions.settings(samples),
        ]
    )
    return whole_page(f"Interplay report: {samples.run.name}", body)


def write_report(workspace: Path | str, out: Path | str, run: str | None = None, measure: str | None = None) -> Path:
    """Write the report of a run of a workspace to a new file.

    Parameters
    ----------
    workspace : path
    out : path
        Ends in .html.
    run : str, optional
        By default the latest.
    measure : str, optional
        A definition of redundancy; by default the one that the run was scored with.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        When there is no such run, or the file exists or cannot be written.
    """
    out = Path(out)
    if out.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"{out} should end in .html.")
    if out.exists():
        raise DataError(f"{out} exists already; choose another name, nothing was overwritten.")
    place, scored = open_run(Path(workspace), run)
    samples = Samples(scored, measure, tags_of(place, scored.dataset))
    content = report_html(place, samples)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, content)
    except OSError as error:
        raise DataError(f"{out} cannot be written ({reason(error)}); choose another place.") from None
    note_export(place, scored.folder.name, out, len(samples))
    return out
