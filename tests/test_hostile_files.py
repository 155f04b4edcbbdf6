"""Every file of the hostile corpus, read in a process with limits: refused or handled, and nothing else happens."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import CASES, SENTINEL, Case

ROOT = Path(__file__).resolve().parent.parent
READERS = sorted({case.reader for case in CASES})
BY_READER = {reader: [case for case in CASES if case.reader == reader] for reader in READERS}

pytestmark = pytest.mark.usefixtures("linux")


def snapshot(folder: Path) -> dict[str, str]:
    """Everything below a folder, by content; the large files by size."""
    found = {}
    for path in sorted(folder.rglob("*")):
        size = path.stat().st_size if path.is_file() else 0
        small = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and size < 1 << 20 else ""
        found[str(path.relative_to(folder))] = f"{path.stat().st_mode} {size} {small}"
    return found


@pytest.fixture(scope="module", params=READERS)
def readings(request, tmp_path_factory) -> dict[str, dict]:
    """What became of every case of one reader, by name."""
    return read_all(request.param, tmp_path_factory.mktemp("hostile"))


def read_all(reader: str, root: Path) -> dict[str, dict]:
    corpus, out = root / reader / "corpus", root / reader / "out"
    wanted = [written(case, corpus, out) for case in BY_READER[reader]]
    before = snapshot(corpus)
    lines = "".join(json.dumps(case) + "\n" for case in wanted)
    done = _python("-X", "faulthandler", "-m", "hostile.child", reader, root / reader / "warm", input=lines, cwd=root)
    answers = {told["name"]: told for told in map(json.loads, done.stdout.splitlines())}
    assert len(answers) == len(wanted) and done.returncode == 0, f"after {list(answers)[-1:]}: {done.stderr[-2000:]}"
    assert done.stderr == "", f"a library talked to the user: {done.stderr[:2000]}"
    assert snapshot(corpus) == before, "something was changed beside the files that were read"
    assert not list(root.rglob(SENTINEL)), "code from a file was run"
    assert {path.name for path in (root / reader).iterdir()} == {"corpus", "out", "warm"}
    return answers


def written(case: Case, corpus: Path, out: Path) -> dict:
    folder = corpus / case.name
    folder.mkdir(parents=True)
    (out / case.name).mkdir(parents=True)
    path = case.make(folder)
    return {"name": case.name, "reader": case.reader, "path": str(path), "out": str(out / case.name)}


def test_hostile_files(readings, subtests):
    for name, told in readings.items():
        with subtests.test(name):
            check(next(case for case in CASES if case.name == name), told)


def check(case: Case, told: dict) -> None:
    assert told["outcome"] == case.outcome, told
    assert re.search(case.said, told["told"]), told["told"]
    assert told["tried"] == [], "no network, no other program, no writing outside"
    assert told["kilobytes"] < case.megabytes * 1024, told


def test_the_trap_springs(tmp_path):
    """Read carelessly, the same file would run a command; the watch sees it and lets nothing happen."""
    (tmp_path / "in").mkdir()
    evil = next(case for case in CASES if case.name == "pickle_named_npz-features").make(tmp_path / "in")
    careless = (
        "import pickle, sys; from pathlib import Path; from hostile.child import Watch\n"
        "watch = Watch(); watch.on = sys.argv[2] == 'watched'; sys.addaudithook(watch)\n"
        "try: pickle.loads(Path(sys.argv[1]).read_bytes())\n"
        "except PermissionError: print(watch.seen)"
    )
    for watched in ("watched", "unwatched"):
        done = _python("-c", careless, evil, watched)
        assert ("pickle.find_class" in done.stdout) == (watched == "watched"), done.stderr
        assert (tmp_path / SENTINEL).exists() == (watched == "unwatched")


def _python(*arguments: object, **more: object) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, **more)


def test_the_corpus_covers_every_reader():
    from benchmarks import fuzz_readers

    assert set(READERS) == set(fuzz_readers.READERS) - {"roles"}
    assert len({case.name for case in CASES}) == len(CASES)
