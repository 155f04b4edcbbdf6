"""The door without a screen: bring pairs, score them, curate, put scores to work, export, look after a workspace."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from commands.apply import add_applying, do_apply
from commands.common import WORKSPACE, console, measure_option
from commands.curate import add_curating, do_price
from commands.export import add_exports
from commands.tags import add_tags
from curation.demos import DEMOS
from curation.errors import USER_ERRORS, DataError, StorageError, reason
from curation.plainly import one_line
from curation.settings import ApplySettings, PriceSettings, RunSettings
from curation.words import terms

if TYPE_CHECKING:
    from curation.workspace import Workspace

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
        print(f"interplay: the work stopped: {reason(error)}; mend that and start again.", file=sys.stderr)
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

    bring = commands.add_parser("import", help="bring a table or features into a workspace, without scoring them")
    _source_options(bring)
    bring.add_argument("--out", type=Path, required=True, metavar="DIR", help=WORKSPACE)
    bring.set_defaults(command=_import)

    score = commands.add_parser("score", help="score your own table or features file, or what a workspace holds")
    _source_options(score)
    score.add_argument("--encoder", action="append", default=[], metavar="NAME=ENCODER",
                       help="encoder of a modality; see the encoders command")  # fmt: skip
    _run_options(score)
    score.set_defaults(command=_score)

    add_curating(commands)
    add_applying(commands)
    add_exports(commands)
    add_tags(commands)

    check = commands.add_parser("check", help="compare every file of a workspace with what was written")
    check.add_argument("workspace", type=Path, metavar="DIR")
    check.add_argument("--repair", action="store_true", help="make a new catalogue where it is damaged")
    check.set_defaults(command=_check)

    resume = commands.add_parser("resume", help="finish the runs of a workspace that were interrupted")
    resume.add_argument("workspace", type=Path, metavar="DIR")
    resume.set_defaults(command=_resume)

    encoders = commands.add_parser("encoders", help="list the encoders")
    encoders.set_defaults(command=_encoders)

    rerun = commands.add_parser("rerun", help="repeat a run from its record")
    rerun.add_argument("record", type=Path, metavar="RUN", help="a workspace (its latest run), a run, or a run.json")
    rerun.add_argument("--out", type=Path, required=True, metavar="DIR", help=WORKSPACE)
    rerun.set_defaults(command=_rerun)
    return parser


def _source_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, metavar="TABLE", help="CSV, TSV, Parquet, JSONL, or ready-made features")
    parser.add_argument("--modality", action="append", default=[], metavar="NAME=COLUMN",
                        help="a side of the pair; give two. Several number columns: NAME=COL1,COL2")  # fmt: skip
    parser.add_argument("--label", metavar="COLUMN", help="the column with the category")
    parser.add_argument("--media", type=Path, metavar="DIR_OR_ZIP", help="where pictures, sounds and videos are")
    parser.add_argument("--link", action="store_true", help="leave these files where they are; do not copy")


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help=WORKSPACE)
    parser.add_argument("--seed", type=int, default=0, help="one seed repeats the whole run")
    parser.add_argument("--quick", action="store_true",
                        help="stop after the first map: no near-duplicates, further fits, checks and maps")  # fmt: skip
    measure_option(parser, RunSettings.redundancy, RunSettings.redundancy)


def _demo(arguments: argparse.Namespace) -> None:
    from curation.sources import demo_source

    if arguments.name not in DEMOS:
        raise DataError(f"There is no demo called '{arguments.name}'; choose one of: {', '.join(DEMOS)}.")
    _run_on(demo_source(arguments.name), {}, arguments)


def _import(arguments: argparse.Namespace) -> None:
    from curation.pipeline import import_source

    source = _source(arguments)
    with _workspace(arguments.out) as workspace, console() as progress:
        dataset, is_new = import_source(source, workspace, progress)
    known = "" if is_new else " They were in the workspace already; nothing was added."
    print(f"The samples are in {arguments.out} as data set {dataset}.{known}")


def _score(arguments: argparse.Namespace) -> None:
    source = _source(arguments)
    encoders = dict(_named(text, "--encoder NAME=ENCODER") for text in arguments.encoder)
    _run_on(source, encoders, arguments)


def _source(arguments: argparse.Namespace) -> dict:
    """Return the source record that the arguments of ``score`` or ``import`` describe."""
    from curation.importing import is_features_file
    from curation.sources import describe_table, features_source, workspace_source
    from curation.workspace import is_workspace

    if not arguments.table.exists():
        raise DataError(f"{arguments.table} does not exist; give the path of a table or a features file.")
    if is_workspace(arguments.table):
        _refuse_table_options(arguments, "is a workspace")
        return workspace_source(arguments.table)
    if is_features_file(arguments.table):
        _refuse_table_options(arguments, "holds ready-made features")
        return features_source(arguments.table)
    source = describe_table(arguments.table, arguments.modality, arguments.label, arguments.media)
    return source | ({"link": True} if arguments.link else {})


def _refuse_table_options(arguments: argparse.Namespace, why: str) -> None:
    given = [name for name in ("modality", "label", "media", "link") if getattr(arguments, name)]
    if given:
        raise DataError(f"{arguments.table} {why}; leave out --{' and --'.join(given)}.")


def _named(text: str, usage: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise DataError(f"'{text}' is not of the form {usage}.")
    return name, value


def _run_on(source: dict, encoders: dict[str, str], arguments: argparse.Namespace) -> None:
    settings = RunSettings(
        source, encoders, redundancy=arguments.measure, random_state=arguments.seed, quick=arguments.quick
    )
    _run(settings, arguments.out)


def _run(settings: RunSettings, out: Path, run_id: str | None = None, samples: dict | None = None) -> None:
    """Score, and say what was found; a refused command leaves no new folder behind."""
    from curation.encoders import encoders_told
    from curation.jobs import CatalogueProgress, job_in_this_process
    from curation.pipeline import import_source, run
    from curation.places import new_id
    from curation.progress import both
    from curation.soundness import advice

    run_id = run_id or new_id()
    with _workspace(out, run_id) as workspace, job_in_this_process(workspace, settings, run_id), console() as screen:
        progress = both(screen, CatalogueProgress(workspace, run_id))
        if samples:
            workspace.note_imported(run_id, import_source(samples, workspace, progress)[0])
        done = run(settings, workspace, run_id, progress)
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
    for note in (*encoders_told(summary["modalities"]), *summary["warnings"]):
        print(f"Note: {one_line(note)}")
    for sentence in advice(done):
        print(f"Check: {one_line(sentence)}")
    print(f"Run {run_id} is in {done.folder}: {', '.join(sorted(p.name for p in done.folder.iterdir()))}")


@contextmanager
def _workspace(folder: Path, job: str | None = None) -> Iterator[Workspace]:
    """Give the workspace of a folder; one made just now goes away when the command is refused, if it is all there."""
    from curation.workspace import is_workspace, make_workspace

    is_new, was_there = not is_workspace(folder), folder.exists()
    workspace = make_workspace(folder)
    try:
        yield workspace
    except StorageError:
        raise  # the command can be given again: what it did so far is kept
    except USER_ERRORS:
        if is_new and workspace.is_only_of(job):
            shutil.rmtree(folder, ignore_errors=True)
            if was_there:
                folder.mkdir(exist_ok=True)
        raise


def _check(arguments: argparse.Namespace) -> None:
    from curation.progress import stage_counter
    from curation.workspace import check_workspace, repair_catalogue

    if arguments.repair:
        repair_catalogue(arguments.workspace)
    with console() as progress:
        damages, n_files = check_workspace(arguments.workspace, stage_counter(progress, "Check"))
    for damage in damages:
        print(f"{damage.place}: {damage.what}. {damage.mend}")
    if damages:
        raise DataError(f"{len(damages):,} of {n_files:,} files are damaged or missing; everything else opens.")
    print(f"{n_files:,} files are as they were written.")


def _resume(arguments: argparse.Namespace) -> None:
    from curation.jobs import active_jobs, job_settings, unfinished_jobs
    from curation.workspace import open_workspace

    workspace = open_workspace(arguments.workspace)
    jobs, under_way = unfinished_jobs(workspace), active_jobs(workspace)
    for job in under_way:
        print(f"The run {job} is being worked on by another process.")
    if not (jobs or under_way):
        print("Nothing was interrupted.")
    for job in reversed(jobs):
        settings = job_settings(workspace, job)
        if isinstance(settings, PriceSettings):
            do_price(workspace, settings)
        elif isinstance(settings, ApplySettings):
            do_apply(workspace, settings)
        else:
            _run(settings, arguments.workspace, job)


def _encoders(arguments: argparse.Namespace) -> None:
    from curation.encoders import encoder_table

    print(encoder_table())


def _rerun(arguments: argparse.Namespace) -> None:
    from curation.sources import recorded_source
    from curation.workspace import open_run

    is_folder = arguments.record.is_dir()
    record = open_run(arguments.record)[1].folder / "run.json" if is_folder else arguments.record
    settings = RunSettings.read(record)
    _run(settings, arguments.out, samples=recorded_source(record, settings.source))


if __name__ == "__main__":
    sys.exit(main())
