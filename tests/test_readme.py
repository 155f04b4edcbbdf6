"""Every command in the README runs, in the order a newcomer would type them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import makers
import pandas as pd
import pytest

from benchmarks.browser import free_port
from curation.workspace import open_run

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def clone(tmp_path) -> Path:
    """A folder that looks like a fresh clone with the environment in place, and holds the reader's own pairs."""
    for item in ROOT.iterdir():
        if item.name not in (".git", "tests"):
            (tmp_path / item.name).symlink_to(item)
    if not (tmp_path / ".venv").exists():
        (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    made = makers.picture_table(tmp_path / "made")
    made.media.rename(tmp_path / "pictures")
    table = pd.read_csv(made.table).rename(columns={"drawing": "file"})
    table.to_csv(tmp_path / "pairs.csv", index=False)
    makers.features_npz(tmp_path / "features.npz")
    return tmp_path


def test_the_readme_is_short_and_its_picture_is_there():
    assert len(README.splitlines()) <= 120
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).stat().st_size > 10_000
    for link in re.findall(r"\]\((?!https?:)(.*?)\)", README):
        assert (ROOT / link).exists(), link


@pytest.mark.slow
def test_every_command_line_runs(clone):
    (script,) = (b for b in blocks("bash") if "cli.py" in b)
    done = subprocess.run(["bash", "-euc", script], cwd=clone, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    first, again = (open_run(clone / run)[1].scores.drop(columns="item.picture") for run in ("demo-run", "again"))
    pd.testing.assert_frame_equal(first, again)
    assert len(pd.read_csv(clone / "selected.csv")) == round(0.3 * len(first))
    assert len(open_run(clone / "features-run")[1].scores) == 60
    assert len(open_run(clone / "my-run")[1].scores) == 75  # 80 rows, five of them spoilt


def test_the_python_example_prints_what_the_readme_claims():
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    done = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True)
    rows = {line.split()[0]: [float(x) for x in line.split()[2::2]] for line in done.stdout.splitlines()[:4]}
    for position, regime in enumerate(("redundant", "unique1", "unique2", "synergistic")):
        assert rows[regime].index(max(rows[regime])) == position


def test_make_run_serves_the_app_and_says_when_the_port_is_busy():
    assert "make run" in blocks("bash")[0]
    port = free_port()
    command = ["make", "--no-print-directory", "run", f"PORT={port}"]
    environment = {**os.environ, "STREAMLIT_SERVER_HEADLESS": "true"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, start_new_session=True)
    try:
        assert _healthy(port)
        busy = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert busy.returncode != 0
        assert f"Port {port} is busy" in busy.stderr
        assert f"make run PORT={port + 1}" in busy.stderr
    finally:
        os.killpg(server.pid, 15)
        server.wait(20)


def _healthy(port: int) -> bool:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            return urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).read() == b"ok"
        except OSError:
            time.sleep(0.3)
    return False


def test_make_test_is_the_gate():
    plan = subprocess.run(["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "-m pytest" in plan
    assert "make test" in (ROOT / ".ci" / "run").read_text()
