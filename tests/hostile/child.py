"""Reads cases one after the other in a process of its own, within limits, and tells what happened to each.

``python -m hostile.child READER WORK`` reads a line of JSON for every case: name, reader, path, out.
Answers with a line each: outcome, sentence, the memory it took, and everything it tried beyond reading.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import makers

from benchmarks.fuzz_readers import meet

ROOM = 6 << 30  # bytes of addresses beyond what the libraries take: a header that lies may ask for more and is told no
SECONDS = 120
REFUSED = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen",
           "os.system", "os.exec", "os.posix_spawn", "os.fork", "pickle.find_class")  # fmt: skip
WRITING = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "shutil.rmtree")


class Watch:
    """Notes, and refuses, what no reader has any business to do."""

    def __init__(self) -> None:
        self.allowed, self.seen, self.on = Path("/dev"), [], False

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        written = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        if event in REFUSED or (written or event in WRITING) and not self._own(arguments[0], arguments[-1]):
            self.seen.append(f"{event} {arguments[0]!r}"[:300])
            raise PermissionError(event)

    def _own(self, place: object, folder: object) -> bool:
        """A bare name, relative to a folder that is open already, is what unpacking uses to tidy up."""
        if not isinstance(place, (str, bytes)) or (isinstance(folder, int) and folder > 0 and "/" not in str(place)):
            return True
        path = Path(place.decode() if isinstance(place, bytes) else place).absolute()
        return path.is_relative_to(self.allowed) or str(path) == "/dev/null"


def status(name: str) -> int:
    """Kilobytes, from the kernel's own book about this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def warm_up(reader: str, work: Path) -> None:
    """Import everything that readers import late, so that only reading is measured and watched."""
    work.mkdir()
    if reader == "sound":
        meet(reader, makers.sound_table(work / "sounds").media / "0.wav", work)
    elif reader == "video":
        meet(reader, makers.film(work / "a.mp4", makers.numbered_frames(8)), work)
    elif reader == "features":
        meet(reader, makers.features_npz(work / "a.npz"), work)
        meet(reader, makers.published_pt(work / "a.pt"), work)
    else:
        made = makers.picture_table(work / "pictures")
        files = {"table": made.table, "picture": made.media / "000.png"}
        meet(reader, files.get(reader) or makers.zipped(made.media, work / "a.zip"), work)


def read(case: dict, watch: Watch) -> dict:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    before, start = status("VmRSS"), time.monotonic()
    watch.allowed, watch.seen, watch.on = Path(case["out"]).absolute(), [], True
    try:
        met = meet(case["reader"], Path(case["path"]), Path(case["out"]))
        outcome = {"outcome": met.kind, "told": met.told}
    except Exception as error:
        outcome = {"outcome": "defect", "told": f"{type(error).__name__}: {error}"[:2000]}
    finally:
        watch.on = False
    return outcome | {"name": case["name"], "kilobytes": status("VmHWM") - before, "tried": watch.seen,
                      "seconds": round(time.monotonic() - start, 2)}  # fmt: skip


def main() -> None:
    warm_up(sys.argv[1], Path(sys.argv[2]))
    watch = Watch()
    sys.addaudithook(watch)
    resource.setrlimit(resource.RLIMIT_AS, (status("VmSize") * 1024 + ROOM,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line), watch)), flush=True)


if __name__ == "__main__":
    main()
