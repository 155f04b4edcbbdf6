"""What one person of the trial does in the app, with everything that arrives searched for marks."""

from __future__ import annotations

import io
import json
import random
import time
from collections import Counter
from urllib.parse import urlencode

import pandas as pd

from benchmarks.sessions_data import MARK, Owner, marked_table
from benchmarks.visit import Visit

__all__ = ["Person"]

THINKS = (1.0, 5.0)  # seconds between two actions
PLANTS = 40
READERS = {"CSV": pd.read_csv, "Parquet": pd.read_parquet, "JSON lines": lambda file: pd.read_json(file, lines=True)}
TERMS = ("Both say it", "Only together")


class Person:
    """Somebody who browses, filters, exports and scores, and notes every mark that is not their own.

    Parameters
    ----------
    owner : Owner
    address : str
    workspace, run : str
        Of their prepared data.
    """

    def __init__(self, owner: Owner, address: str, workspace: str, run: str) -> None:
        self.owner, self.home = owner, urlencode({"workspace": workspace, "run": run})
        self.visit = Visit(address, owner.cookies(address), self.hear)
        self.random = random.Random(owner.number)
        self.counts: Counter[str] = Counter()
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self._table = 0

    def hear(self, content: bytes) -> None:
        """Note the marks in what has arrived."""
        for found in MARK.finditer(content):
            if int(found[1]) == self.owner.number:
                self.counts["marks"] += 1
            else:
                self.foreign.append(repr(content[max(0, found.start() - 40) : found.end() + 40]))

    def work(self, seconds: float, jobs: list[float], thinks: tuple[float, float] = THINKS) -> None:
        """Do one thing after another; begin a job at each of the given seconds; leave at the end."""
        begun, jobs = time.monotonic(), sorted(jobs)
        self._attempt(lambda: self.visit.open("", self.home))
        while (spent := time.monotonic() - begun) < seconds:
            due = bool(jobs) and spent >= jobs[0]
            if due:
                jobs.pop(0)
            act = self.score if due else self.random.choice([self.explore, self.explore, self.curate, self.export,
                                                             self.reload, self.start])  # fmt: skip
            self._attempt(act)
            time.sleep(self.random.uniform(*thinks))
        self.visit.close()

    def _attempt(self, act: object) -> None:
        try:
            act()
        except Exception as error:  # the trial goes on; every one is counted and told
            self.errors.append(f"{type(error).__name__} {error}")
            self.visit.errors.clear()
            self.visit.open("", self.home)
        self.errors += self.visit.errors
        self.visit.errors.clear()

    def start(self) -> None:
        """Look at the first page, and open an earlier run from there."""
        self.visit.go("")
        self.visit.click(self.owner.mark.replace("-", "\\-"))
        self._look("explore")

    def reload(self) -> None:
        """Load the page again, under the address in the browser's bar."""
        self.visit.open(self.visit.page_name)
        self.counts["reloads"] += 1

    def explore(self) -> None:
        """Change what is shown, choose samples, look at pictures."""
        self._open("explore")
        for act in self.random.sample([self._sort, self._narrow, self._point, self._row], 2):
            act()
        for url in self.visit.pictures():
            self._read(self.visit.fetch(url))

    def curate(self) -> None:
        """Split in some way, keep the partition, and see it on the page that follows."""
        self._open("curate")
        self._choose("Split by")
        self.visit.choose("slider", "Percent that stays", [float(self.random.randint(10, 90))])
        self.visit.choose("checkbox", "Same share", bool(self.random.getrandbits(1)))
        for url in self.visit.pictures()[:4]:
            self._read(self.visit.fetch(url))
        self.visit.click("Keep this partition")
        self.visit.click("Export it")
        self._look("export")

    def export(self) -> None:
        """Download a part in some format and read it to the last row."""
        self._open("export")
        form = self.random.choice(list(READERS))
        self.visit.choose("radio", "Format", form)
        frame = READERS[form](io.BytesIO(self.visit.download()))
        self._read(frame["sample_id"].to_csv().encode())
        told = self.visit.find("download_button").label
        if f"{len(frame):,} samples" not in told or not frame["sample_id"].str.startswith(self.owner.mark).all():
            raise ValueError(f"the download of {len(frame)} rows is not what '{told}' promised")
        self.counts["downloads"] += 1

    def score(self) -> None:
        """Bring a new table, score it in the app, and follow it until its map is drawn; then go back."""
        self._table += 1
        self.visit.go("import_data")
        self.visit.upload(f"{self.owner.mark}plants.csv", marked_table(self.owner.mark, PLANTS, self._table))
        self.visit.click("Use these pairs")
        self.visit.click("Score the pairs")
        while self.visit.again:
            self.visit.wait()
        self._look("explore")
        self.counts["jobs"] += 1
        self.visit.open("explore", self.home)

    def _open(self, page: str) -> None:
        before = self.counts["marks"]
        self.visit.go(page)
        self._look(page, before)

    def _look(self, page: str, before: int = 0) -> None:
        """Make sure that the page is the right one, and about something of their own."""
        if self.visit.page_name != page or self.counts["marks"] <= before:
            raise ValueError(f"the page {page} is not there, or shows nothing: {self.visit.told()}")

    def _read(self, content: bytes) -> None:
        if not MARK.search(content):
            raise ValueError("something without a mark was fetched")
        self.hear(content)

    def _choose(self, label: str, kind: str = "selectbox") -> str:
        option = self.random.choice(list(self.visit.find(kind, label).options))
        self.visit.choose(kind, label, option)
        return option

    def _view(self, name: str) -> None:
        self.visit.choose("button_group", "View", [name])

    def _sort(self) -> None:
        self._view("Categories")
        self._choose("Sort by")
        self._choose("Measure")

    def _narrow(self) -> None:
        options = list(self.visit.find("multiselect", "Categories").options)
        self.visit.choose("multiselect", "Categories", self.random.sample(options, 1))
        self.visit.choose("text_input", "Words", f"{self.owner.mark}00")

    def _point(self) -> None:
        """Click a point of the map; the card must show that sample."""
        self.visit.choose("multiselect", "Categories", [])
        self.visit.choose("text_input", "Words", "")
        self._view("Map")
        self._choose("Colour by")
        chosen = f"{self.owner.mark}{self.random.randrange(PLANTS):04d}"
        told = {"points": [{"customdata": chosen, "point_index": 0}], "point_indices": [0], "box": [], "lasso": []}
        self.visit.choose("plotly_chart", "Map of", json.dumps({"selection": told}))
        captions = [e.markdown.body for e in self.visit.elements.values() if e.WhichOneof("type") == "markdown"]
        if f"Sample {chosen}".replace("-", "\\-") not in captions:
            raise ValueError(f"the point {chosen} was clicked, and its card did not come")

    def _row(self) -> None:
        self._view("Table")
        told = {"rows": [self.random.randrange(3)], "columns": [], "cells": []}
        self.visit.choose("dataframe", "samples", json.dumps({"selection": told}))
