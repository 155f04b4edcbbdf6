"""The commands ``export`` and ``report``: what leaves a workspace."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.common import console, run_options
from curation.formats import FORMATS, LINKS
from curation.plainly import one_line

if TYPE_CHECKING:
    from curation.export import Choice, Made

__all__ = ["add_exports", "written"]


def add_exports(commands: argparse._SubParsersAction) -> None:
    """Add the commands to the parser."""
    export = commands.add_parser("export", help="write samples with their scores, or with their media")
    run_options(export)
    which = export.add_mutually_exclusive_group()
    which.add_argument("--selection", metavar="NAME", help="a selection that was named on the Explore page")
    which.add_argument("--tag", metavar="NAME", help="the samples with a tag")
    which.add_argument("--where", metavar="JSON", help="a selection as JSON, a file with one, or a manifest")
    export.add_argument(
        "--format", choices=tuple(FORMATS), metavar="NAME", help=f"one of: {', '.join(FORMATS)}", required=True
    )
    export.add_argument("--features", action="store_true", help="npz: the features of both sides as well")
    export.add_argument("--links", choices=LINKS, default="copies", metavar="HOW",
                        help=f"folder: what becomes of the media ({', '.join(LINKS)})")  # fmt: skip
    export.add_argument("--out", type=Path, required=True, metavar="PATH", help="a new file or folder")
    export.set_defaults(command=_export)

    report = commands.add_parser("report", help="write a report as one HTML file to pass on")
    run_options(report)
    report.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new .html file")
    report.set_defaults(command=_report)


def _export(arguments: argparse.Namespace) -> None:
    made = written(arguments, _choice(arguments), arguments.format, arguments.out)
    inside = made.manifest_path is None
    print(f"{made.n_samples:,} samples written to {arguments.out}, {'with' if inside else 'and'} a manifest "
          f"{'in it' if inside else made.manifest_path}")  # fmt: skip
    if len(made.gone):
        print(f"Note: {len(made.gone):,} files are not where they were, so their samples were left out; the first is "
              f"{one_line(made.gone['path'].iloc[0])}. The manifest lists all.")  # fmt: skip


def written(arguments: argparse.Namespace, choice: Choice, form: str, out: Path) -> Made:
    """Write samples to a new file or folder, with progress."""
    from curation.export import export

    options = {name: getattr(arguments, name) for name in ("features", "links") if hasattr(arguments, name)}
    with console() as progress:
        return export(
            arguments.run, out, form, choice, run=arguments.id, measure=arguments.measure, progress=progress, **options
        )


def _choice(arguments: argparse.Namespace) -> Choice:
    from curation.export import Choice, named_choice
    from curation.workspace import open_run

    if arguments.selection is not None:
        return named_choice(*open_run(arguments.run, arguments.id), arguments.selection)
    if arguments.tag is not None:
        return Choice({"kind": "tag", "tag": arguments.tag})
    return Choice() if arguments.where is None else Choice.read(arguments.where)


def _report(arguments: argparse.Namespace) -> None:
    from curation.report import write_report

    out = write_report(arguments.run, arguments.out, arguments.id, arguments.measure)
    print(f"The report is in {out} ({out.stat().st_size / 1e6:.1f} MB); it opens in any browser, without a network.")
