"""Somebody who clicks anything: widgets and pages in no order, values of every kind, and nothing may break.

``python -m benchmarks.wander`` writes the section "Wandering" of ``benchmarks/reliability.md`` (about ten minutes).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks import browser, reliability
from benchmarks.report import table
from benchmarks.sessions import log_errors
from benchmarks.visit import Visit
from curation.places import remember
from curation.workspace import open_run

__all__ = ["Wanderer", "wander"]

PAGES = ("", "import_data", "score", "explore", "explore", "curate", "curate", "apply", "export")
TEXTS = ("", "a", "[x", "0", "*", "é<b>", "what stays", "..", "$x$", " " * 3)
JOBS = ("Run the ", "Score the ", "Measure", "Go on measuring", "Resume", "Draw the map", "Try it on")
"""Buttons that begin a job: they are tried elsewhere, and would take the processor from the one who wanders."""
LEAVES, RELOADS = 0.08, 0.03
DEMOS, STEPS = ("emoji", "known"), 1_500
TOLD = """
One person, a real server, {steps:,} steps on each of two demos: every step presses a button, gives a widget a value
(drawn outlines, rows of tables, numbers within their limits, odd texts), opens another page or loads it again; what was
told to widgets that have gone is told again, as a quick browser does. Buttons that begin a job are left out. Broken: a
step after which the page shows an exception or its script could not be run, and anything like it in the server's log.
""".strip()


class Wanderer:
    """Somebody without a plan.

    Parameters
    ----------
    visit : Visit
        A tab on a page with a run.
    seed : int
    """

    def __init__(self, visit: Visit, seed: int) -> None:
        self.visit, self.random = visit, random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.trail: list[tuple] = []
        self.broken: list[str] = []

    def step(self) -> None:
        """Do something, and note it where it breaks the page."""
        self._anything()
        if any(e.WhichOneof("type") == "exception" for e in self.visit.elements.values()):
            self.broken.append(f"{self.trail[-5:]}: {self.visit.told()[-1]}")
        self.broken += [f"{self.trail[-5:]}: {told}" for told in self.visit.errors if "script" in told]
        self.visit.errors.clear()

    def _anything(self) -> None:
        chance = self.random.random()
        if chance < RELOADS:
            self._note("reload", self.visit.page_name)
            self.visit.open(self.visit.page_name)
            return
        widgets = [(kind, w) for kind, w in self._widgets() if chance >= LEAVES]
        if not widgets:
            self._note("page", page := self.random.choice(PAGES))
            self.visit.go(page)
            return
        kind, widget = self.random.choice(widgets)
        if kind == "button":
            self._note(kind, widget.label)
            self.visit.press(widget.id)
            return
        value = VALUES[kind](self.random, widget)
        self._note(kind, getattr(widget, "label", ""), value)
        self.visit.give(kind, widget.id, value)

    def _note(self, kind: str, *told: object) -> None:
        self.counts[kind] += 1
        self.trail.append((self.visit.page_name, kind, *told))

    def _widgets(self) -> list[tuple[str, object]]:
        found = [(e.WhichOneof("type"), getattr(e, e.WhichOneof("type"))) for e in self.visit.elements.values()]
        return [
            (kind, w) for kind, w in found
            if kind in (*VALUES, "button") and w.id and not getattr(w, "disabled", False)
            and len(getattr(w, "options", " ")) and not getattr(w, "label", "").startswith(JOBS)
        ]  # fmt: skip


def _number(rng: random.Random, widget: object) -> float:
    low = widget.min if widget.has_min else -5.0
    high = min(widget.max, low + 1e4) if widget.has_max else low + 50.0
    return float(round(rng.uniform(low, high))) if float(widget.step).is_integer() else rng.uniform(low, high)


def _drawn(rng: random.Random, widget: object) -> str:
    x, y = ([rng.uniform(-12, 12) for _ in range(3)] for _ in "xy")
    told = {"points": [], "point_indices": [], "box": [], "lasso": []}
    told |= rng.choice([
        {"box": [{"x": x[:2], "y": y[:2]}]}, {"lasso": [{"x": x, "y": y}]},
        {"points": [{"customdata": str(rng.randrange(100))}], "point_indices": [0]}, {},
    ])  # fmt: skip
    return json.dumps({"selection": told})


def _rows(rng: random.Random, widget: object) -> str:
    return json.dumps({"selection": {"rows": rng.sample(range(60), rng.randint(0, 3)), "columns": [], "cells": []}})


VALUES: dict[str, Callable[[random.Random, object], object]] = {
    "selectbox": lambda rng, w: rng.choice(list(w.options)),
    "radio": lambda rng, w: rng.choice(list(w.options)),
    "multiselect": lambda rng, w: rng.sample(list(w.options), min(len(w.options), rng.randint(0, 3))),
    "button_group": lambda rng, w: [rng.choice(list(w.options)).content],
    "slider": lambda rng, w: [float(round(rng.uniform(w.min, w.max)))],
    "number_input": _number,
    "checkbox": lambda rng, w: bool(rng.getrandbits(1)),
    "text_input": lambda rng, w: rng.choice(TEXTS),
    "plotly_chart": _drawn,
    "dataframe": _rows,
}


def wander(scored: Path, steps: int, seed: int) -> Wanderer:
    """Serve a workspace with one run, and take so many steps in it.

    Parameters
    ----------
    scored : pathlib.Path
        The workspace; what is kept there on the way stays there.
    steps, seed : int

    Returns
    -------
    Wanderer
        With what it found broken, and the server's errors.
    """
    home = Path(os.environ["INTERPLAY_HOME"])
    query = f"workspace={remember(scored)}&run={open_run(scored)[1].folder.name}"
    with browser.running_server(home, home / f"{seed}.log") as served:
        wanderer = Wanderer(Visit(served.address, {}, lambda content: None), seed)
        wanderer.visit.open("explore", query)
        for _ in range(steps):
            before = len(wanderer.broken)
            wanderer.step()
            if len(wanderer.broken) > before:
                wanderer.visit.open("explore", query)
        wanderer.visit.close()
    wanderer.broken += log_errors(home / f"{seed}.log")
    return wanderer


def main() -> None:
    """Measure and write the section."""
    import cli

    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["INTERPLAY_HOME"] = home
        for number, demo in enumerate(DEMOS):
            scored = Path(home) / demo
            if cli.main(["demo", demo, "--out", str(scored)]):
                raise SystemExit(2)
            found = wander(scored, options.steps, options.seed + number)
            print(*found.broken, sep="\n", flush=True)
            counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.most_common())
            rows.append([demo, f"{found.counts.total():,}", len(found.broken), counts])
    body = f"{table(['demo', 'steps', 'broken', 'of which'], rows)}\n\n{TOLD.format(steps=options.steps)}"
    reliability.write("Wandering", f"python -m benchmarks.wander --seed {options.seed}", body)
    print(body)


if __name__ == "__main__":
    main()
