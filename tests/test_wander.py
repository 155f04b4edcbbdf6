"""A slice of the wandering benchmark on a real server, and that it would notice what is broken."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

from streamlit.proto.Element_pb2 import Element

from benchmarks.wander import Wanderer, wander


def test_nothing_breaks_under_somebody_without_a_plan(known_run, interplay_home, tmp_path):
    workspace = Path(shutil.copytree(known_run.folder.parent.parent, tmp_path / "known"))
    found = wander(workspace, 60, 3)
    assert found.broken == []
    assert found.counts.total() == 60 and len(found.counts) >= 5


def test_what_is_broken_is_noticed():
    """Else the walk above could not fail."""
    broken = Element()
    broken.exception.message = "This app has encountered an error."
    fake_visit = SimpleNamespace(
        elements={(0,): broken}, errors=[], page_name="explore", told=lambda: ["an error"], go=lambda page: None,
        open=lambda page: None,
    )  # fmt: skip
    wanderer = Wanderer(fake_visit, 0)
    wanderer.step()
    assert len(wanderer.broken) == 1 and "an error" in wanderer.broken[0]
    fake_visit.elements, fake_visit.errors = {}, ["the script of explore is broken"]
    wanderer.step()
    assert len(wanderer.broken) == 2 and fake_visit.errors == []
