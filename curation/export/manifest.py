"""The manifest: what was exported, from what, with what, and how to do it again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from curation import __version__
from curation.export.choices import Chosen
from curation.versions import installed_versions

__all__ = ["ENDING", "MANIFEST", "manifest", "manifest_text"]

MANIFEST = "manifest.json"
ENDING = f".{MANIFEST}"


def manifest(chosen: Chosen, form: str, files: list[dict], again: dict[str, str], more: dict) -> dict:
    """Return everything somebody needs who finds the files in a year.

    Parameters
    ----------
    chosen : Chosen
    form : str
        One of :data:`curation.formats.FORMATS`.
    files : list of dict
        ``name``, ``bytes`` and ``sha256`` of every file.
    again : dict
        ``command`` and ``python`` that repeat it.
    more : dict
        What only some formats have, such as the classes behind targets.

    Returns
    -------
    dict
    """
    run = chosen.run
    return {
        "interplay": __version__,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "format": form,
        "what": chosen.told,
        "recipe": chosen.choice.to_json(),
        "n_samples": len(chosen),
        "n_all": len(chosen.samples),
        "measure": chosen.samples.measure,
        "unit": "nats",
        "data": {
            "name": run.name,
            "id": run.dataset,
            "modalities": run.summary["modalities"],
            "attribution": run.summary.get("attribution", ""),
        },
        "run": {"id": run.folder.name, **run.record},
        "versions": installed_versions(),
        **more,
        "files": files,
        "again": again,
    }


def manifest_text(told: dict) -> str:
    """Return a manifest as the text of its file."""
    return json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n"
