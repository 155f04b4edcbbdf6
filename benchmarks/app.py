"""How quickly the screens answer: a run of 100,000 samples, a real server, a real Chromium.

``python -m benchmarks.app`` writes ``benchmarks/app.md``.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.app_data import made_up_workspace
from benchmarks.browser import Served, browser_page, executable, running_server
from benchmarks.report import machine, table

REPORT = Path(__file__).with_name("app.md")
BARS = {"page load": 2.0}  # seconds; all else 0.5
BAR = 0.5
# How long the mouse rests, in ms, and where in the figure the first box begins.
BOXES = {"select (a box on the map)": (200, 0.2), "select (a box, let go in flight)": (0, 0.22)}
QUIET = 700  # ms without a change, and the script at rest: all is on screen
# Written down in the page itself: the moment of the click, and that of the last change below the navigation.
WATCH = """
window.watched = {from: 0, last: 0};
for (const kind of ['pointerdown', 'pointerup', 'click'])
  addEventListener(kind, event => { if (event.isTrusted) watched.from = performance.now(); }, true);
const look = () => new MutationObserver(all => {
  if (all.some(m => m.target.nodeType == 3 || m.target.closest && m.target.closest('[data-testid=stMain]')))
    watched.last = performance.now();
}).observe(document.documentElement, {subtree: true, childList: true, characterData: true, attributes: true,
                                     attributeFilter: ['d', 'src', 'href', 'x', 'y', 'transform', 'points', 'width']});
document.documentElement ? look() : addEventListener('DOMContentLoaded', look);
"""
AT_REST = """quiet => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && watched.last > watched.from && performance.now() - watched.last > quiet"""
TOLD = """
# How quickly the screens answer

`make bench-app`: a made-up run of {n:,} samples in 20 categories, all its maps and checks there, on the server of
`make run`; Chromium on the same cores. From the click (of a page load, from its start) to the last change on screen,
pictures apart. What the browser has had before is not sent again. Loads come with a session of their own on a server
that has served one before. A hand rests before it lets go of a box: .2 s here, and none in the last line, where the
figure itself waits .1 s after the last move before it tells what was selected. "Server" is the time of its processor:
other programs do not lengthen it much, but they do lengthen the seconds. Load of the machine: {before:.1f} at the
start, {behind:.1f} at the end, on {cores} cores.

{machine}

{table}

{short}
"""


@dataclass
class Traffic:
    """Bytes over the WebSocket, both ways."""

    down: int = 0
    up: int = 0

    def hear(self, socket: object) -> None:
        """Count the frames of a WebSocket."""
        socket.on("framereceived", lambda frame: self._add(down=len(frame)))
        socket.on("framesent", lambda frame: self._add(up=len(frame)))

    def _add(self, down: int = 0, up: int = 0) -> None:
        self.down, self.up = self.down + down, self.up + up


@dataclass
class Visitor:
    """A browser tab whose actions are timed.

    Attributes
    ----------
    page : Page
    served : Served
    figures : dict
        By name of the action: seconds, server seconds, bytes down and up, each time.
    """

    page: object
    served: Served
    link: str
    figures: dict[str, list[tuple[float, float, int, int]]] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)

    def timed(self, name: str, action: Callable[[], None]) -> None:
        """Do something, wait until the screen is at rest, and note what it took."""
        before, self.traffic.down, self.traffic.up = cpu_seconds(self.served.process.pid), 0, 0
        action()
        self.rest()
        seconds = self.page.evaluate("(watched.last - watched.from) / 1000")
        spent = cpu_seconds(self.served.process.pid) - before
        self.figures.setdefault(name, []).append((seconds, spent, self.traffic.down, self.traffic.up))

    def rest(self) -> None:
        """Wait until nothing changes any more."""
        self.page.wait_for_function(AT_REST, arg=QUIET)

    def load(self) -> None:
        """Open Explore in a session of its own."""
        self.page.goto(f"{self.served.address}/explore?{self.link}")
        self.page.locator(".js-plotly-plot .main-svg, h1").first.wait_for()

    def show(self, title: str) -> None:
        """Choose a view."""
        self.page.locator("[data-testid=stButtonGroup]").get_by_text(title, exact=True).click()

    def drawn_box(self, part: float, rest: int) -> None:
        """Draw a box over the figure, from near its middle; the mouse rests before it is let go, in ms."""
        place = self.page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
        x, y = place["x"] + place["width"] * part, place["y"] + place["height"] * part
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + place["width"] * 0.3, y + place["height"] * 0.3, steps=5)
        self.page.wait_for_timeout(rest)
        self.page.mouse.up()


def cpu_seconds(pid: int) -> float:
    """Return what a process has taken of processors so far."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def visitor(served: Served, link: str) -> Iterator[Visitor]:
    """Open a fresh browser."""
    with browser_page(executable()) as page:
        page.add_init_script(WATCH)
        came = Visitor(page, served, link)
        page.on("websocket", came.traffic.hear)
        yield came


