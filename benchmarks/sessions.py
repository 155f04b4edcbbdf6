"""Several people on one server: 20 sessions that browse, filter, export and score for ten minutes.

``python -m benchmarks.sessions`` writes the section "Sessions" of ``benchmarks/reliability.md`` (about 20 minutes).
The server is the one of ``make run``; people are signed in; each has a workspace whose every piece carries their mark.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks import browser, reliability
from benchmarks.report import table
from benchmarks.sessions_data import Owner, marked_workspace, secrets_text
from benchmarks.sessions_people import Person

__all__ = ["accounts", "gathering", "log_errors", "work_together"]

SESSIONS, SAMPLES = 20, 400
JOB_EVERY = 60  # seconds; as many as one queue on two busy cores can do
WARM, DROPPED = 120, 150  # seconds; Streamlit keeps a session for 120 s after its tab was closed
TOLD = """
{count} people, signed in, each with a workspace of {samples} marked pairs (pictures and texts): all at once they open
pages, sort, filter, click, keep partitions, download, reload, import tables and score them, with 1 to 5 s between two
actions. Identifiers, categories, texts, file names and the pictures' bytes carry the mark of their owner, and all that
arrives is searched for marks. Errors: alerts and exceptions on a page, broken connections, a page or a file that is
not what was asked for, and errors in the server's log. The warm-up is {warm} minutes of the same people with a few
jobs. "After the warm-up" and "afterwards" all have left and the server has dropped them ({dropped} s later).
Clients, server, jobs and other programs shared the cores: load {before:.1f} at the start, {behind:.1f} at the end.
""".strip()
TROUBLE = re.compile(r"^.*(?:Traceback|ERROR|Exception|Error:).*$", re.MULTILINE)


@contextmanager
def gathering(home: Path, scored: Path, count: int, n_samples: int) -> Iterator[tuple[browser.Served, list[Person]]]:
    """Serve with sign-in, and bring that many people, each with a prepared workspace.

    Parameters
    ----------
    home : pathlib.Path
        An empty folder; ``INTERPLAY_HOME`` names it.
    scored : pathlib.Path
        Folder of the run whose marked parts they get.
    count, n_samples : int
    """
    port = browser.free_port()
    secrets = home / "secrets.toml"
    secrets.write_text(secrets_text(f"http://127.0.0.1:{port}"))
    prepared = [(owner, *marked_workspace(owner, scored, n_samples)) for owner in map(Owner, range(count))]
    options = {"STREAMLIT_SECRETS_FILES": str(secrets)}
    with browser.running_server(home, home / "server.log", port=port, **options) as served:
        people = [Person(owner, served.address, workspace, run) for owner, workspace, run in prepared]
        yield served, people


def work_together(people: Sequence[Person], seconds: float, jobs: int = 0, **more: object) -> None:
    """Let everybody work at the same time, with so many jobs spread over it; return when all have left."""
    due = np.linspace(0, 0.8 * seconds, jobs, endpoint=False)
    threads = [
        threading.Thread(target=person.work, args=(seconds, list(due[i :: len(people)])), kwargs=more)
        for i, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def accounts(people: Sequence[Person]) -> dict[str, object]:
    """Return what all of them counted, added up."""
    times = np.concatenate([person.visit.times for person in people])
    names = ("jobs", "downloads", "reloads", "marks")
    return {name: sum(person.counts[name] for person in people) for name in names} | {
        "reruns": len(times),
        "median": float(np.median(times)),
        "most": float(np.quantile(times, 0.95)),
        "longest": float(times.max()),
        "foreign": [told for person in people for told in person.foreign],
        "errors": [told for person in people for told in person.errors],
    }


def log_errors(log: Path) -> list[str]:
    """Return the lines of the server's log that tell of something that went wrong."""
    return TROUBLE.findall(log.read_text(encoding="utf-8"))


def private_memory(process: int) -> int:
    """Return the bytes that only this process holds."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def _left_alone(served: browser.Served, people: Sequence[Person]) -> int:
    """Wait until the sessions are dropped, and return the memory that is left."""
    time.sleep(DROPPED)
    people[0].visit.open()  # Streamlit drops those whose time is over when the next one comes
    people[0].visit.close()
    time.sleep(5)
    return private_memory(served.process.pid)


def measure(seconds: float, count: int, scored: Path) -> str:
    """Return the section."""
    home = Path(os.environ["INTERPLAY_HOME"])
    with gathering(home, scored, count, SAMPLES) as (served, people):
        fresh = private_memory(served.process.pid)
        work_together(people, WARM, WARM // JOB_EVERY)
        level = _left_alone(served, people)
        for person in people:
            person.visit.times.clear()
            person.counts.clear()
        load = [os.getloadavg()[0]]
        work_together(people, seconds, int(seconds / JOB_EVERY))
        busy, load = private_memory(served.process.pid), [*load, os.getloadavg()[0]]
        after = _left_alone(served, people)
    found = accounts(people) | {"errors": accounts(people)["errors"] + log_errors(home / "server.log")}
    for told in (*found["foreign"][:10], *found["errors"][:10]):
        print(told, flush=True)
    memory = {"at the start": fresh, "after the warm-up": level, "at the end of the work": busy, "afterwards": after}
    return _told(found, seconds, count, memory, load)


def _told(found: dict, seconds: float, count: int, memory: dict[str, int], load: list[float]) -> str:
    rows = [
        ["sessions", count], ["minutes", f"{seconds / 60:.0f}"], ["reruns", f"{found['reruns']:,}"],
        ["jobs imported, scored and mapped in the app", found["jobs"]],
        ["downloads read to the last row", found["downloads"]], ["reloads", found["reloads"]],
        ["own marks read", f"{found['marks']:,}"], ["marks of others", len(found["foreign"])],
        ["errors", len(found["errors"])],
        ["seconds a rerun, median", f"{found['median']:.2f}"], ["seconds a rerun, 95 %", f"{found['most']:.2f}"],
        ["seconds of the longest rerun", f"{found['longest']:.2f}"],
        *([f"private memory of the server {when}, MB", round(b / 1e6)] for when, b in memory.items()),
    ]  # fmt: skip
    return f"""{table(["what", "figure"], rows)}

{TOLD.format(count=count, samples=SAMPLES, warm=f"{WARM / 60:.0f}", dropped=DROPPED, before=load[0], behind=load[1])}"""


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--run", type=Path, help="folder of a scored run to mark, instead of scoring the emoji demo")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["INTERPLAY_HOME"] = home
        scored = options.run or _demo(Path(home) / "demo")
        body = measure(60 * options.minutes, options.sessions, scored)
    reliability.write("Sessions", "python -m benchmarks.sessions", body)
    print(body)


def _demo(folder: Path) -> Path:
    from curation.pipeline import run
    from curation.settings import RunSettings
    from curation.sources import demo_source
    from curation.workspace import make_workspace

    return run(RunSettings(demo_source("emoji")), make_workspace(folder), "a" * 16).folder


if __name__ == "__main__":
    main()
