"""Fuzzing guided by coverage: libFuzzer, through atheris, chooses inputs by the branches of Python they reach.

``python -m benchmarks.fuzz_atheris READER RUNS WORK KEEP``; needs ``pip install -r requirements-fuzz.txt``.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["curation", "feature_extractors", "zipfile", "PIL", "numpy.lib"]):
    from benchmarks.fuzz_readers import meet
    from benchmarks.fuzz_seeds import seeds
    from benchmarks.fuzz_worker import clean

__all__: list[str] = []


def main() -> None:
    """Run until there were enough inputs, or one failed: libFuzzer then keeps it in ``KEEP``."""
    reader, runs, work, keep = sys.argv[1:]
    names = [name for name, _ in seeds(reader)]
    corpus = Path(work) / "corpus"
    corpus.mkdir()
    for number, (name, content) in enumerate(seeds(reader)):
        (corpus / name).write_bytes(bytes([number]) + content)
    tally: Counter = Counter()

    def one(data: bytes) -> None:
        folder = clean(Path(work) / "in")
        path = folder / names[data[0] % len(names) if data else 0]
        path.write_bytes(data[1:])
        tally[meet(reader, path, folder.with_name("out")).kind] += 1
        if tally.total() % 100 == 0 or tally.total() >= int(runs) - 1:
            (Path(work) / "tally.json").write_text(json.dumps(tally), encoding="utf-8")

    options = [f"-runs={runs}", f"-artifact_prefix={keep}/atheris-{reader}-", "-timeout=60", "-rss_limit_mb=6000"]
    atheris.Setup([sys.argv[0], *options, "-max_len=20000", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
