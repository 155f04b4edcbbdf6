"""The versions that results depend on, for records and manifests."""

from __future__ import annotations

import platform
from importlib.metadata import version

__all__ = ["installed_versions"]

VERSIONED = ("numpy", "scipy", "scikit-learn", "torch", "transformers", "pandas")


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of every package that scores depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONED}}
