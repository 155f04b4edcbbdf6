"""What a user installs: pinned, and not below the versions that are known to be needed."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"torch": "2.11", "streamlit": "1.61", "starlette": "1.1.0", "pyarrow": "14.0.1"}


def pinned(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return {requirement.name.lower(): requirement for requirement in found}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_everything_is_pinned_to_compatible_releases(name):
    for requirement in pinned(name).values():
        assert re.fullmatch(r"(~=\d+(\.\d+)+|==\d+(\.\d+)+)", str(requirement.specifier)), requirement
        assert requirement.specifier.contains(version(requirement.name).split("+")[0]), requirement


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_floors_hold_for_the_list_and_for_what_is_installed(name, floor):
    (specifier,) = pinned("requirements.txt")[name].specifier
    assert Version(specifier.version) >= Version(floor)
    assert Version(version(name)) >= Version(floor)


def test_no_page_reports_on_its_visitors():
    from streamlit import config

    assert config.get_option("browser.gatherUsageStats") is False
    assert config.get_option("server.enableXsrfProtection") is True
    assert config.get_option("server.address") == "127.0.0.1"
