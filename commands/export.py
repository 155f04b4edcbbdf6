"""The commands ``partition``, ``export`` and ``report``: what leaves a workspace."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.common import console, run_options
from curation.errors import DataError
from curation.formats import FORMATS, LINKS
from curation.plainly import one_line

if TYPE_CHECKING:
    from curation.export import Choice, Made

__all__ = ["add_exports"]


def add_exports(commands: argparse._SubParsersAction) -> None:
    """Add the commands to the parser."""
    partition = commands.add_parser("partition", help="select a share of the samples by a score")
    run_options(partition)
    partition.add_argument("--by", default="redundancy", help="redundancy, synergy, unique:NAME, i1, i2 or i12")
    partition.add_argument("--budget", type=float, required=True, help="share to select, between 0 and 1")
    partition.add_argument("--side", choices=("high", "low"), default="high", help="which end of the ranking")
    partition.add_argument("--balanced", action="store_true", help="the same share of every category")
    partition.add_argument("--out", type=Path, required=True, metavar="FILE", help="the selected samples")
    partition.add_argument("--rest", type=Path, metavar="FILE", help="the other samples")
    partition.set_defaults(command=_partition)

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


def _partition(arguments: argparse.Namespace) -> None:
    from curation.export import Choice, check_target
    from curation.partitioning import partition_scores
    from curation.summary import with_measure
    from curation.words import quantity
    from curation.workspace import open_run

    _, run = open_run(arguments.run, arguments.id)
    by = quantity(arguments.by, run.modality_names)
    measure = arguments.measure or run.summary["redundancy"]
    scores = with_measure(run.scores, measure)
    split = partition_scores(scores, by, arguments.budget, arguments.side, arguments.balanced)
    recipe = {
        "by": by, "side": arguments.side, "balanced": arguments.balanced, "budget": arguments.budget,
        "measure": measure,
    }  # fmt: skip
    targets = {"selected": arguments.out} | ({"rest": arguments.rest} if arguments.rest else {})
    if arguments.rest and arguments.rest.resolve() == arguments.out.resolve():
        raise DataError(f"Both parts would go to {arguments.out}; give --out and --rest different files.")
    forms = {part: check_target(path) for part, path in targets.items()}
    for part, path in targets.items():
        _written(arguments, Choice(partition=recipe, part=part), forms[part], path)
    print(f"{split.sentence(arguments.by)}. Written to {arguments.out}")


def _export(arguments: argparse.Namespace) -> None:
    made = _written(arguments, _choice(arguments), arguments.format, arguments.out)
    inside = made.manifest_path is None
    print(f"{made.n_samples:,} samples written to {arguments.out}, {'with' if inside else 'and'} a manifest "
          f"{'in it' if inside else made.manifest_path}")  # fmt: skip
    if len(made.gone):
        print(f"Note: {len(made.gone):,} files are not where they were, so their samples were left out; the first is "
              f"{one_line(made.gone['path'].iloc[0])}. The manifest lists all.")  # fmt: skip


def _written(arguments: argparse.Namespace, choice: Choice, form: str, out: Path) -> Made:
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
