"""Large uploads through a real browser into the real server: how long, and how much memory the server took.

``python -m benchmarks.uploads`` measures every case and writes "Uploads" into ``benchmarks/reliability.md``.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks import reliability
from benchmarks.browser import browser_page, executable, running_server
from benchmarks.report import table
from ui.uploads import MOST_SINGLE_FILES

PATIENCE = 900_000  # ms
CATEGORIES = ("hill", "lake", "wood", "town", "road")
MANY, LARGE = 5000, 2 * 10**9


def small_pictures(folder: Path, count: int) -> Iterator[Path]:
    """Draw small pictures, one after another."""
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / f"picture-{i:05}.png"
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(path)
        yield path


def write_table(folder: Path, names: list[str]) -> Path:
    """Write the table that names the pictures."""
    captions = [f"a {CATEGORIES[i % 5]} seen from place {i}" for i in range(len(names))]
    frame = pd.DataFrame(
        {"picture": names, "caption": captions, "category": [CATEGORIES[i % 5] for i in range(len(names))]}
    )
    frame.to_csv(folder / "pairs.csv", index=False)
    return folder / "pairs.csv"


def single_files(count: int, folder: Path) -> tuple[Path, list[Path]]:
    """Return a table and small pictures as single files."""
    (folder / "pictures").mkdir()
    pictures = list(small_pictures(folder / "pictures", count))
    return write_table(folder, [p.name for p in pictures]), pictures


def one_zip(folder: Path) -> tuple[Path, list[Path]]:
    """Return a table and 5,000 small pictures in one ZIP."""
    pairs, pictures = single_files(MANY, folder)
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for path in pictures:
            archive.write(path, path.name)
    return pairs, [folder / "pictures.zip"]


def large_zip(folder: Path) -> tuple[Path, list[Path]]:
    """Return a table and a stored ZIP of 2 GB: pictures of noise, which nothing can make smaller."""
    rng, names = np.random.default_rng(0), []
    with zipfile.ZipFile(folder / "large.zip", "w") as archive:
        while (folder / "large.zip").stat().st_size < LARGE:
            names.append(f"noise-{len(names):05}.bmp")
            with archive.open(names[-1], "w") as entry:
                Image.fromarray(rng.integers(0, 256, (1000, 1000, 3), dtype=np.uint8)).save(entry, "BMP")
    return write_table(folder, names), [folder / "large.zip"]


CASES: dict[str, tuple[str, Callable[[Path], tuple[Path, list[Path]]]]] = {
    "zip": ("5,000 pictures in one ZIP", one_zip),
    "large": ("one ZIP of 2 GB, stored", large_zip),
    "files": ("500 pictures as single files", partial(single_files, MOST_SINGLE_FILES)),
    "toomany": ("2,000 pictures as single files", partial(single_files, 2000)),
}


def import_through_browser(page: object, address: str, pairs: Path, media: list[Path]) -> tuple[float, int, int]:
    """Go from the empty import page to the report; return the seconds, files that failed, and usable pairs."""
    answers: list[bool] = []
    page.on("requestfinished", lambda request: request.method == "PUT" and answers.append(True))
    page.on("requestfailed", lambda request: request.method == "PUT" and answers.append(False))
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/import_data")
    page.get_by_text("What do you bring?").wait_for()
    start = time.monotonic()
    choose(page, 1, media)
    while len(answers) < len(media):
        page.wait_for_timeout(200)
    choose(page, 0, [pairs])
    ready = page.get_by_text("categories are ready")
    ready.wait_for()
    count = int(re.sub(r"\D", "", ready.inner_text().split(" pairs")[0]))
    return time.monotonic() - start, answers.count(False), count


def choose(page: object, which: int, files: list[Path]) -> None:
    """Choose files for one of the page's uploaders, as somebody does who clicks on it."""
    with page.expect_file_chooser() as chooser:
        page.locator("[data-testid=stFileUploaderDropzone]").nth(which).click()
    chooser.value.set_files(files, timeout=PATIENCE)


def peak_memory(pid: int) -> float:
    """Return the largest resident set of a process so far, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1000


def measure(make: Callable[[Path], tuple[Path, list[Path]]]) -> list[str]:
    """Return the figures of one case: MB, files that failed, pairs, seconds, MB at rest, MB at most."""
    with tempfile.TemporaryDirectory() as folder:
        pairs, media = make(Path(folder))
        home = Path(folder) / "home"
        home.mkdir()
        with running_server(home, Path(folder) / "log") as served, browser_page(executable()) as page:
            page.goto(f"{served.address}/import_data")
            page.get_by_text("What do you bring?").wait_for()
            rest = peak_memory(served.process.pid)
            seconds, failed, count = import_through_browser(page, served.address, pairs, media)
            peak = peak_memory(served.process.pid)
        size = sum(p.stat().st_size for p in media) / 1e6
    return [f"{value:,.0f}" for value in (size, failed, count, seconds, rest, peak)]


def report(rows: list[list[str]]) -> str:
    """Return the section."""
    header = [
        "what",
        "MB",
        "uploads that failed",
        "usable pairs",
        "seconds",
        "server at rest, MB",
        "server at most, MB",
    ]
    return (
        f"From the click on the uploader to the report on the Import page, in a real Chromium on the same "
        f"{os.cpu_count()} cores; the server's memory is its largest resident set (VmHWM). Goal: under 1,000 MB.\n\n"
        f"{table(header, rows)}\n\n"
        "The browser sends all files of a drop at once and draws a line for each: its time grows with the square of "
        "their number, and Chromium refuses those beyond about 1,500 (`ERR_INSUFFICIENT_RESOURCES`). The page says to "
        f"bring one ZIP for more than {MOST_SINGLE_FILES}. Interrupted uploads, sessions that end and servers that are "
        "killed: `python -m pytest tests/test_server_uploads.py`."
    )


def main() -> None:
    """Measure, and write the section when all cases were measured."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], help="all, if none is named")
    chosen = parser.parse_args().cases
    rows = []
    for name in chosen or CASES:
        title, make = CASES[name]
        rows.append([title, *measure(make)])
        print(rows[-1], flush=True)
    if not chosen:
        reliability.write("Uploads", "python -m benchmarks.uploads", report(rows))


if __name__ == "__main__":
    main()
