"""A slice of `make bench-reliability`: real processes killed at six moments end as a quiet run does."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.contents import differences
from benchmarks.killed import disturbed, undisturbed
from benchmarks.material import vectors

PLAN = [("import", 0.3), ("score", 0.3), ("map", 0.2), ("further", 0.5), ("tag", 0.3), ("export", 0.3)]


@pytest.mark.slow
def test_killed_six_times_nothing_is_lost_or_doubled(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERPLAY_HOME", str(tmp_path / "home"))
    made = vectors(tmp_path / "quiet", 24)
    expected, lasts = undisturbed(made)
    (tmp_path / "killed").mkdir()
    place = dataclasses.replace(made, folder=tmp_path / "killed" / "workspace", by="job")
    outcome = disturbed(place, lasts, expected, PLAN)
    assert outcome.wrong == [] and outcome.differ == []
    assert len(outcome.kills) >= 3, "a kill that comes too late is none; some must come in time"
    assert not any(kill.damaged for kill in outcome.kills)
    changed = expected | {"tags": [], "scores.parquet": set()}
    assert differences(expected, changed) == ["scores.parquet", "tags"], "the comparison sees what differs"
