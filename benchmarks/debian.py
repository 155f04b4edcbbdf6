"""Data that Debian packages carry, unpacked without root."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from curation.settings import home

__all__ = ["fetch_package"]


def fetch_package(package: str, folder: Path | str | None = None) -> Path:
    """Unpack a Debian package into a folder, unless it is there, and return the folder.

    Parameters
    ----------
    package : str
    folder : path, optional
        Where to keep it; named like the package, in the folder that Interplay keeps its own files in, when left out.

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
    folder = Path(folder or home() / package).absolute()
    # The archive is removed last: while it is there, unpacking was not finished.
    if not (folder / "usr").is_dir() or list(folder.glob("*.deb")):
        _unpack(package, folder)
    return folder


def _unpack(package: str, folder: Path) -> None:
    missing = [tool for tool in ("apt-get", "dpkg") if shutil.which(tool) is None]
    if missing:
        raise FileNotFoundError(
            f"This data comes from the Debian package {package}, and this machine has no {' and no '.join(missing)}: "
            f"unpack that package elsewhere and copy what is in it to {folder}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = max(folder.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg", "-x", archive.name, "."], cwd=folder, check=True)
    archive.unlink()
