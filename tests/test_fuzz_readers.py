"""A fixed slice of the fuzzing: every reader gives a result that holds together or one sentence, whatever it is given.

``python -m benchmarks.fuzz`` draws ten thousand and more of the same inputs, in processes with limits.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_inputs import inputs
from benchmarks.fuzz_readers import READERS, meet
from benchmarks.fuzz_seeds import seeds

SLICE = dict.fromkeys(READERS, 60) | {"roles": 300}  # roles can be read in one of twenty


@pytest.mark.parametrize("reader", READERS)
def test_whatever_is_read_gives_a_result_or_a_sentence(reader):
    kinds = set()

    @settings(max_examples=SLICE[reader], derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def read(data: st.DataObject) -> None:
        name, content = data.draw(inputs(reader))
        kinds.add(_meet_alone(reader, name, content).kind)

    read()
    assert kinds == {"refused", "handled"}, "a slice that meets only one of the two is too tame or too wild"


def _meet_alone(reader: str, name: str, content: bytes):
    """Read in a folder that must hold afterwards what it held before."""
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "in"
        (Path(outer) / "out").mkdir()
        folder.mkdir()
        (folder / name).write_bytes(content)
        met = meet(reader, folder / name, Path(outer) / "out")
        assert [path.name for path in folder.iterdir()] == [name]
        assert (folder / name).read_bytes() == content
        assert sorted(path.name for path in Path(outer).iterdir()) == ["in", "out"]
        return met


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader != "roles"])
def test_the_seeds_are_read_as_they_are(reader):
    """Otherwise the spoilt ones would only show that nothing is ever read."""
    for name, content in seeds(reader):
        if name != "x1.npy":  # one array alone is no pair
            assert _meet_alone(reader, name, content).kind == "handled", name
