"""Exports: harmless in a spreadsheet as CSV, the same to the last bit as Parquet and JSON lines."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.errors import DataError
from curation.export import TABLES, check_target, export_bytes, format_of

TEXTS = ["=1+1", "+49 30", "-dash", "@me", "\tcell", "\rcell", "plain", "ünïcode ☃ 日本", 'quote " and, comma',
         "two\nlines", "", "'", "a=b", "NaN"]  # fmt: skip


@pytest.fixture
def frame() -> pd.DataFrame:
    n = len(TEXTS)
    numbers = np.concatenate([[-1.5, 0.1 + 0.2, 1 / 3, -1e-300, 1e300, 5e-324], np.linspace(-2, 2, n - 6)])
    return pd.DataFrame(
        {"sample_id": TEXTS, "i1": numbers, "=count": np.arange(n) - 3, "yes": [True, False] * (n // 2)}
    )


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))


def test_no_text_or_header_of_a_csv_can_be_a_formula(frame):
    header, *rows = cells(export_bytes(frame, "csv"))
    assert header == ["sample_id", "i1", "'=count", "yes"]
    assert [row[0] for row in rows] == [f"'{t}" if t[:1] in tuple("=+-@\t\r") and t else t for t in TEXTS]
    assert not any(name.startswith(("=", "+", "-", "@", "\t", "\r")) for name in header)


def test_numbers_of_a_csv_stay_numbers(frame):
    back = pd.read_csv(io.BytesIO(export_bytes(frame, "csv")), float_precision="round_trip", keep_default_na=False)
    assert np.array_equal(back["i1"], frame["i1"]), "negative numbers are no formulas"
    assert np.array_equal(back["'=count"], frame["=count"])
    assert np.array_equal(back["yes"], frame["yes"])


@pytest.mark.parametrize("kind", ["str", "object", "category", "string"])
def test_every_kind_of_text_column_is_made_harmless(kind):
    frame = pd.DataFrame({"extra.note": pd.Series(["=cmd()", "fine", None], dtype="str").astype(kind)})
    assert [row[0] if row else "" for row in cells(export_bytes(frame, "csv"))[1:]] == ["'=cmd()", "fine", ""]


def test_the_frame_itself_is_left_alone(frame):
    before = frame.copy(deep=True)
    for form in TABLES:
        export_bytes(frame, form)
    pd.testing.assert_frame_equal(frame, before, check_exact=True)


def test_parquet_comes_back_exactly(frame):
    back = pd.read_parquet(io.BytesIO(export_bytes(frame[2:], "parquet")))
    pd.testing.assert_frame_equal(back, frame[2:].reset_index(drop=True), check_exact=True)


def test_json_lines_come_back_exactly(frame):
    lines = export_bytes(frame, "jsonl").decode("utf-8").split("\n")
    assert lines.pop() == "" and len(lines) == len(frame), "one object a line, line breaks in texts escaped"
    assert [json.loads(line) for line in lines] == frame.to_dict(orient="records")
    assert "ünïcode ☃ 日本" in lines[7]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.text()), min_size=1, max_size=8))
def test_json_lines_and_csv_keep_every_number_and_text(rows):
    frame = pd.DataFrame({"x": [x for x, _ in rows], "t": pd.Series([t for _, t in rows], dtype=object)})
    back = [json.loads(line) for line in export_bytes(frame, "jsonl").decode("utf-8").split("\n") if line]
    assert [r["x"] for r in back] == [x for x, _ in rows] and [r["t"] for r in back] == [t for _, t in rows]
    for text, row in zip(frame["t"], cells(export_bytes(frame, "csv"))[1:], strict=True):
        assert row[1] == text or row[1] == f"'{text}"
        assert not row[1].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_json_lines_of_gaps_and_lists():
    odd = [None, np.nan, np.inf, pd.NaT, [1, np.nan], np.array([0.5]), {"a": np.float64(2)}, np.int64(7)]
    frame = pd.DataFrame({"odd": pd.Series(odd, dtype=object), "when": pd.Timestamp("2024-05-06")})
    back = [json.loads(line) for line in export_bytes(frame, "jsonl").decode().splitlines()]
    assert [r["odd"] for r in back] == [None, None, None, None, [1, None], [0.5], {"a": 2.0}, 7]
    assert back[0]["when"].startswith("2024-05-06")


def test_an_empty_part_is_a_file_all_the_same(frame):
    none = frame[:0]
    assert cells(export_bytes(none, "csv")) == [["sample_id", "i1", "'=count", "yes"]]
    assert export_bytes(none, "jsonl") == b""
    assert list(pd.read_parquet(io.BytesIO(export_bytes(none, "parquet"))).columns) == list(frame.columns)


def test_names_and_formats_that_do_not_serve(tmp_path, frame):
    for name in ("a.xlsx", "a", "a.csv.gz", ".csv"):
        with pytest.raises(DataError, match="should end in one of: .csv, .parquet, .jsonl, .txt, .json, .npz"):
            format_of(tmp_path / name)
    assert format_of(tmp_path / "A.CSV") == "csv"
    assert check_target(tmp_path / "a.dat", "csv") == "csv"
    with pytest.raises(DataError, match="would hold CSV"):
        check_target(tmp_path / "a.parquet", "csv")
    with pytest.raises(DataError, match="no export format 'xml'"):
        export_bytes(frame, "xml")
