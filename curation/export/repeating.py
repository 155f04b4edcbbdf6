"""The command line and the Python lines that make an export again."""

from __future__ import annotations

import json
import shlex

from curation.export.choices import Choice, Chosen
from curation.export.manifest import ENDING

__all__ = ["commands", "snippet"]

_LONGEST = 2_000  # characters of a recipe that are shown; a longer one is read from the manifest


def commands(chosen: Chosen, form: str, out: str, features: bool = False, links: str = "copies") -> str:
    """Return the command line that writes the same samples in the same format.

    Parameters
    ----------
    chosen : Chosen
    form : str
    out : str
        Name of the file or folder.
    features : bool
        With features of both modalities, for ``npz``.
    links : {"copies", "hard", "symbolic", "paths"}
        How a folder gets its media.

    Returns
    -------
    str
    """
    words = ["python", "cli.py", "export", str(chosen.workspace.folder), "--run", chosen.run.folder.name]
    words += ["--measure", chosen.samples.measure, *_which(chosen.choice, out), "--format", form]
    words += ["--features"] if features else []
    words += ["--links", links] if links != "copies" else []
    return shlex.join([*words, "--out", out])


def _which(choice: Choice, out: str) -> list[str]:
    node = choice.where
    if node["kind"] == "all":
        return []
    if node["kind"] == "tag":
        return ["--tag", node["tag"]]
    if node["kind"] == "named":
        return ["--selection", node["name"]]
    told = json.dumps(choice.to_json(), ensure_ascii=False)
    return ["--where", told if len(told) <= _LONGEST else f"{out}{ENDING}"]


def snippet(chosen: Chosen, form: str, out: str, features: bool = False, links: str = "copies") -> str:
    """Return the lines of Python that write the same samples in the same format; see :func:`commands`."""
    told = chosen.choice.to_json()
    told = f"{told!r}" if len(f"{told!r}") <= _LONGEST else None
    which = f"Choice.from_json({told})" if told else f"Choice.read({f'{out}{ENDING}'!r})"
    lines = [
        "from curation.export import Choice, export", "",
        f"workspace = {str(chosen.workspace.folder)!r}",
        f"choice = {which}",
        "export(",
        f"    workspace, {out!r}, {form!r}, choice, run={chosen.run.folder.name!r},",
        f"    measure={chosen.samples.measure!r}, features={features}, links={links!r},",
        ")",
    ]  # fmt: skip
    return "\n".join(lines)
