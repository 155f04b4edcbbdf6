"""Real processes: exit codes, a bar on a terminal, one line on stderr when refused."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import makers
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
UNCOMPILED = {"NUMBA_DISABLE_JIT": "1"}  # compiling the map's code takes ten seconds in every new process


def process(*arguments: object, **options: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "cli.py"), *(str(a) for a in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def on_terminal(*arguments: object, cwd: Path) -> tuple[int, str]:
    """Run a command on a pseudo-terminal and return its exit code and all it wrote."""
    ours, theirs = os.openpty()
    command = [sys.executable, str(ROOT / "cli.py"), *(str(a) for a in arguments)]
    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=os.environ | UNCOMPILED)
    os.close(theirs)
    pieces: list[bytes] = []

    def listen() -> None:
        try:
            while piece := os.read(ours, 4096):
                pieces.append(piece)
        except OSError:  # Linux says so when the other end is closed
            return

    reader = threading.Thread(target=listen)
    reader.start()
    code = child.wait(timeout=120)
    reader.join(timeout=10)
    os.close(ours)
    return code, b"".join(pieces).decode("utf-8")


def test_a_bar_on_a_terminal_and_a_run_from_any_folder(tmp_path):
    makers.features_npz(tmp_path / "pairs.npz", n=12)
    code, told = on_terminal("score", "pairs.npz", "--out", "run", cwd=tmp_path)
    assert code == 0
    bars = [part for part in told.split("\r") if "█" in part or "░" in part]
    assert any("Score every sample" in bar and " 0/12" in bar and "░" * 28 in bar for bar in bars)
    assert any("Score every sample" in bar and "12/12" in bar and "█" * 28 in bar for bar in bars)
    assert "Score every sample: done" not in told, "plain lines are for places without a terminal"
    assert "12 samples scored" in told
    assert len(pd.read_parquet(makers.run_folder(tmp_path / "run") / "scores.parquet")) == 12


def test_an_unfinished_bar_does_not_run_into_the_sentence(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 broken")
    code, told = on_terminal("score", "broken.npz", "--out", "run", cwd=tmp_path)
    assert code == 2
    assert [line for line in told.splitlines() if line.startswith("interplay: ")], told
    assert "Traceback" not in told


def test_a_refusal_of_a_real_process(tmp_path):
    done = process("score", tmp_path / "none.csv", "--out", tmp_path / "run", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("interplay: ")
    assert not list(tmp_path.iterdir())


def test_a_broken_file_gives_one_line_although_work_had_begun(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 broken")
    done = process("score", "broken.npz", "--out", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "broken.npz" in done.stderr


def test_encoders_without_a_terminal(tmp_path):
    done = process("encoders", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    assert "minilm-l6" in done.stdout
