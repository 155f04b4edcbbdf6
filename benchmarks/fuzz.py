"""Thousands of spoilt files through every reader, in processes with limits.

``python -m benchmarks.fuzz`` (about ten minutes) writes the section "Fuzzing" of ``benchmarks/reliability.md``.
``python -m benchmarks.fuzz --inputs 500 --reader picture --keep DIR`` tries some and keeps what failed.
``python -m benchmarks.fuzz --atheris --reader archive`` lets coverage guide instead; it needs
``pip install -r requirements-fuzz.txt``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from benchmarks.reliability import write
from benchmarks.report import table

BATCH = 500  # inputs of one process
READERS = ("table", "roles", "archive", "features", "picture", "sound", "video")
FOUND = """
Found on the way by these inputs and by the hostile files of `tests/hostile`, and mended, each with a test: memory that
grew with a single compressed entry, cell, repeated Parquet text or stretched tensor; a recursion without end in file
names; lists of objects or mixed types that could not be stored after the work was done, and labels in half precision
(five failures among 7,200 inputs of an earlier run); a million archive entries; names too long for the disk; warnings
that libraries print; deep pictures of one tone divided by zero; tables of 10,000 columns that took forty seconds.
"""


def main() -> None:
    """Fuzz the readers that were asked for; write the report if all were."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--reader", choices=READERS, action="append", help="all, if none is named")
    parser.add_argument("--inputs", type=int, default=2_500, help="for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that failed")
    parser.add_argument("--atheris", action="store_true", help="guided by coverage")
    asked = parser.parse_args()
    if asked.atheris and find_spec("atheris") is None:
        parser.error("atheris is not installed; run: pip install -r requirements-fuzz.txt")
    keep = asked.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    started = time.monotonic()
    tallies = {}
    for reader in asked.reader or READERS:
        tallies[reader] = guided(reader, asked, keep) if asked.atheris else drawn(reader, asked, keep)
        print(f"{reader}: {dict(tallies[reader])}", flush=True)
    if not (asked.reader or asked.atheris):
        body = _body(tallies, time.monotonic() - started)
        write("Fuzzing", f"python -m benchmarks.fuzz --inputs {asked.inputs}", body)
    failed = sum(tally["defect"] + tally["crash"] for tally in tallies.values())
    print(f"{failed} failed" + (f"; they are in {keep}" if failed else ""))
    sys.exit(failed > 0)


def drawn(reader: str, asked: argparse.Namespace, keep: Path) -> Counter:
    """Return how many inputs of a reader had which outcome; two processes at a time."""
    starts = range(0, asked.inputs, BATCH)
    sizes = [min(BATCH, asked.inputs - start) for start in starts]
    seeds = [asked.seed * 1_000_003 + start for start in starts]
    total: Counter = Counter()
    with ThreadPoolExecutor(2) as pool:
        for tally in pool.map(lambda size, seed: _batch(reader, size, seed, keep), sizes, seeds):
            most = max(total["megabytes"], tally["megabytes"])
            total.update(tally)
            total["megabytes"] = most
    return total


def _batch(reader: str, size: int, seed: int, keep: Path) -> Counter:
    """Draw inputs until there are enough, with a new process for every one that a crash took away."""
    tally: Counter = Counter()
    while size > 0:
        with tempfile.TemporaryDirectory() as work:
            arguments = map(str, [reader, size, seed, work, keep])
            done = _python("-X", "faulthandler", "-m", "benchmarks.fuzz_worker", *arguments)
            told = [json.loads(line) for line in done.stdout.splitlines()]
            tally.update(line["kind"] for line in told)
            tally["megabytes"] = max([tally["megabytes"], *(line["megabytes"] for line in told)])
            if not done.returncode:
                break
            _keep_crash(Path(work), keep, reader, done)
        tally["crash"] += 1
        size, seed = size - len(told) - 1, seed + 1
    return tally


def _python(*arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)


def _keep_crash(work: Path, keep: Path, reader: str, done: subprocess.CompletedProcess) -> None:
    """Keep the input that ended the process: it lies where it was read."""
    reason = signal.Signals(-done.returncode).name if done.returncode < 0 else f"exit {done.returncode}"
    target = keep / f"crash-{reader}-{reason}-{time.time_ns()}"
    target.mkdir(parents=True)
    (target / "stderr.txt").write_text(done.stderr, encoding="utf-8")
    for path in (work / "in").glob("*"):
        path.rename(target / path.name)


def guided(reader: str, asked: argparse.Namespace, keep: Path) -> Counter:
    """Let libFuzzer choose the inputs by the branches of Python they reach."""
    keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "benchmarks.fuzz_atheris", reader, str(asked.inputs), work, str(keep)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        tally = Counter(json.loads((Path(work) / "tally.json").read_text(encoding="utf-8")))
    if done.returncode:
        print(done.stderr[-3_000:], file=sys.stderr)
        tally["crash"] += 1
    return tally


def _body(tallies: dict[str, Counter], seconds: float) -> str:
    kinds = ("refused", "handled", "defect", "crash")
    rows = []
    for reader, tally in tallies.items():
        count = sum(tally[kind] for kind in kinds)
        rows.append([reader, f"{count:,}", *(f"{tally[kind]:,}" for kind in kinds), f"{tally['megabytes']:,} MB"])
    total = sum(tally[kind] for tally in tallies.values() for kind in kinds)
    header = ["reader", "inputs", "refused in one sentence", "handled", "other exceptions", "crashes and hangs",
              "most memory taken by one"]  # fmt: skip
    told = f"{total:,} generated inputs in {seconds / 60:.0f} minutes."
    return f"{told}\n\n{table(header, rows)}\n\n{FOUND.strip()}"


if __name__ == "__main__":
    main()