def loads(served: Served, link: str, count: int) -> list[tuple]:
    """Load Explore in fresh browsers; the first warms the server and is not counted."""
    found = []
    for number in range(count + 1):
        with visitor(served, link) as came:
            came.timed("page load", came.load)
            found += came.figures["page load"] if number else []
    return found


def actions(came: Visitor, count: int) -> None:
    """Filter, select, and switch measure and view, each as often as asked."""
    came.load()
    came.rest()
    page = came.page
    for number in range(count):
        group = page.locator(".st-key-filter_groups button").filter(has_text=re.compile(r"\d")).nth(number % 4)
        came.timed("filter (a group)", group.click)
        group.click()
        came.rest()
    for number in range(count):
        measure(came, ("lsmi", "mmi", "ccs", "sx")[number % 4])
    for _ in range(count):
        came.timed("switch to the map", lambda: came.show("Map"))
        came.timed("switch to the distributions", lambda: came.show("Distributions"))
        came.timed("switch to the suspects", lambda: came.show("Suspects"))
        came.timed("switch to the table", lambda: came.show("Table"))
        came.timed("switch to the categories", lambda: came.show("Categories"))
    came.show("Map")
    came.rest()
    for number in range(count):
        for name, (rest, start) in BOXES.items():
            page.locator(".js-plotly-plot").first.hover()
            page.locator(".modebar-btn[data-title='Box Select']").first.click()
            came.timed(name, lambda rest=rest, part=start + 0.05 * number: came.drawn_box(part, rest))
            page.get_by_role("button", name="Clear").click()
            came.rest()


def measure(came: Visitor, name: str) -> None:
    """Choose another measure; opening its list is not timed."""
    came.page.get_by_role("button", name="Measure and unit").click()
    came.page.locator(".st-key-measure input").first.click()
    option = came.page.get_by_role("option").filter(has_text=f"{name.upper()}:")
    option.wait_for()
    came.timed("switch the measure", option.click)
    came.page.keyboard.press("Escape")
    came.page.wait_for_timeout(300)


def rows(figures: dict[str, list[tuple]]) -> list[list[str]]:
    """Return a line for every action."""
    told = []
    for name, all_times in figures.items():
        seconds, spent, down, up = zip(*all_times, strict=True)
        median = statistics.median
        told.append([
            name, f"{median(seconds):.2f}", f"{min(seconds):.2f}", f"{median(spent):.2f}", f"{min(spent):.2f}",
            f"{median(down) / 1000:,.0f}", f"{median(up) / 1000:,.1f}", f"{BARS.get(name, BAR):.1f}", len(all_times),
        ])  # fmt: skip
    return told


HEADER = ("action", "median s", "best s", "server s", "best", "kB down", "kB up", "bar", "times")


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=7)
    asked = parser.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERPLAY_HOME", folder)
        workspace, run = made_up_workspace(asked.samples)
        link = f"workspace={workspace}&run={run}"
        with running_server(Path(folder), Path(folder) / "server.log") as served:
            figures = {"page load": loads(served, link, asked.times)}
            with visitor(served, link) as came:
                actions(came, asked.times)
    lines = rows(figures | came.figures)
    print(table(HEADER, lines), flush=True)
    slow = [line[0] for line in lines if float(line[1]) > float(line[7])]
    short = f"Not within the bar in the median: {', '.join(slow)}." if slow else "All medians are within the bar."
    told = {"n": asked.samples, "before": before, "behind": os.getloadavg()[0], "cores": os.cpu_count()}
    if asked.samples == 100_000:
        REPORT.write_text(
            TOLD.strip().format(machine=machine(), table=table(HEADER, lines), short=short, **told) + "\n"
        )


if __name__ == "__main__":
    main()
