"""Drum sounds by instrument: Debian's package hydrogen-drumkits, whose files are named after what they are."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

__all__ = ["INSIDE", "PACKAGE", "instrument", "load_drums"]

PACKAGE = "hydrogen-drumkits"
INSIDE = Path("usr/share/hydrogen/data/drumkits")
# Asked in this order: a "floortom" is a tom, a "hat-paiste" is no cymbal.
_NAMED = {
    "hi-hat": r"hat|hh|^ho_",
    "cymbal": r"crash|ride|china|splash|paiste|^cc_|^rc_|^rd|^cra_",
    "kick": r"kick|bassdrum|bd",
    "snare": r"snare|^s[dnr]_",
    "tom": r"(?<!s)tom|^f?t_|^tm",
    "percussion": r"clap|cowbell|tambourine|agogo|bongo|clave|maraca|woodblock|snap|waterglass|cajon|conga|^cb|_cb",
}
_LAYER = r"softest|hardest|soft|med|hard|[-_ .\d]"  # how hard it was struck, and which take


def instrument(name: str) -> str | None:
    """Return the instrument that a file name tells, or None."""
    return next((kind for kind, pattern in _NAMED.items() if re.search(pattern, name.lower())), None)


def load_drums(folder: Path) -> pd.DataFrame:
    """List the sounds whose name tells the instrument.

    Parameters
    ----------
    folder : path
        Holds a folder for each kit.

    Returns
    -------
    pandas.DataFrame with ``sound`` (path), ``label`` and ``drum``
        ``drum`` is the same for the takes of one drum of one kit, which differ in little but loudness.
    """
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in (".wav", ".flac", ".aiff")]
    rows = [(str(p), instrument(p.stem), f"{p.parent.name}/{re.sub(_LAYER, '', p.stem.lower())}") for p in files]
    table = pd.DataFrame(rows, columns=["sound", "label", "drum"])
    return table[table["label"].notna()].reset_index(drop=True)
