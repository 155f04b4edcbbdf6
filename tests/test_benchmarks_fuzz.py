"""The long run of the fuzzing counts what happened, crashes included, and writes only its own section."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import fuzz
from benchmarks.fuzz_readers import READERS
from benchmarks.report import write_section

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_a_short_run(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks.fuzz",
        "--reader",
        "archive",
        "--inputs",
        "30",
        "--keep",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "archive: {" in done.stdout and "0 failed" in done.stdout


def test_the_command_knows_every_reader():
    assert set(fuzz.READERS) == set(READERS)


def test_a_crash_of_a_library_is_counted_and_its_input_kept(tmp_path, monkeypatch):
    """A fake process: the first dies at its third input, the next finishes."""
    sizes = []

    def fake(*arguments: str) -> subprocess.CompletedProcess:
        size, work = int(arguments[5]), Path(arguments[7])
        sizes.append(size)
        told = min(size, 2 if len(sizes) == 1 else size)
        if told < size:
            (work / "in").mkdir()
            (work / "in" / "bad.zip").write_bytes(b"PK")
        lines = "".join(json.dumps({"kind": "refused", "megabytes": 3}) + "\n" for _ in range(told))
        return subprocess.CompletedProcess(arguments, -11 if told < size else 0, lines, "Segmentation fault")

    monkeypatch.setattr(fuzz, "_python", fake)
    tally = fuzz._batch("archive", 10, 0, tmp_path)
    assert (tally["refused"], tally["crash"], tally["megabytes"]) == (9, 1, 3) and sizes == [10, 7]
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("crash-archive-SIGSEGV-")
    assert {path.name for path in kept.iterdir()} == {"stderr.txt", "bad.zip"}


def test_a_section_leaves_the_others_alone(tmp_path):
    report = tmp_path / "r.md"
    write_section(report, "# R", ("Killed", "Other"), "Killed", "cmd", "killed once")
    write_section(report, "# R", ("Fuzzing",), "Fuzzing", "cmd", "a table")
    write_section(report, "# R", ("Fuzzing",), "Fuzzing", "cmd", "another table")
    text = report.read_text(encoding="utf-8")
    assert text.count("## ") == 2 and "killed once" in text and "another table" in text and "a table" not in text
