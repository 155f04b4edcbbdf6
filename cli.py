"""The door without a screen: demo, score, partition, export, encoders, rerun."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from curation.demos import DEMOS
from curation.errors import USER_ERRORS, DataError
from curation.plainly import one_line
from curation.settings import RunSettings
from curation.words import MEASURES, terms

if TYPE_CHECKING:
    import pandas as pd

    from curation.workspace import ScoredRun

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 2 with one sentence when the input cannot be used."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        arguments.command(arguments)
    except USER_ERRORS as error:
        print(f"interplay: {' '.join(one_line(error).split())}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that went away: what was finished is whole
        print(f"interplay: the work stopped: {error.strerror or error}; mend that and start again.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interplay: stopped.", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what it cannot read."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"interplay: {' '.join(message.split())}; see {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cli.py", description="What does each modality know about the label?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="score a demo data set")
    demo.add_argument("name", nargs="?", default="emoji", metavar="NAME", help=f"one of: {', '.join(DEMOS)}")
    _run_options(demo)
    demo.set_defaults(command=_demo)

    score = commands.add_parser("score", help="score your own table or features file")
    score.add_argument("table", type=Path, metavar="TABLE", help="CSV, TSV, Parquet, JSONL, or ready-made features")
    score.add_argument("--modality", action="append", default=[], metavar="NAME=COLUMN",
                       help="a side of the pair; give two. Several number columns: NAME=COL1,COL2")  # fmt: skip
    score.add_argument("--label", metavar="COLUMN", help="the column with the category")
    score.add_argument("--media", type=Path, metavar="DIR_OR_ZIP", help="where pictures and sounds are")
    score.add_argument("--encoder", action="append", default=[], metavar="NAME=ENCODER",
                       help="encoder of a modality; see the encoders command")  # fmt: skip
    _run_options(score)
    score.set_defaults(command=_score)

    partition = commands.add_parser("partition", help="select a share of the samples by a score")
    _scored_options(partition)
    partition.add_argument("--by", default="redundancy", help="redundancy, synergy, unique:NAME, i1, i2 or i12")
    partition.add_argument("--budget", type=float, required=True, help="share to select, between 0 and 1")
    partition.add_argument("--side", choices=("high", "low"), default="high", help="which end of the ranking")
    partition.add_argument("--balanced", action="store_true", help="the same share of every category")
    partition.add_argument("--out", type=Path, required=True, metavar="FILE", help="the selected samples")
    partition.add_argument("--rest", type=Path, metavar="FILE", help="the other samples")
    partition.set_defaults(command=_partition)

    export = commands.add_parser("export", help="write all scores to one file")
    _scored_options(export)
    export.add_argument("--format", choices=("csv", "parquet", "jsonl"), required=True)
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.set_defaults(command=_export)

    encoders = commands.add_parser("encoders", help="list the encoders")
    encoders.set_defaults(command=_encoders)

    rerun = commands.add_parser("rerun", help="repeat a run from its record")
    rerun.add_argument("record", type=Path, metavar="RUN_JSON")
    rerun.add_argument("--out", type=Path, required=True, metavar="DIR")
    rerun.set_defaults(command=_rerun)
    return parser


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the results")
    parser.add_argument("--seed", type=int, default=0, help="one seed repeats the whole run")
    _measure_option(parser, RunSettings.redundancy, RunSettings.redundancy)


def _scored_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="DIR")
    _measure_option(parser, None, "the one the run was scored with")


def _measure_option(parser: argparse.ArgumentParser, default: str | None, said: str) -> None:
    known = f"{', '.join(MEASURES)} (by default {said})"
    parser.add_argument("--measure", choices=tuple(MEASURES), default=default, metavar="NAME",
                        help=f"how redundancy is defined: {known}")  # fmt: skip


def _demo(arguments: argparse.Namespace) -> None:
    from curation.sources import demo_source

    if arguments.name not in DEMOS:
        raise DataError(f"There is no demo called '{arguments.name}'; choose one of: {', '.join(DEMOS)}.")
    _run_on(demo_source(arguments.name), {}, arguments)


def _score(arguments: argparse.Namespace) -> None:
    from curation.importing import is_features_file
    from curation.sources import features_source

    if not arguments.table.exists():
        raise DataError(f"{arguments.table} does not exist; give the path of a table or a features file.")
    if is_features_file(arguments.table):
        _refuse_table_options(arguments)
        source = features_source(arguments.table)
    else:
        source = _table(arguments)
    encoders = dict(_named(text, "--encoder NAME=ENCODER") for text in arguments.encoder)
    _run_on(source, encoders, arguments)


def _refuse_table_options(arguments: argparse.Namespace) -> None:
    given = [name for name in ("modality", "label", "media") if getattr(arguments, name)]
    if given:
        raise DataError(f"{arguments.table} holds ready-made features; leave out --{' and --'.join(given)}.")


def _table(arguments: argparse.Namespace) -> dict:
    from curation.sources import describe_table

    return describe_table(arguments.table, arguments.modality, arguments.label, arguments.media)


def _named(text: str, usage: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise DataError(f"'{text}' is not of the form {usage}.")
    return name, value


def _run_on(source: dict, encoders: dict[str, str], arguments: argparse.Namespace) -> None:
    settings = RunSettings(source, encoders, redundancy=arguments.measure, random_state=arguments.seed)
    _run(settings, arguments.out)


def _run(settings: RunSettings, out: Path) -> None:
    from curation.pipeline import run
    from curation.progress import ConsoleProgress

    progress = ConsoleProgress(_screen())
    try:
        done = run(settings, out, progress)
    finally:
        progress.close()
    summary = done.summary
    print(f"\n{one_line(done.name)}: {len(done.scores):,} samples scored, {summary['n_left_out']:,} rows left out.")
    if summary["n_left_out"]:
        print(f"What was left out and why: {done.folder / 'problems.parquet'}")
    print(f"Means by the measure “{summary['redundancy']}”:")
    width = max(len(t.title) for t in terms(done.modality_names))
    for term in terms(done.modality_names):
        mean = summary["means"][term.key]
        title = one_line(term.title)
        print(f"  {title:<{width}}  {mean['mean']:7.3f} nats  (90 % interval {mean['low']:.3f} … {mean['high']:.3f})")
    print(one_line(summary["finding"]))
    for warning in summary["warnings"]:
        print(f"Note: {one_line(warning)}")
    print(f"Written to {done.folder}: scores.parquet, summary.json, run.json, map.parquet")


def _screen() -> TextIO:
    """Return where progress goes: a terminal if there is one; stderr otherwise holds nothing but errors."""
    return sys.stderr if sys.stderr.isatty() else sys.stdout


def _partition(arguments: argparse.Namespace) -> None:
    from curation.export import check_target, export_file
    from curation.partitioning import partition_scores
    from curation.words import quantity

    run, scores = _scores_of(arguments)
    by = quantity(arguments.by, run.modality_names)
    split = partition_scores(scores, by, arguments.budget, arguments.side, arguments.balanced)
    targets = [(arguments.out, split.selected)] + ([(arguments.rest, ~split.selected)] if arguments.rest else [])
    if arguments.rest and arguments.rest.resolve() == arguments.out.resolve():
        raise DataError(f"Both parts would go to {arguments.out}; give --out and --rest different files.")
    for path, _ in targets:
        check_target(path)
    for path, rows in targets:
        export_file(scores[rows], path)
    print(f"{split.sentence(arguments.by)}. Written to {arguments.out}")


def _export(arguments: argparse.Namespace) -> None:
    from curation.export import export_file

    _, scores = _scores_of(arguments)
    export_file(scores, arguments.out, arguments.format)
    print(f"{len(scores):,} samples written to {arguments.out}")


def _scores_of(arguments: argparse.Namespace) -> tuple[ScoredRun, pd.DataFrame]:
    """Return the run of the folder, and its scores by the measure asked for."""
    from curation.summary import with_measure
    from curation.workspace import load_run

    run = load_run(arguments.run)
    return run, run.scores if arguments.measure is None else with_measure(run.scores, arguments.measure)


def _encoders(arguments: argparse.Namespace) -> None:
    from curation.encoders import encoder_table

    print(encoder_table())


def _rerun(arguments: argparse.Namespace) -> None:
    _run(RunSettings.read(arguments.record), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
