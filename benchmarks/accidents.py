"""The scenarios of `benchmarks.trouble`: each takes a place and returns rows of what was tried, said and found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.contents import contents, differences
from benchmarks.steps import ROOT, Place, start, wait_for_phase
from curation.workspace import open_run, open_workspace, tags_of

__all__ = ["clock_back", "crowd", "full_disk", "read_only"]

FREE = {
    "import": (30_000, 120_000),
    "score": (0, 240_000, 400_000),
    "tag": (0,),
    "export": (8_000,),
}
"""Bytes left free for each step. What a step needs was looked up: these let it fail early, in the middle and late."""
BLOCK = 4096
TURNED_BACK = "import os, time\nreal = time.time\ntime.time = lambda: real() - float(os.environ['CLOCK_BACK'])\n"


def full_disk(made: Place, quick: bool) -> list[dict]:
    """Let every step run into the end of the disk, then give it room."""
    stages, expected = _stages(made)
    rows = []
    for step, sizes in FREE.items():
        for free in [min(sizes)] if quick else sizes:
            with _disk(made.folder.parent.parent / f"disk-{step}-{free}") as disk:
                place = replace(made, folder=disk / "workspace")
                if step in stages:
                    shutil.copytree(stages[step], place.folder)
                rows.append(_without_room(place, step, free, expected))
    return rows


def _without_room(place: Place, step: str, free: int, expected: dict[str, object]) -> dict:
    disk, wrong = place.folder.parent, []
    before = _files(place.folder)
    _resize(disk, free)
    code, said = _cli(place, *place.command(step))
    wrong += _ill_said(code, said)
    after = _files(place.folder)
    wrong += [f"{name} is gone or changed" for name, size in before.items() if after.get(name) != size]
    if before:
        checked, told = _cli(place, "check", str(place.folder))
        wrong += [f"check on the full disk: {told}"] if checked else []
    _resize(disk, None)
    again = place.command(step)
    if code and (failed := _cli(place, *again))[0]:
        wrong.append(f"with room: {failed[1]}")
    wrong += _rest(place, step)
    differ = differences(contents(place.folder, place.export), expected)
    return _row(f"{step}, {free // 1000} kB free", said if code else "(it had room)", f"`{again[0]}`: {_equal(differ)}",
                wrong + differ)  # fmt: skip


def _stages(made: Place) -> tuple[dict[str, Path], dict[str, object]]:
    """Do the steps undisturbed; return a copy of the workspace from before each, and the contents at the end."""
    stages = {}
    for step in FREE:
        if made.folder.exists():
            stages[step] = Path(shutil.copytree(made.folder, made.folder.parent.parent / f"before-{step}"))
        _must(made, *made.command(step))
    return stages, contents(made.folder, made.export)


def _rest(place: Place, after: str) -> list[str]:
    steps = list(FREE)
    done = [(step, _cli(place, *place.command(step))) for step in steps[steps.index(after) + 1 :]]
    return [f"{step} afterwards: {said}" for step, (code, said) in done if code]


def read_only(made: Place, quick: bool) -> list[dict]:
    """Do everything in a workspace that cannot be written."""
    _, expected = _stages(made)
    with _disk(made.folder.parent.parent / "disk") as disk:
        place = replace(made, folder=Path(shutil.copytree(made.folder, disk / "workspace")))
        _mount("remount,ro", disk)
        folder, out = str(place.folder), made.folder.parent / "elsewhere.jsonl"
        rows = [_reads(place, "check", "check", folder), _reads(place, "list the tags", "tag", folder)]
        rows.append(_reads(place, "export elsewhere", "export", folder, "--format", "jsonl", "--out", str(out)))
        differ = [] if out.read_bytes() == expected["export"].replace(b"WORKSPACE", folder.encode()) else ["the file"]
        rows[-1] |= {"after": _equal(differ), "wrong": rows[-1]["wrong"] + differ}
        workspace, run = open_run(place.folder)
        differ = [] if len(run.map()) == len(run.scores) and len(tags_of(workspace, run.dataset)) == 2 else ["browsing"]
        rows.append(_row("open run, map and tags", "", _equal(differ), differ))
        rows += [_refused(place, step) for step in ("import", "score", "tag")]
        differ = differences(contents(place.folder), {k: v for k, v in expected.items() if k != "export"})
        rows.append(_row("compare all of it", "", _equal(differ), differ))
    return rows


def _reads(place: Place, what: str, *arguments: str) -> dict:
    code, said = _cli(place, *arguments)
    return _row(what, said, "done" if code == 0 else "failed", [f"exit code {code}"] if code else [])


def _refused(place: Place, step: str) -> dict:
    code, said = _cli(place, *place.command(step))
    return _row(step, said, "nothing changed", _ill_said(code, said) or ([] if code == 2 else ["was not refused"]))


def clock_back(made: Place, quick: bool) -> list[dict]:
    """Score before and after the clock goes back, and kill and resume across the change."""
    _must(made, *made.command("import"))
    score = ["score", str(made.folder), "--out", str(made.folder)]
    late = replace(made, env=dict(made.env) | _earlier(made, 86_400))
    workspace, order = open_workspace(made.folder), []
    for place in (made, late):
        said = _must(place, *score)
        order.insert(0, workspace.runs()[0].id)
    times = [run.when for run in workspace.runs()]
    wrong = [] if [run.id for run in workspace.runs()] == order and len(set(order)) == 2 else ["the order of runs"]
    wrong += ["the run opened by default"] if open_run(made.folder)[1].folder.name != order[0] else []
    wrong += [f"told: {line}" for line in said.splitlines() if "in -" in line]
    rows = [_row("score, and again with the clock a day back", f"finished {times[0] - times[1]:+.0f} s apart",
                 "the latest run is the one scored last" if not wrong else "order lost", wrong)]  # fmt: skip
    process = start(late, "score")
    wait_for_phase(late, process, "map")
    process.kill()
    code, said = _cli(replace(made, env=dict(made.env) | _earlier(made, 2 * 86_400)), "resume", str(made.folder))
    found = contents(made.folder)
    wrong = (
        [said]
        if code
        else [name for name in ("scores.parquet", "map.parquet") if len(found[name]) != 1] + found["damages"]
    )
    return [*rows, _row("killed, clock another day back, `resume`", _last(said), _equal(wrong), wrong)]


def _earlier(place: Place, seconds: int) -> dict[str, str]:
    """Return variables that let a process believe that it is earlier."""
    fake = place.folder.parent / "fake_clock"
    fake.mkdir(exist_ok=True)
    (fake / "sitecustomize.py").write_text(TURNED_BACK)
    return {"PYTHONPATH": str(fake), "CLOCK_BACK": str(seconds)}


def crowd(made: Place, quick: bool) -> list[dict]:
    """Several processes in one workspace: making it, scoring and tagging at once, and resuming the same run."""
    folder = str(made.folder)
    makers = [_begin(made, *made.command("import")) for _ in range(3)]
    wrong = [said for code, said in map(_end, makers) if code]
    wrong += [] if len(open_workspace(made.folder).datasets()) == 1 else ["not one data set"]
    rows = [_row("three processes import the same into a new folder", "", _equal(wrong), wrong)]
    _must(made, "score", folder, "--out", folder)
    scorers = [_begin(made, "score", folder, "--out", folder, "--seed", str(seed)) for seed in (0, 1)]
    samples, wanted = list(open_run(made.folder)[1].scores["sample_id"]), set()
    wrong, count = [], 0
    while count < 4 or any(scorer.poll() is None for scorer in scorers):
        code, said = _cli(made, "tag", folder, "--tag", f"round {count}", "--ids", *samples[count % 9 :: 3])
        wrong += [said] if code else []
        wanted |= {(sample, f"round {count}") for sample in samples[count % 9 :: 3]}
        count += 1
    wrong += [said for code, said in map(_end, scorers) if code]
    workspace, run = open_run(made.folder)
    kept = set(tags_of(workspace, run.dataset).itertuples(index=False, name=None))
    found = contents(made.folder)
    wrong += [] if kept == wanted else [f"{len(wanted - kept)} tags lost"]
    wrong += [] if len(workspace.runs()) == 3 and found["integrity"] == "ok" else ["the catalogue"]
    wrong += found["damages"]
    rows.append(_row(f"two score, a third tags {count} times", f"{len(kept):,} tags", _equal(wrong), wrong))
    return [*rows, _two_resume(made)]


def _two_resume(made: Place) -> dict:
    process = start(replace(made, by="again"), "score")
    wait_for_phase(made, process, "map")
    process.kill()
    before = len(open_workspace(made.folder).runs())
    said = [_end(child) for child in [_begin(made, "resume", str(made.folder)) for _ in range(2)]]
    did = [told for code, told in said if code == 0 and "samples scored" in told]
    other = [told for code, told in said if "another process" in told]
    wrong = [] if len(did) == len(other) == 1 else [f"{len(did)} did it: {said}"]
    wrong += [] if len(open_workspace(made.folder).runs()) == before and not made.interrupted() else ["its state"]
    wrong += contents(made.folder)["damages"]
    return _row("two resume the same run at once", _last("".join(other)), "one did it" if not wrong else "both", wrong)


@contextmanager
def _disk(path: Path) -> Iterator[Path]:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def _resize(disk: Path, free: int | None) -> None:
    """Leave so many bytes free, or plenty; sizes go by whole blocks."""
    told = os.statvfs(disk)
    used = (told.f_blocks - told.f_bfree) * told.f_frsize
    _mount(f"remount,size={64 << 20 if free is None else max(BLOCK, used + free // BLOCK * BLOCK)}", disk)


def _mount(options: str, disk: Path) -> None:
    subprocess.run(["mount", "-o", options, str(disk)], check=True)


def _files(folder: Path) -> dict[str, int]:
    """Return the sizes of what lies under final names; the catalogue's own files come and go."""
    places = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith((".", "catalogue")))
    return {p.relative_to(folder).as_posix(): p.stat().st_size for p in places}


