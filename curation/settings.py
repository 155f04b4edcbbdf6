"""Everything a run depends on, in one frozen record that both doors fill in and run.json keeps."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from curation.errors import DataError
from lsmi_core.interactions import DEFAULT_REDUNDANCY

__all__ = [
    "APPLICATIONS", "BUDGETS", "ApplySettings", "JobSettings", "PriceSettings", "RunSettings", "home", "settings_of",
]  # fmt: skip

BUDGETS = (0.9, 0.7, 0.5, 0.3, 0.1, 0.05)
"""Shares at which the price of pruning is measured unless others are asked for."""

APPLICATIONS = ("ensemble", "student1", "student2", "fusion")
"""What scores can be put to: one answer of both sides, a student of either side, a joint representation."""


def home() -> Path:
    """Return the folder that keeps runs, cached features and drawn demo pictures.

    ``INTERPLAY_HOME`` names it; otherwise it is ``.interplay`` in the user's home folder.
    """
    return Path(os.environ.get("INTERPLAY_HOME") or Path.home() / ".interplay").absolute()


@dataclass(frozen=True)
class RunSettings:
    """What to score and how. Two runs with equal settings on equal data give equal scores.

    Parameters
    ----------
    source : dict
        ``{"kind": "demo", "name": ...}``, ``{"kind": "features", "path": ...}`` or
        ``{"kind": "table", "path": ..., "media": ..., "modalities": [...], "label": ..., "identifier": ...}``.
    encoders : dict of modality name to encoder name
        Modalities that are not listed take the default encoder of their kind.
    redundancy, surprisal : str
    n_splits : int, optional
        By default chosen by the number of samples.
    random_state : int
    device : str
    quick : bool
        Stop once the scores and the first map are there: no copies, repeats and checks, no further maps.
    """

    source: dict
    encoders: dict[str, str] = field(default_factory=dict)
    redundancy: str = DEFAULT_REDUNDANCY
    surprisal: str = "task"
    n_splits: int | None = None
    random_state: int = 0
    device: str = "auto"
    quick: bool = False

    def to_json(self) -> dict:
        """Return plain data for a JSON file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object, where: str = "run.json") -> RunSettings:
        """Rebuild settings from plain data.

        Raises
        ------
        DataError
            When the data does not describe a run.
        """
        try:
            settings = cls(**data)
        except TypeError:
            settings = None
        if settings is None or not isinstance(settings.source, dict) or not isinstance(settings.encoders, dict):
            raise DataError(f"{where} does not hold the settings of a run; use one that Interplay wrote.")
        return settings

    @classmethod
    def read(cls, path: Path) -> RunSettings:
        """Read the settings from a ``run.json``.

        Raises
        ------
        DataError
            When the file is missing, is not JSON, or does not describe a run.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            settings = data["settings"]
        except FileNotFoundError:
            raise DataError(f"{path} does not exist; give the run.json of an earlier run.") from None
        except (OSError, ValueError, KeyError, TypeError):
            raise DataError(f"{path} is not a run record; give the run.json of an earlier run.") from None
        return cls.from_json(settings, str(path))


@dataclass(frozen=True)
class PriceSettings:
    """What the price of pruning is measured for, and how.

    Parameters
    ----------
    run : str
        Identifier of a run in the same workspace.
    budgets : tuple of float in (0, 1)
        Shares to keep.
    random_state : int
    """

    run: str
    budgets: tuple[float, ...] = BUDGETS
    random_state: int = 0

    def to_json(self) -> dict:
        """Return plain data for a JSON file."""
        return {"price_of": self.run, "budgets": list(self.budgets), "random_state": self.random_state}

    @classmethod
    def from_json(cls, data: dict) -> PriceSettings:
        """Rebuild settings from plain data."""
        return cls(data["price_of"], tuple(data["budgets"]), data["random_state"])


@dataclass(frozen=True)
class ApplySettings:
    """Which application the scores of a run are put to.

    Parameters
    ----------
    run : str
        Identifier of a run in the same workspace.
    what : one of :data:`APPLICATIONS`
    random_state : int
    """

    run: str
    what: str
    random_state: int = 0

    def to_json(self) -> dict:
        """Return plain data for a JSON file."""
        return {"apply": self.what, "run": self.run, "random_state": self.random_state}

    @classmethod
    def from_json(cls, data: dict) -> ApplySettings:
        """Rebuild settings from plain data."""
        return cls(data["run"], data["apply"], data["random_state"])


JobSettings = RunSettings | PriceSettings | ApplySettings


def settings_of(data: dict, where: str) -> JobSettings:
    """Return the settings of a job of any kind from plain data.

    Raises
    ------
    DataError
        When the data does not describe a job.
    """
    if "price_of" in data:
        return PriceSettings.from_json(data)
    return ApplySettings.from_json(data) if "apply" in data else RunSettings.from_json(data, where)
