"""The command ``tag``."""

from __future__ import annotations

import argparse
from pathlib import Path

from curation.errors import DataError

__all__ = ["add_tags"]


def add_tags(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    tag = commands.add_parser("tag", help="tag samples, or list the tags")
    tag.add_argument("run", type=Path, metavar="DIR", help="a workspace")
    tag.add_argument("--tag", metavar="NAME", help="without it, the tags are listed")
    tag.add_argument("--ids", nargs="+", default=[], metavar="SAMPLE", help="identifiers of samples")
    tag.add_argument("--of", type=Path, metavar="FILE", help="the samples of an exported file")
    tag.add_argument("--remove", action="store_true", help="take the tag away")
    tag.set_defaults(command=_tag)


def _tag(arguments: argparse.Namespace) -> None:
    from curation.workspace import open_run, tag_samples, tags_of, untag_samples

    workspace, run = open_run(arguments.run)
    if arguments.tag is None:
        for tag, count in tags_of(workspace, run.dataset)["tag"].value_counts().sort_index().items():
            print(f"{count:>7,}  {tag}")
        return
    wanted = arguments.ids + (_ids_of(arguments.of) if arguments.of else [])
    known = set(run.scores["sample_id"])
    unknown = [sample for sample in wanted if sample not in known]
    if unknown or not wanted:
        raise DataError(
            f"The run has no sample '{unknown[0]}'; give identifiers from its column sample_id."
            if unknown
            else "No sample is named; give --ids or --of."
        )
    change = untag_samples if arguments.remove else tag_samples
    changed = change(workspace, run.dataset, wanted, arguments.tag)
    print(f"{changed:,} samples {'lost' if arguments.remove else 'got'} the tag '{arguments.tag}'.")


def _ids_of(path: Path) -> list[str]:
    from curation.importing import read_table

    frame = read_table(path).frame
    if "sample_id" not in frame:
        raise DataError(f"{path} has no column sample_id; give a file that Interplay exported.")
    return frame["sample_id"].astype("str").tolist()
