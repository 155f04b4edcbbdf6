"""One process of the fuzzing: draws inputs for a reader and tells a line of JSON for each.

``python -m benchmarks.fuzz_worker READER COUNT SEED WORK KEEP``. The input lies in ``WORK/in`` while it is read: it is
there to look at when a C library takes the process down.
"""

from __future__ import annotations

import faulthandler
import json
import resource
import shutil
import sys
import traceback
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.fuzz_inputs import inputs
from benchmarks.fuzz_readers import meet
from benchmarks.fuzz_seeds import seeds

ROOM = 6 << 30  # bytes of addresses beyond what the libraries take
SECONDS = 60  # for one input: longer counts as hanging


def main() -> None:
    """Draw, read and tell."""
    reader, count, start, work, keep = sys.argv[1:]
    folder = Path(work) / "in"
    for name, content in seeds(reader):  # what is imported late is imported now
        attempt(reader, name, content, folder, Path(keep))
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") * 1024 + ROOM,) * 2)

    @seed(int(start))
    @settings(max_examples=int(count), phases=[Phase.generate], database=None, deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        name, content = data.draw(inputs(reader))
        print(json.dumps(attempt(reader, name, content, folder, Path(keep))), flush=True)

    draw()


def attempt(reader: str, name: str, content: bytes, folder: Path, keep: Path) -> dict:
    """Read one input in a folder of its own and return what became of it."""
    (clean(folder) / name).write_bytes(content)
    before = _measure()
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    try:
        kind = meet(reader, folder / name, folder.with_name("out")).kind
    except Exception:
        kind = "defect"
        _keep(reader, name, content, keep)
    finally:
        faulthandler.cancel_dump_traceback_later()
    if sorted(path.name for path in folder.parent.iterdir()) != ["in", "out"] or len(list(folder.iterdir())) != 1:
        kind = "defect"  # something was written where nothing may be
        _keep(reader, name, content, keep)
    return {"kind": kind, "megabytes": (_status("VmHWM") - before) // 1024}


def clean(folder: Path) -> Path:
    """Return the folder, empty, with an empty folder ``out`` beside it."""
    for one in (folder, folder.with_name("out")):
        shutil.rmtree(one, ignore_errors=True)
        one.mkdir()
    return folder


def _keep(reader: str, name: str, content: bytes, keep: Path) -> None:
    target = keep / f"defect-{reader}-{abs(hash(content))}"
    target.mkdir(parents=True, exist_ok=True)
    (target / name).write_bytes(content)
    (target / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")


def _measure() -> int:
    """Return the kilobytes taken now, and let the peak count from here."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    main()
