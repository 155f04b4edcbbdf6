"""Finds the files that weight packages carry, and refuses any whose checksum is not the pinned one."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from feature_extractors.devices import precision
from feature_extractors.errors import EncoderError

__all__ = ["PackagedFile", "resolve_device", "surroundings", "versions"]


@dataclass(frozen=True)
class PackagedFile:
    """One file of weights inside an installed package.

    Parameters
    ----------
    requirement : str
        What pip installs, with its version.
    package : str
        Name of the import package whose folder holds the file.
    inside : str
        Path of the file inside that folder.
    sha256 : str
        Checksum of the file, in hexadecimal.
    """

    requirement: str
    package: str
    inside: str
    sha256: str

    @property
    def revision(self) -> str:
        """The pinned version together with the pinned checksum."""
        return f"{self.requirement} sha256:{self.sha256}"

    def path(self) -> Path:
        """Find the file without importing the package.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        EncoderError
            If the package is not installed or lacks the file.
        """
        found = importlib.util.find_spec(self.package)
        if found is None or not found.submodule_search_locations:
            raise EncoderError(f"The package {self.requirement} is not installed; run: pip install {self.requirement}")
        path = Path(found.submodule_search_locations[0]) / self.inside
        if not path.is_file():
            raise EncoderError(f"The package {self.package} has no file {self.inside}; {self._mend()}")
        return path

    def verified_path(self) -> Path:
        """Find the file and check that it is the pinned one.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        EncoderError
            If the file is missing or its checksum differs.
        """
        path = self.path()
        with path.open("rb") as stream:
            got = hashlib.file_digest(stream, "sha256").hexdigest()
        if got != self.sha256:
            raise EncoderError(
                f"The weights {self.inside} of {self.package} are not the pinned ones "
                f"(sha256 {got[:12]}… instead of {self.sha256[:12]}…); {self._mend()}"
            )
        return path

    def _mend(self) -> str:
        return f"reinstall it: pip install --force-reinstall --no-deps {self.requirement}"


def resolve_device(device: str) -> str:
    """Turn "auto" into the device to use.

    Parameters
    ----------
    device : str
        "auto", "cpu", "cuda", "cuda:1" and so on.

    Returns
    -------
    str
        A name that torch accepts on this machine.

    Raises
    ------
    EncoderError
        If the device is unknown or not present.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except Exception as error:  # torch raises RuntimeError, AssertionError and others for a missing device
        raise EncoderError(f"The device {device!r} is not usable on this machine; choose 'auto' or 'cpu'.") from error
    return device


def surroundings(device: str, *packages: str) -> str:
    """Name what features depend on besides weights and settings: the sort of device and the libraries at work.

    Parameters
    ----------
    device : str
        Where the network lies. Graphics cards round otherwise than processors do.
    *packages : str
        Libraries that prepare the items or run the network, as pip calls them.

    Returns
    -------
    str
        For a fingerprint.
    """
    lower = precision(device)
    place = device.partition(":")[0] + (f" in {lower}" if lower else "")
    return f"on {place} with {versions(*packages)}"


def versions(*packages: str) -> str:
    """Name the versions of libraries that features depend on.

    Parameters
    ----------
    *packages : str
        As pip calls them.

    Returns
    -------
    str
        For a fingerprint.
    """
    return " ".join(f"{name}={_version(name)}" for name in packages)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # installed by other means than pip, which tell no version
        return "unknown"
