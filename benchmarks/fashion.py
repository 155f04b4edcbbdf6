"""Fashion-MNIST in halves: real pictures, two modalities, and halves that are spoilt on purpose.

The data set (MIT) is Debian's package dataset-fashion-mnist; :func:`fetch` unpacks it without root. A picture is cut
down the middle into a left and a right half. Intact, both halves tell what garment it is; a spoilt half tells nothing
or something false, so which modality informs is known for every sample.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

__all__ = ["KINDS", "components", "fetch", "kept_at", "load_halves", "spoil", "unpack"]

PACKAGE = "dataset-fashion-mnist"
INSIDE = Path("usr/share/datasets/fashion-mnist")
HEADER = {"images": 16, "labels": 8}  # bytes before the data in an idx file
SIDE = 28
KINDS = ("swapped", "blank", "noise")


def fetch(folder: Path | str | None = None) -> Path:
    """Unpack the Debian package into a folder, unless it is there, and return the folder that holds the idx files.

    Parameters
    ----------
    folder : path, optional
        Where to keep it; ``fashion`` in the folder that Interplay keeps its own files in when left out.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError
        When the machine has no apt-get or dpkg.
    subprocess.CalledProcessError
        When the package cannot be downloaded or unpacked.
    """
    folder = Path(folder or kept_at("fashion")).absolute()
    if not _files(folder / INSIDE, "train")[1].exists():  # the last of the four to be unpacked
        unpack(PACKAGE, folder)
    return folder / INSIDE


def kept_at(name: str) -> Path:
    """Return where a benchmark keeps its material: a folder among those that Interplay keeps its own files in."""
    return Path(os.environ.get("INTERPLAY_HOME") or Path.home() / ".interplay") / name


def unpack(package: str, folder: Path) -> None:
    """Download a Debian package and unpack it into a folder, without root; raises as :func:`fetch` does."""
    missing = [tool for tool in ("apt-get", "dpkg") if shutil.which(tool) is None]
    if missing:
        raise FileNotFoundError(
            f"The data come from the Debian package {package}, and this machine has no {' and no '.join(missing)}: "
            f"unpack that package elsewhere and copy what it holds into {folder}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = max(folder.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg", "-x", archive.name, "."], cwd=folder, check=True)
    archive.unlink()


def load_halves(
    folder: Path | str, n: int | None = None, random_state: int = 0, part: str = "train"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the left and the right half of randomly chosen pictures, and what they show.

    Parameters
    ----------
    folder : path
        Holds the four idx.gz files, as :func:`fetch` returns it.
    n : int, optional
        How many pictures, drawn without replacement; all of them, shuffled, when left out.
    random_state : int
    part : {"train", "t10k"}
        60,000 or 10,000 pictures.

    Returns
    -------
    left, right : uint8 ndarray of shape (n, 392)
        28 rows of 14 grey values, 0 to 255.
    y : int64 ndarray of shape (n,)
        One of ten garments.

    Raises
    ------
    ValueError
        When more pictures are asked for than there are.
    """
    pictures, labels = (_bytes(path, kind) for path, kind in zip(_files(Path(folder), part), HEADER, strict=True))
    if n is not None and n > len(labels):
        raise ValueError(f"There are {len(labels):,} pictures in the part {part!r}. Got n={n:,} instead.")
    chosen = np.random.default_rng(random_state).permutation(len(labels))[:n]
    chosen_pictures = pictures.reshape(-1, SIDE, SIDE)[chosen]
    left, right = (half.reshape(len(chosen), -1) for half in np.split(chosen_pictures, 2, axis=2))
    return left, right, labels[chosen].astype(np.int64)


def _files(folder: Path, part: str) -> tuple[Path, Path]:
    return folder / f"{part}-images-idx3-ubyte.gz", folder / f"{part}-labels-idx1-ubyte.gz"


def _bytes(path: Path, kind: str) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=HEADER[kind])


def spoil(
    left: np.ndarray,
    right: np.ndarray,
    y: np.ndarray,
    kind: str,
    share: float = 0.2,
    seed: int = 0,
    other_label: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spoil the left half of some samples and the right half of others; never both.

    Parameters
    ----------
    left, right : uint8 ndarray of shape (n_samples, n_pixels)
    y : ndarray of shape (n_samples,)
    kind : {"swapped", "blank", "noise"}
        The half of another sample, all zeros, or every pixel uniform on 0 to 255.
    share : float
        Share of the samples whose left half is spoilt, and as many again whose right half is.
    seed : int
    other_label : bool
        Swapped halves come from a sample with another label; otherwise from any other sample.

    Returns
    -------
    left, right : ndarray of shape (n_samples, n_pixels)
        Copies.
    regime : ndarray of str, shape (n_samples,)
        "redundant" (intact), "unique1" (right spoilt: only left informs) or "unique2" (left spoilt).

    Raises
    ------
    ValueError
        When the kind is unknown, the share leaves no room for two, or a sample has no partner.
    """
    if kind not in KINDS:
        raise ValueError(f"The 'kind' parameter must be one of {', '.join(map(repr, KINDS))}. Got {kind!r} instead.")
    if not 0 <= share <= 0.5:
        raise ValueError(f"The 'share' parameter must be in the range [0, 0.5]. Got {share!r} instead.")
    rng = np.random.default_rng(seed)
    count = round(share * len(y))
    order = rng.permutation(len(y))
    rows_left, rows_right = order[:count], order[count : 2 * count]
    regime = np.full(len(y), "redundant")
    regime[rows_right], regime[rows_left] = "unique1", "unique2"
    spoilt = [half.copy() for half in (left, right)]
    for half, source, rows in zip(spoilt, (left, right), (rows_left, rows_right), strict=True):
        half[rows] = _instead(source, y, rows, kind, other_label, rng)
    return *spoilt, regime


def _instead(
    source: np.ndarray, y: np.ndarray, rows: np.ndarray, kind: str, other_label: bool, rng: np.random.Generator
) -> np.ndarray:
    """Return what the halves of these rows are replaced by, shape (n_rows, n_pixels)."""
    if kind == "swapped":
        return source[_partners(y, rows, other_label, rng)]
    shape = (len(rows), source.shape[1])
    return rng.integers(256, size=shape) if kind == "noise" else np.zeros(shape)


def _partners(y: np.ndarray, rows: np.ndarray, other_label: bool, rng: np.random.Generator) -> np.ndarray:
    """Return another sample for each row, uniform among those that may be taken: drawn again until it fits."""
    if len(rows) and len(np.unique(y) if other_label else y) < 2:
        raise ValueError(f"Swapping needs another {'label' if other_label else 'sample'}, and there is only one.")
    partners = rows.copy()
    unfit = np.ones(len(rows), dtype=bool)
    while unfit.any():
        partners[unfit] = rng.integers(len(y), size=unfit.sum())
        unfit = y[partners] == y[rows] if other_label else partners == rows
    return partners


def components(x: np.ndarray, n: int = 64) -> np.ndarray:
    """Return the scores on the first principal components, brightness scaled to 0 to 1.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_pixels)
        Grey values, 0 to 255.
    n : int
        How many, at most the smaller side of x.

    Returns
    -------
    float64 ndarray of shape (n_samples, n)
    """
    return PCA(n, svd_solver="full").fit_transform(x / 255)
