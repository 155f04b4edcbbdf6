"""Marked data: everything of one session's workspace carries that session's mark, so that a stray piece is seen."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from curation.places import known_workspace, new_id, new_workspace
from curation.workspace import ScoredRun, add_later, add_run, load_run

__all__ = ["MARK", "Owner", "marked_table", "marked_workspace", "secrets_text"]

MARK = re.compile(rb"s(\d\d)\\{0,2}-[a-z0-9]")  # Markdown escapes the hyphen, JSON escapes the backslash
ISSUER = "https://id.example"
COOKIE_SECRET = "a-secret-of-this-measurement-only-0123456789"


@dataclass(frozen=True)
class Owner:
    """One person of the trial, signed in, with a workspace of their own.

    Attributes
    ----------
    number : int
    """

    number: int

    @property
    def mark(self) -> str:
        """What everything of theirs begins with."""
        return f"s{self.number:02d}-"

    @property
    def key(self) -> str:
        """How the app names them."""
        return f"{ISSUER}#{self.number}"

    def cookies(self, address: str) -> dict[str, str]:
        """Return the cookie that the server itself would have set after the sign-in."""
        told = {
            "origin": address,
            "is_logged_in": True,
            "iss": ISSUER,
            "sub": str(self.number),
            "name": f"{self.mark}x",
        }
        signed = create_signed_value(COOKIE_SECRET, "_streamlit_user", json.dumps(told))
        return {"_streamlit_user": signed.decode()}


def secrets_text(address: str) -> str:
    """Return the server's sign-in settings; the provider is never asked."""
    return (
        f'[auth]\nredirect_uri = "{address}/oauth2callback"\ncookie_secret = "{COOKIE_SECRET}"\nclient_id = "trial"\n'
        f'client_secret = "trial"\nserver_metadata_url = "{ISSUER}/.well-known/openid-configuration"\n'
    )


def marked_workspace(owner: Owner, scored: Path, n_samples: int) -> tuple[str, str]:
    """Make a workspace with a marked part of a scored run, its own part for every owner.

    Parameters
    ----------
    owner : Owner
    scored : pathlib.Path
        Folder of a run.
    n_samples : int
        At most; identifiers, categories, texts and the pictures' bytes are marked.

    Returns
    -------
    workspace, run : str
        Identifiers.
    """
    identifier, run_id = new_workspace(owner.key), new_id()
    workspace = known_workspace(identifier, owner.key)
    run = load_run(scored)
    n_samples = min(n_samples, len(run.scores))
    rows = np.sort(np.random.default_rng(owner.number).permutation(len(run.scores))[:n_samples])
    scores = _marked(run, rows, owner.mark, workspace.folder / "media")
    problems = run.problems.iloc[:0]
    kept = add_run(workspace, run_id, scores, run.summary | {"name": f"{owner.mark}pairs"}, run.record, problems)
    places = run.map().set_index("sample_id").loc[run.scores["sample_id"].iloc[rows]]
    add_later(workspace, kept, "map.parquet", places.reset_index().assign(sample_id=scores["sample_id"].to_numpy()))
    return identifier, run_id


def _marked(run: ScoredRun, rows: np.ndarray, mark: str, media: Path) -> pd.DataFrame:
    scores = run.scores.iloc[rows].reset_index(drop=True)
    ids = [f"{mark}{i:04d}" for i in range(len(rows))]
    scores = scores.assign(sample_id=ids, label=mark + scores["label"].astype("str"))
    for name, kind in run.kinds.items():
        column = f"item.{name}"
        if kind == "text":
            scores[column] = [f"{text} {i}" for text, i in zip(scores[column], ids, strict=True)]
        elif kind == "picture":
            scores[column] = [_marked_picture(Path(p), media, i) for p, i in zip(scores[column], ids, strict=True)]
    return scores


def _marked_picture(source: Path, media: Path, name: str) -> str:
    """Copy a picture with its new name written into the file, and return the place in the workspace."""
    media.mkdir(exist_ok=True)
    note = PngInfo()
    note.add_text("mark", name)
    with Image.open(source) as picture:
        picture.convert("RGBA").save(media / f"{name}.png", pnginfo=note)  # pages make JPEG of what has no transparency
    return f"{media.name}/{name}.png"


def marked_table(mark: str, n_rows: int, seed: int) -> bytes:
    """Return a CSV of plants that the app can score: a note, two numbers, a category."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(n_rows) % 2
    frame = pd.DataFrame({
        "id": [f"{mark}{i:04d}" for i in range(n_rows)],
        "note": [f"plant {mark}{i:04d} in the {('sun', 'shade')[k]}" for i, k in enumerate(kinds)],
        "height": (rng.normal(size=n_rows) + 2 * kinds).round(3),
        "width": rng.normal(size=n_rows).round(3),
        "kind": [f"{mark}{('fern', 'moss')[k]}" for k in kinds],
    })  # fmt: skip
    return frame.to_csv(index=False).encode()