def _begin(place: Place, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(ROOT / "cli.py"), *arguments], cwd=ROOT, env=os.environ | place.env,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def _end(child: subprocess.Popen) -> tuple[int, str]:
    out, err = child.communicate(timeout=600)
    return child.returncode, (err if child.returncode else out + err).strip()


def _cli(place: Place, *arguments: str) -> tuple[int, str]:
    return _end(_begin(place, *arguments))


def _must(place: Place, *arguments: str) -> str:
    code, said = _cli(place, *arguments)
    if code:
        raise RuntimeError(f"{arguments[0]} does not even work undisturbed: {said}")
    return said


def _ill_said(code: int, said: str) -> list[str]:
    """Return what is wrong with the way a command ended: with success, or with one sentence and exit code 2."""
    lines = said.splitlines()
    well = code == 0 or (code == 2 and len([x for x in lines if x.startswith("interplay: ")]) == 1 == len(lines))
    return [] if well else [f"ended with {code}: {said[-600:]}"]


def _equal(differ: list[str]) -> str:
    return "differs" if differ else "equal"


def _last(said: str) -> str:
    return said.splitlines()[-1] if said else ""


def _row(what: str, said: str, after: str, wrong: list[str]) -> dict:
    return {
        "what": what,
        "said": re.sub(r"\S*/tmp\w+/", "", _last(said)).replace("|", "/"),
        "after": after,
        "wrong": wrong,
    }
