"""The commands ``apply`` and ``predict``: put the scores to work, and use the model that came out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.common import console
from curation.errors import DataError
from curation.plainly import one_line
from curation.settings import APPLICATIONS

if TYPE_CHECKING:
    from curation.applying import Applied
    from curation.settings import ApplySettings
    from curation.workspace import Workspace

__all__ = ["add_applying", "do_apply"]


def add_applying(commands: argparse._SubParsersAction) -> None:
    """Add the commands to the parser."""
    apply = commands.add_parser("apply", help="put the scores to work, and say whether it helped")
    apply.add_argument("run", type=Path, metavar="DIR", help="a workspace")
    apply.add_argument("--run", dest="id", metavar="RUN", help="one of its runs (by default the latest)")
    apply.add_argument("--what", required=True, choices=APPLICATIONS,
                       help="one answer of both sides, a student of one side, or a joint representation")  # fmt: skip
    apply.add_argument("--seed", type=int, help="another seed measures and trains anew")
    apply.add_argument("--out", type=Path, metavar="FOLDER", help="where to write the trained model")
    apply.set_defaults(command=_apply)

    predict = commands.add_parser("predict", help="use a model that apply wrote on new samples")
    predict.add_argument("model", type=Path, metavar="FOLDER", help="what apply --out wrote")
    predict.add_argument("table", type=Path, metavar="TABLE", help="CSV, TSV, Parquet, JSONL, or ready-made features")
    predict.add_argument("--modality", action="append", default=[], metavar="NAME=COLUMN", help="where a side is")
    predict.add_argument("--media", type=Path, metavar="DIR_OR_ZIP", help="where pictures, sounds and videos are")
    predict.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .csv or .parquet to write")
    predict.set_defaults(command=_predict)


def _apply(arguments: argparse.Namespace) -> None:
    from curation.applying import read_applied
    from curation.applying.models import command_to_use, save_model
    from curation.jobs.apply import apply_settings
    from curation.workspace import open_run

    if arguments.out is not None and arguments.out.exists():
        raise DataError(f"{arguments.out} exists; name a folder that does not, so that nothing is overwritten.")
    workspace, run = open_run(arguments.run, arguments.id)
    settings = apply_settings(run, arguments.what, arguments.seed)
    if (run.applied(arguments.what) or {}).get("settings") != settings.to_json():
        do_apply(workspace, settings)
    applied = read_applied(run, arguments.what)
    _print(applied)
    if arguments.out is not None:
        save_model(run, applied, arguments.out)
        print(f"The model is in {arguments.out}. To use it: {command_to_use(run, applied, str(arguments.out))}")


def do_apply(workspace: Workspace, settings: ApplySettings) -> None:
    """Put a run to work, or do what is left of it, as a job that can be watched and resumed."""
    from curation.applying.work import apply
    from curation.jobs import CatalogueProgress, job_in_this_process
    from curation.jobs.apply import apply_job
    from curation.progress import both

    job = apply_job(settings.run, settings.what)
    with job_in_this_process(workspace, settings, job), console() as shown:
        apply(settings, workspace, both(shown, CatalogueProgress(workspace, job)))


def _print(applied: Applied) -> None:
    told = applied.told
    print(f"\n{one_line(applied.words.title)}, measured {told['n_repeats']} times on samples no model had seen:")
    print(f"{one_line(applied.headline)}")
    for line in applied.lines().splitlines():
        print(line[: len(line) - len(line.lstrip())] + one_line(line.strip()))
    for condition in told["conditions"]:
        table = applied.table(condition).rename(index=one_line, columns=one_line)
        print(f"\n{one_line(applied.words.conditions.get(condition, condition))}:")
        print(table.to_string(float_format="{:.3f}".format))


def _predict(arguments: argparse.Namespace) -> None:
    from curation.applying.models import load_model
    from curation.applying.predicting import predict
    from curation.workspace.files import write_atomically, write_frame

    if arguments.out.suffix not in (".csv", ".parquet"):
        raise DataError(f"{arguments.out.name} ends neither in .csv nor in .parquet; name a file that does.")
    if not arguments.table.exists():
        raise DataError(f"{arguments.table} does not exist; give the path of a table or a features file.")
    model = load_model(arguments.model)
    with console() as shown:
        frame, problems = predict(model, arguments.table, arguments.modality, arguments.media, shown)
    if arguments.out.suffix == ".csv":
        write_atomically(arguments.out, frame.to_csv(index=False))
    else:
        write_frame(frame, arguments.out)
    print(f"\n{len(frame):,} rows written to {arguments.out}.")
    if reasons := problems.reasons():
        print(f"Could not be used: {one_line(reasons)}. A row with one usable side is answered by that side, if the "
              "model can.")  # fmt: skip
