"""Kill the work at random moments, start it again, and hold the end against a run that nobody disturbed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.contents import contents, damages, differences, leftovers
from benchmarks.material import drawings
from benchmarks.report import table
from benchmarks.steps import PHASES, STEP_OF, Place, Process, start, wait_for_phase
from curation.jobs import control, job_status, resume_job, start_job
from curation.places import new_id
from curation.settings import RunSettings
from curation.sources import workspace_source
from curation.workspace import open_workspace

__all__ = ["Kill", "Outcome", "disturbed", "measure", "undisturbed"]

KILLS, A_WORKSPACE, WORKERS = 100, 7, 3
SHARES = {"import": 0.2, "encode": 0.24, "score": 0.16, "map": 0.08, "further": 0.08, "tag": 0.12, "export": 0.12}
WAYS = ("command", "job", "command", "again")


@dataclass(frozen=True)
class Kill:
    """One kill, and what was found right after it.

    Attributes
    ----------
    phase : str
        In which it was sent.
    moment : float
        Seconds after the phase had begun.
    left : int
        Unfinished files and folders that it left lying about.
    damaged : tuple of str
        What ``check`` reported; it was asked after every second kill, so that a restart also finds things untouched.
    """

    phase: str
    moment: float
    left: int
    damaged: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one workspace: its kills, what went wrong, and what differs at the end."""

    by: str
    kills: list[Kill]
    wrong: list[str]
    differ: list[str]
    kept: int


def undisturbed(place: Place) -> tuple[dict[str, object], dict[str, float]]:
    """Do all steps; return the contents, and the seconds from the beginning of each phase to that of the next."""
    begins, ends = {}, {}
    for step in dict.fromkeys(STEP_OF.values()):
        process, started = start(place, step), time.monotonic()
        phases = [phase for phase in PHASES if STEP_OF[phase] == step]
        for phase in phases:
            if wait_for_phase(place, process, phase):
                begins[phase] = time.monotonic()
            elif len(phases) == 1:  # over before it was seen, as a quick step on a busy machine may be
                begins[phase] = started
        if wrong := process.finish():
            raise RuntimeError(f"{step} does not even work undisturbed: {wrong}")
        ends[step] = time.monotonic()
    phases = [phase for phase in PHASES if phase in begins]
    until = {a: begins[b] for a, b in zip(phases, phases[1:], strict=False) if STEP_OF[a] == STEP_OF[b]}
    lasts = {phase: until.get(phase, ends[STEP_OF[phase]]) - begins[phase] for phase in phases}
    return contents(place.folder, place.export), lasts


def disturbed(
    place: Place, lasts: Mapping[str, float], expected: dict[str, object], plan: list[tuple[str, float]]
) -> Outcome:
    """Do all steps, with a kill at each planned (phase, share of its time); then compare."""
    kills, wrong, kept = [], [], 0
    for step in dict.fromkeys(STEP_OF.values()):
        for phase, share in (one for one in plan if STEP_OF[one[0]] == step):
            before, process = leftovers(place.folder), _begin(place, step)
            if _strike(place, process, phase, share * lasts[phase]):
                moment = round(share * lasts[phase], 2)
                kills.append(_found(place, process, Kill(phase, moment, -before, ()), look=len(kills) % 2 == 0))
            elif failed := process.finish():
                wrong.append(f"{step}: {failed}")
        wrong += [f"{step}: {failed}"] if (failed := _finish(place, step)) else []
        kept += _kept_features(place) if step == "score" else 0
    return Outcome(place.by, kills, wrong, differences(contents(place.folder, place.export), expected), kept)


def _begin(place: Place, step: str) -> Process:
    """Start a step, or take it up where it was left, by the way of the place."""
    if place.by != "job" or step != "score":
        return start(place, step)
    os.environ.update(place.env)
    workspace = open_workspace(place.folder)
    job = next(iter(place.interrupted()), None) or next((run.id for run in workspace.runs()), None)
    if job:
        resume_job(workspace, job)
    else:
        job = new_id()
        start_job(workspace, RunSettings(workspace_source(place.folder)), job)
    return Process(control._children[-1], partial(_told, place, job))


def _told(place: Place, job: str) -> str:
    status = job_status(open_workspace(place.folder), job)
    return "\n".join([*(stage for stage, _ in status.finished), status.stage, status.message])


def _strike(place: Place, process: Process, phase: str, moment: float) -> bool:
    if not wait_for_phase(place, process, phase):
        return False
    time.sleep(moment)
    return process.kill()


