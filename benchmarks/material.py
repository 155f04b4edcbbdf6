"""Real data for the reports on accidents: drawings with captions in a ZIP, or ready-made features."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.steps import ROOT, Place

__all__ = ["drawings", "vectors"]

QUICK = {"NUMBA_DISABLE_JIT": "1", "OMP_NUM_THREADS": "1"}  # compiling the map would take longer than drawing it


def drawings(top: Path, n: int) -> Place:
    """Return a place whose source is a table of drawings and captions."""
    makers = _makers()
    made = makers.picture_table(top, n)
    media = makers.zipped(made.media, top / "drawings.zip")
    source = (str(made.table), "--modality", "drawing=drawing", "--modality", "caption=caption",
              "--label", "category", "--media", str(media))  # fmt: skip
    return _place(top, source)


def vectors(top: Path, n: int) -> Place:
    """Return a place whose source is a file of ready-made features, which need no encoder."""
    top.mkdir(exist_ok=True)
    return _place(top, (str(_makers().features_npz(top / "pairs.npz", n)),))


def _place(top: Path, source: tuple[str, ...]) -> Place:
    alone = top / "undisturbed"
    alone.mkdir()
    env = QUICK | {"INTERPLAY_HOME": str(alone / "home")}
    return Place(alone / "workspace", source, ("row-000003", "row-000008"), env=env)


def _makers():
    sys.path.insert(0, str(ROOT / "tests"))
    import makers

    return makers
