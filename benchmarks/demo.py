"""Time the demo as a newcomer sees it: from the click to the first category figure, nothing cached.

``python -m benchmarks.demo`` writes ``benchmarks/demo.md``; ``--table FILE --media FILE`` takes a table of your own
through the same pages instead of the demo. ``python -m benchmarks.screens`` takes pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.browser import app_server, browser_page, executable
from curation.jobs import job_status
from curation.workspace import open_workspace

REPORT = Path(__file__).with_name("demo.md")
PATIENCE = 600_000  # ms


def click_to_figure(page: object, address: str) -> float:
    """Run the emoji demo and return the seconds from the click to the drawn fingerprint."""
    page.goto(address)
    button = page.get_by_role("button", name="Run the demo")
    button.wait_for()
    page.wait_for_timeout(2000)
    begun = time.perf_counter()
    button.click()
    page.get_by_text("What carries the category").first.wait_for(timeout=PATIENCE)
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=PATIENCE)
    return time.perf_counter() - begun


def own_table(page: object, address: str, table: Path, media: Path | None) -> float:
    """Import and score a table and return the seconds from the click on Score to the drawn fingerprint."""
    page.goto(f"{address}/import_data")
    page.get_by_text("What do you bring?").wait_for()
    page.locator("input[type=file]").first.set_input_files(table)
    page.get_by_text("What was recognised").wait_for()
    if media is not None:
        page.locator("input[type=file]").nth(1).set_input_files(media)
    page.get_by_role("button", name="Use these pairs").click(timeout=PATIENCE)
    page.get_by_role("button", name="Score the pairs").wait_for()
    begun = time.perf_counter()
    page.get_by_role("button", name="Score the pairs").click()
    page.get_by_text("What carries the category").first.wait_for(timeout=PATIENCE)
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=PATIENCE)
    return time.perf_counter() - begun


def stages(home: Path) -> list[tuple[str, float]]:
    """Return the seconds of every stage of the only run that are behind it once its map is drawn."""
    (place,) = (home / "workspaces").iterdir()
    workspace = open_workspace(place)
    (run,) = (entry.id for entry in workspace.runs())
    until = time.monotonic() + 120
    while job_status(workspace, run).active and time.monotonic() < until:
        time.sleep(0.5)
    with workspace.catalogue.read() as db:
        (told,) = db.execute("SELECT finished FROM jobs WHERE id = ?", (run,)).fetchone()
    return json.loads(told)


def write_report(runs: list[tuple[float, list[tuple[str, float]]]]) -> None:
    """Write the figures down with machine and date."""
    best = min(runs, key=lambda run: run[0])
    lines = [
        "# The demo, from the click to the first category figure",
        "",
        f"`make bench` on {date.today()}: {os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}. Nothing cached: drawings, features and scores are made anew. A real "
        "Chromium runs on the same cores.",
        "",
        f"Seconds of {len(runs)} runs: {', '.join(f'{seconds:.1f}' for seconds, _ in runs)} (goal: 60).",
        "",
        "| stage of the quickest run | seconds |",
        "|---|---|",
        *(f"| {stage} | {seconds:.1f} |" for stage, seconds in best[1]),
        "",
        "Maps, near-duplicates, further fits and checks come after the first figure is on screen. The rest is the "
        "start of the process and of the page.",
    ]
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, and write the report when the demo was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--media", type=Path)
    arguments = parser.parse_args()
    measured = []
    for _ in range(1 if arguments.table else arguments.runs):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            with app_server(home, home / "server.log") as address, browser_page(executable()) as page:
                if arguments.table:
                    seconds = own_table(page, address, arguments.table, arguments.media)
                else:
                    seconds = click_to_figure(page, address)
                print(f"{seconds:.1f} s to the first category figure")
                measured.append((seconds, stages(home)))
    if not arguments.table:
        write_report(measured)


if __name__ == "__main__":
    main()