def _found(place: Place, process: Process, kill: Kill, look: bool) -> Kill:
    """Complete a kill by the phase that it really met, and by what it left."""
    said = process.said() if place.by != "job" or STEP_OF[kill.phase] != "score" else ""
    begun = [p for p, sign in PHASES.items() if sign and sign in said and STEP_OF[p] == STEP_OF[kill.phase]]
    found = damages(place.folder) if look and (place.folder / "catalogue.db").exists() else ()
    left = max(0, kill.left + leftovers(place.folder))
    return replace(kill, phase=begun[-1] if begun else kill.phase, left=left, damaged=tuple(found))


def _finish(place: Place, step: str) -> str:
    """Do what is left of a step; return what went wrong."""
    if step == "export" and place.export.exists():
        return ""  # the kill came after the file had its name: it must be whole, which the comparison tells
    process = _begin(place, step)
    return process.finish()


def _kept_features(place: Place) -> int:
    """Return how many sides were not encoded again in the last start: those that took no time worth telling."""
    said = place.log.read_text(encoding="utf-8", errors="replace") if place.by != "job" else ""
    return sum("Encode the" in line and line.endswith("done in 0.0 s") for line in said.splitlines())


def measure() -> str:
    """Kill a hundred times; return the section."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as top:
        made = drawings(Path(top), 96)
        expected, lasts = undisturbed(made)
        print({name: round(seconds, 1) for name, seconds in lasts.items()}, flush=True)
        outcomes, number = [], 0
        with ProcessPoolExecutor(WORKERS) as pool:
            while (missing := KILLS - sum(len(o.kills) for o in outcomes)) > 0:
                more = range(number, number + -(-missing // A_WORKSPACE))
                number = more.stop
                for outcome in pool.map(partial(_one, made, lasts, expected), more):
                    outcomes.append(outcome)
                    print(outcome, flush=True)
    return _section(outcomes, lasts, len(expected["media"]), time.monotonic() - began)


def _one(made: Place, lasts: Mapping[str, float], expected: dict[str, object], number: int) -> Outcome:
    rng = np.random.default_rng(number)
    plan = [(str(phase), float(rng.uniform())) for phase in rng.choice(list(SHARES), A_WORKSPACE, p=[*SHARES.values()])]
    plan.sort(key=lambda one: list(PHASES).index(one[0]))
    top = made.folder.parent.parent / f"killed-{number:02d}"
    top.mkdir()
    env = dict(made.env) | {"INTERPLAY_HOME": str(top / "home")}
    place = replace(made, folder=top / "workspace", by=WAYS[number % len(WAYS)], env=env)
    outcome = disturbed(place, lasts, expected, plan)
    if not (outcome.wrong or outcome.differ):
        shutil.rmtree(top)
    return outcome


def _section(outcomes: list[Outcome], lasts: Mapping[str, float], n_media: int, seconds: float) -> str:
    kills = [kill for outcome in outcomes for kill in outcome.kills]
    count, left = Counter(k.phase for k in kills), Counter(k.phase for k in kills if k.left)
    moments = {
        p: " ".join(f"{k.moment:.2g}" for k in sorted(kills, key=lambda k: k.moment) if k.phase == p) for p in count
    }
    rows = [(p, f"{lasts.get(p, 0):.1f}", count[p], left[p], moments.get(p, "")) for p in PHASES]
    asked = sum(len(o.kills[::2]) for o in outcomes)
    bad = [f"- {o.by}: {'; '.join([*o.wrong, *o.differ])}" for o in outcomes if o.wrong or o.differ]
    bad += [f"- after a kill in {k.phase}: {'; '.join(k.damaged)}" for k in kills if k.damaged]
    ways = Counter(outcome.by for outcome in outcomes)
    head = ("killed in", "phase lasts, s", "kills", "left unfinished files", "seconds after the phase had begun")
    return f"""
{len(kills)} times SIGKILL to the whole process group, in {len(outcomes)} workspaces of {n_media} pictures with captions
(real encoders, from a ZIP), at moments drawn evenly over each phase as measured undisturbed. Then started again: by
`cli.py resume` ({ways["command"]} workspaces), by the same command ({ways["again"]}), as a job by `resume_job`
({ways["job"]}); and killed again. Nothing is cleaned up in between.

{table(head, rows)}

At the end every workspace was held against the undisturbed one: sample identifiers, data set, the bytes of scores,
maps, near-duplicates, further fits, checks, problems and exported file, tags, media, digests listed in the
catalogue, `check`, SQLite's integrity.
**{sum(bool(o.wrong or o.differ) for o in outcomes)} of {len(outcomes)} workspaces differ.** `check` right after {asked}
of the kills reported {sum(bool(k.damaged) for k in kills)} damages. {sum(o.kept for o in outcomes)} times a side was
not encoded again because its features were whole. {seconds / 60:.0f} minutes on a busy machine.
{chr(10).join(bad)}
"""
