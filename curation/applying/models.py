"""A trained model to take along: arrays, settings, and a card that says what it is and what it is worth."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from curation import __version__
from curation.applying.found import Applied
from curation.errors import DataError
from curation.settings import APPLICATIONS
from curation.versions import installed_versions
from curation.workspace import ScoredRun
from curation.workspace.files import settle, unfinished_folder
from curation.workspace.runs import applied_files

__all__ = ["SavedModel", "command_to_use", "load_model", "model_files", "save_model", "zip_model"]

ARRAYS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"


@dataclass(frozen=True)
class SavedModel:
    """A model as it lies in its folder.

    Attributes
    ----------
    what : str
    arrays : dict of ndarray
    config : dict
        Of the model itself.
    modalities : list of dict
        ``name``, ``kind``, ``encoder``, ``fingerprint``, ``columns`` of both sides.
    sides : tuple of int
        Which of them the model reads.
    """

    what: str
    arrays: dict[str, np.ndarray]
    config: dict
    modalities: list[dict]
    sides: tuple[int, ...]


def model_files(run: ScoredRun, applied: Applied) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a model."""
    yield ARRAYS, (run.folder / applied_files(applied.what).arrays).read_bytes()
    yield CONFIG, (json.dumps(_config(run, applied), indent=2, ensure_ascii=False) + "\n").encode()
    yield CARD, _card(run, applied).encode()


def save_model(run: ScoredRun, applied: Applied, folder: Path) -> None:
    """Write a model into a new folder, all of it or nothing.

    Raises
    ------
    DataError
        When the folder is there already.
    """
    if folder.exists():
        raise DataError(f"{folder} exists; name a folder that does not, so that nothing is overwritten.")
    with unfinished_folder(folder.absolute().parent) as made:
        for name, content in model_files(run, applied):
            (made / name).write_bytes(content)
        settle(made, folder)


def zip_model(run: ScoredRun, applied: Applied) -> bytes:
    """Return a model as the content of a ZIP."""
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, content in model_files(run, applied):
            archive.writestr(name, content)
    return made.getvalue()


def load_model(folder: Path) -> SavedModel:
    """Read a model's folder.

    Raises
    ------
    DataError
        When it is no folder of a model, or a file of it is damaged.
    """
    try:
        told = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        arrays = load_file(folder / ARRAYS)
        model = SavedModel(told["application"], arrays, told["model"], told["modalities"], tuple(told["sides"]))
    except FileNotFoundError as error:
        missing = Path(error.filename or ARRAYS).name
        raise DataError(f"{folder} holds no model ({missing} is missing); give a folder that 'apply' wrote.") from None
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        raise DataError(f"The model in {folder} is damaged; export it again.") from None
    if model.what not in APPLICATIONS:
        raise DataError(f"The model in {folder} is of a kind that this version of Interplay does not know.")
    return model


def command_to_use(run: ScoredRun, applied: Applied, folder: str) -> str:
    """Return the command line that uses an exported model on a table."""
    modalities = _modalities(run)
    named = [
        word
        for side in applied.told["sides"]
        for word in ("--modality", f"{modalities[side]['name']}={','.join(modalities[side]['columns'] or ['COLUMN'])}")
    ]
    return f"{shlex.join(['python', 'cli.py', 'predict', folder])} TABLE {shlex.join(named)} --out predictions.csv"


def _config(run: ScoredRun, applied: Applied) -> dict:
    return {
        "interplay": __version__,
        "application": applied.what,
        "sides": applied.told["sides"],
        "modalities": _modalities(run),
        "settings": applied.told["settings"],
        "run": run.record,
        "versions": installed_versions(),
        "model": applied.told["model"],
    }


def _modalities(run: ScoredRun) -> list[dict]:
    roles = {m["name"]: m["columns"] for m in run.record["settings"]["source"].get("modalities", [])}
    return [
        {**{key: side[key] for key in ("name", "kind", "encoder")}, "fingerprint": encoder["fingerprint"],
         "columns": list(roles.get(side["name"], []))}
        for side, encoder in zip(run.summary["modalities"], run.record["encoders"], strict=True)
    ]  # fmt: skip


def _card(run: ScoredRun, applied: Applied) -> str:
    told, words = applied.told, applied.words
    sides = "\n".join(f"- {m['name']}: {m['kind']}, encoder {m['encoder']}" for m in _modalities(run))
    tables = "\n\n".join(
        f"{words.conditions.get(condition, condition)}:\n\n{_markdown(applied, condition)}"
        for condition in told["conditions"]
    )
    source = run.summary.get("attribution") or "The owner's own data."
    return f"""# {words.title}: {run.name}

{words.lead} The model {words.gives}.

## Learned from

{told["learned_from"]:,} of {told["n_samples"]:,} samples of “{run.name}”, {told["n_categories"]} categories.

{sides}

{source}

## What it is worth

{applied.headline} Measured on samples that neither models nor choices had seen, {told["n_repeats"]} repeats; the model
here then learned from all {told["learned_from"]:,}.

{applied.lines()}

In brackets: 90 % intervals over repeats.

{tables}

## Use it

    {command_to_use(run, applied, "MODEL_FOLDER")}

with Interplay {__version__}. `config.json` has everything that repeats it, seeds and versions included.

## Caveats

It knows these categories and no others, and answers for whatever it is given. It was not looked at for fairness
between groups of people.
"""


def _markdown(applied: Applied, condition: str) -> str:
    table = applied.table(condition)
    lines = [["", *table.columns], ["---"] * (1 + len(table.columns))]
    lines += [[name, *(f"{value:.3f}" for value in row)] for name, row in zip(table.index, table.values, strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
