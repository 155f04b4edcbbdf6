"""Make a table of picture, speech and text from the Tux Paint stamps, a data set the demos do not use.

The stamps (GPL-2) are Debian's package tuxpaint-stamps-default: ``apt-get download tuxpaint-stamps-default`` and
``dpkg -x tuxpaint-stamps-default_*.deb stamps-package`` need no root. Then::

    python -m benchmarks.stamps stamps-package stamps
    python cli.py score stamps/stamps.csv --modality speech=sound --modality picture=picture \
        --label category --media stamps --out stamps-run
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

PACKAGE = "tuxpaint-stamps-default"
INSIDE = Path("usr/share/tuxpaint/stamps")
LANGUAGE = "fr"
SIDE = 160


def make_table(package: Path, out: Path, languages: Sequence[str] = (LANGUAGE,)) -> pd.DataFrame:
    """Copy speech, draw or copy pictures, and write ``stamps.csv``; return its rows, one a stamp and language."""
    root = package / INSIDE
    for name in ("pictures", "sounds"):
        (out / name).mkdir(parents=True)
    sounds = [(sound, code) for code in languages for sound in sorted(root.rglob(f"*_desc_{code}.ogg"))]
    rows = [_row(root, sound, code, out) for sound, code in sounds]
    table = pd.DataFrame([row for row in rows if row])
    table.to_csv(out / "stamps.csv", index=False)
    return table


def _row(root: Path, sound: Path, language: str, out: Path) -> dict | None:
    stem = sound.name.removesuffix(f"_desc_{language}.ogg")
    drawing = next((p for p in (sound.with_name(f"{stem}.png"), sound.with_name(f"{stem}.svg")) if p.exists()), None)
    told = sound.with_name(f"{stem}.txt")
    if drawing is None or not told.exists():
        return None
    name = "-".join(sound.relative_to(root).with_name(stem).parts)
    picture = _picture(drawing, out / "pictures" / f"{name}.png")
    if picture is None:
        return None
    shutil.copy(sound, out / "sounds" / f"{name}-{language}.ogg")
    return {
        "stamp": name,
        "picture": f"pictures/{picture.name}",
        "sound": f"sounds/{name}-{language}.ogg",
        "text": told.read_text(encoding="utf-8", errors="replace").splitlines()[0],
        "category": sound.relative_to(root).parts[0],
    }


def _picture(drawing: Path, target: Path) -> Path | None:
    if drawing.suffix == ".png":
        shutil.copy(drawing, target)
        return target
    import resvg_py

    try:
        target.write_bytes(bytes(resvg_py.svg_to_bytes(svg_path=str(drawing), width=SIDE, background="#ffffff")))
    except ValueError:  # a few of the drawings are beyond this renderer
        return None
    return target


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    made = make_table(arguments.package, arguments.out)
    print(f"{len(made):,} stamps in {made['category'].nunique()} categories: {arguments.out / 'stamps.csv'}")
