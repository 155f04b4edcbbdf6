"""Reading tables: every format, every complaint, and arbitrary bytes."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.errors import DataError
from curation.importing import Problems, read_table


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def listed(problems: Problems) -> list[tuple[int, str]]:
    return list(zip(problems.frame["row"], problems.frame["problem"], strict=True))


@pytest.mark.parametrize(
    ("name", "separator"),
    [("a.csv", ","), ("a.tsv", "\t"), ("a.txt", "\t"), ("a.txt", ";"), ("a.csv", ";"), ("a.txt", "|"), ("A.CSV", ",")],
)
def test_separated_text(tmp_path, name, separator):
    text = "\n".join(separator.join(row) for row in [("name", "size", "code"), ("ä", "1.5", "007"), ("b", "-2", "010")])
    read = read_table(write(tmp_path, name, text))
    assert list(read.frame.columns) == ["name", "size", "code"]
    assert read.frame["name"].tolist() == ["ä", "b"]
    assert read.frame["size"].tolist() == [1.5, -2.0]
    assert read.frame["code"].tolist() == ["007", "010"]
    assert len(read.problems) == 0
    assert read.problems.summary() == "No row was left out."


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    read = read_table(write(tmp_path, "a.csv", b"\xef\xbb\xbfname,n\r\nx,1\r\n"))
    assert read.frame.to_dict("list") == {"name": ["x"], "n": [1]}


def test_windows_1252_is_said(tmp_path):
    read = read_table(write(tmp_path, "a.csv", "name,n\ncafé,1\n".encode("cp1252")))
    assert read.frame["name"].tolist() == ["café"]
    assert listed(read.problems) == [(0, "the file is not UTF-8 and was read as Windows-1252")]
    assert "Windows-1252" in read.problems.summary()


def test_ragged_rows_are_listed_and_rows_keep_their_numbers(tmp_path):
    read = read_table(write(tmp_path, "a.csv", "a,b\n1,2\n3\n\n4,5,6\n7,8\n"))
    assert read.frame.index.tolist() == [1, 4]
    assert read.frame["a"].tolist() == [1, 7]
    assert listed(read.problems) == [
        (2, "row with too few cells: 1 instead of 2"),
        (3, "row with too many cells: 3 instead of 2"),
    ]
    assert read.problems.summary() == (
        "2 of 4 rows were left out: 1 row with too few cells, 1 row with too many cells."
    )


def test_quoted_newlines_and_separators(tmp_path):
    read = read_table(write(tmp_path, "a.csv", 'text,n\n"one\ntwo, three ""x""",1\nfour,2\n'))
    assert read.frame["text"].tolist() == ['one\ntwo, three "x"', "four"]
    assert read.frame.index.tolist() == [1, 2]


@pytest.mark.parametrize("last", ['3,"open\n4,z\n', '"open\n4,z\n', '3,4,"open\n4,z\n'])
def test_a_quote_that_is_never_closed_is_not_swallowed(tmp_path, last):
    read = read_table(write(tmp_path, "a.csv", "a,b\n1,x\n2,y\n" + last))
    assert read.frame["b"].tolist() == ["x", "y"]
    assert [row for row, _ in listed(read.problems)] == [3]
    assert "never closed" in read.problems.frame["problem"][0]


def test_numbers_only_where_nothing_is_lost(tmp_path):
    text = (
        "zip,phone,long,gap,mixed,sci,none,word\n"
        "01234,+491234567,12345678901234567890,1,1,1e3,,NA\n9,+491234568,2,NA,x,-.5,,b\n"
    )
    frame = read_table(write(tmp_path, "a.csv", text)).frame
    assert frame["zip"].tolist() == ["01234", "9"]
    assert frame["phone"].tolist() == ["+491234567", "+491234568"]
    assert frame["long"].tolist() == ["12345678901234567890", "2"]
    assert frame["gap"].iloc[0] == 1 and np.isnan(frame["gap"].iloc[1])
    assert frame["mixed"].tolist() == ["1", "x"]
    assert frame["sci"].tolist() == [1000.0, -0.5]
    assert frame["none"].isna().all()
    assert frame["word"].tolist() == ["NA", "b"]


def test_blank_headers_get_a_name(tmp_path):
    read = read_table(write(tmp_path, "a.csv", ",b\n0,x\n1,y\n"))
    assert list(read.frame.columns) == ["column 1", "b"]
    assert listed(read.problems) == [(0, "header 1 is blank and was named 'column 1'")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "x,y,x\n1,2,3\n", "more than one column named 'x'"),
        ("a.csv", "", "is empty"),
        ("a.csv", " \n\n ", "is empty"),
        ("a.csv", "a,b\n", "has no usable row"),
        ("a.csv", "a,b\n1\n2\n", "2 of 2 rows were left out: 2 rows with too few cells"),
        ("a.csv", b"a,b\n1,\x00\n", "not a plain text table"),
        ("a.csv", b"a,b\n1,\x81\xff\n", "neither UTF-8 nor Windows-1252"),
        ("a.xlsx", "a,b\n1,2\n", "not a table this tool reads"),
        ("a.jsonl", "", "is empty"),
        ("a.jsonl", "nope\n", "line not readable as JSON"),
        ("a.parquet", "PAR1 no", "cannot be read as Parquet"),
    ],
)
def test_refusals(tmp_path, name, content, said):
    with pytest.raises(DataError) as caught:
        read_table(write(tmp_path, name, content))
    assert said.split(":")[0] in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_absent_file(tmp_path):
    with pytest.raises(DataError, match="There is no file 'no.csv'"):
        read_table(tmp_path / "no.csv")


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson"])
def test_json_lines(tmp_path, suffix):
    lines = [
        {"id": "007", "v": [1, 2.5], "y": 1, "mixed": 1, "deep": {"a": 1}},
        {"id": "008", "v": [3, 4], "y": None, "mixed": "z", "deep": None, "late": True},
    ]
    text = f"{json.dumps(lines[0])}\n\n{{broken\n[1]\n{json.dumps(lines[1])}\r\n"
    read = read_table(write(tmp_path, f"a.{suffix}", text))
    assert read.frame.index.tolist() == [1, 4]
    assert read.frame["id"].tolist() == ["007", "008"]
    assert read.frame["v"].tolist() == [[1, 2.5], [3, 4]]
    assert read.frame["mixed"].tolist() == ["1", "z"]
    assert read.frame["deep"].iloc[0] == '{"a": 1}'
    assert [row for row, _ in listed(read.problems)] == [2, 3]
    assert read.problems.summary().startswith("2 of 4 rows were left out: ")


def test_lists_that_could_not_be_stored_become_text(tmp_path):
    cells = {"mixed": [1, "a"], "large": [10**30], "empty": [{}], "kept": [[1.5, 2], []], "words": ["a", None]}
    frame = read_table(write(tmp_path, "a.jsonl", json.dumps(cells) + "\n" + json.dumps(cells))).frame
    assert frame.loc[1, ["mixed", "large", "empty"]].tolist() == ['[1, "a"]', f"[{10**30}]", "[{}]"]
    assert frame["kept"].tolist() == [[[1.5, 2], []]] * 2 and frame["words"].tolist() == [["a", None]] * 2
    frame.to_parquet(tmp_path / "stored.parquet")


def test_json_nested_too_deep_is_a_bad_line(tmp_path):
    read = read_table(write(tmp_path, "a.jsonl", '{"a": ' + "[" * 100_000 + '\n{"a": 1}\n'))
    assert read.frame["a"].tolist() == [1]
    assert len(read.problems) == 1


def test_json_with_half_a_character_is_a_bad_line(tmp_path):
    read = read_table(write(tmp_path, "a.jsonl", '{"a": "\\ud800"}\n{"\\uD83D": 1}\n{"a": "\\ud83d\\ude00"}\n'))
    assert read.frame["a"].tolist() == ["\U0001f600"]
    assert read.problems.frame["row"].tolist() == [1, 2]


def test_parquet_text_that_is_not_utf8(tmp_path):
    offsets = pa.py_buffer(np.array([0, 1, 2], np.int32).tobytes())
    text = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xfe")])
    pq.write_table(pa.table({"s": text}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_table(tmp_path / "a.parquet")


def test_parquet(tmp_path):
    table = pa.table(
        {
            "v": pa.array([[1.0, 2.0], None], pa.list_(pa.float32())),
            "label": pa.array(["a", "b"]).dictionary_encode(),
            "n": pa.array([1, None], pa.int32()),
            "price": pa.array([1, 2], pa.decimal128(5, 2)),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    frame = read_table(tmp_path / "a.parquet").frame
    assert frame["v"].iloc[0].tolist() == [1.0, 2.0]
    assert frame["label"].tolist() == ["a", "b"] and frame["label"].dtype == "str"
    assert frame["price"].tolist() == [1.0, 2.0]
    assert frame.index.tolist() == [1, 2]


def test_parquet_keeps_the_column_that_pandas_made_its_index(tmp_path):
    pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="id")).to_parquet(tmp_path / "a.parquet")
    assert set(read_table(tmp_path / "a.parquet").frame.columns) == {"a", "id"}


@pytest.mark.parametrize(
    "column",
    [
        pa.array([{"bytes": b"x", "path": "a.png"}], pa.struct({"bytes": pa.binary(), "path": pa.string()})),
        pa.array([b"x"], pa.binary()),
        pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
    ],
)
def test_parquet_columns_that_are_refused_by_name(tmp_path, column):
    pq.write_table(pa.table({"image": column}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="column 'image' of 'a.parquet'"):
        read_table(tmp_path / "a.parquet")


def test_parquet_with_repeated_headers(tmp_path):
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["x", "x"]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="more than one column named 'x'"):
        read_table(tmp_path / "a.parquet")


def test_parquet_cut_short(tmp_path):
    pq.write_table(pa.table({"x": list(range(1000))}), tmp_path / "a.parquet")
    write(tmp_path, "b.parquet", (tmp_path / "a.parquet").read_bytes()[:-100])
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_table(tmp_path / "b.parquet")


def test_problems_add_up():
    total = Problems.of([2, 2, 5], "x", ["picture not found: a", "picture not found: b", "label missing"], "mend")
    both = total + Problems.note("the file is odd", "mend") + Problems(n_total=120)
    assert both.n_rows == 2 and len(both) == 4
    assert both.summary() == (
        "2 of 120 rows were left out: 2 pictures not found, 1 label missing. Note: the file is odd."
    )
    assert list(both.frame.columns) == ["row", "column", "problem", "mend"]
    assert both.frame["row"].tolist() == [0, 2, 2, 5]


def test_a_large_table_is_quick(tmp_path):
    rows = "".join(f"img/{i}.png,caption {i},{i % 7},{i / 3}\n" for i in range(100_000))
    path = write(tmp_path, "a.csv", "image,text,label,x\n" + rows)
    start = time.perf_counter()
    assert len(read_table(path).frame) == 100_000
    assert time.perf_counter() - start < 3  # a loop in Python over the cells takes longer


TABLE_LIKE = st.one_of(
    st.binary(max_size=200),
    st.text(alphabet='ab,;"\n\r\t01.é\\\x1e', max_size=200).map(lambda text: text.encode()),
    st.text(alphabet='ab,"\n', max_size=80).map(lambda text: b"a,b\n1,2\n" + text.encode()),
)


@settings(max_examples=150, deadline=None)
@given(content=TABLE_LIKE, name=st.sampled_from(["a.csv", "a.tsv", "a.txt", "a.jsonl", "a.parquet"]))
def test_any_bytes_give_a_table_or_a_sentence(content, name):
    with tempfile.TemporaryDirectory() as folder:
        try:
            read = read_table(write(Path(folder), name, content))
        except DataError as error:
            assert str(error).endswith(".")
            return
    assert read.frame.index.is_unique
    assert not set(read.frame.index) & set(read.problems.frame["row"])
    assert not read.frame.astype("str").apply(lambda column: column.str.contains("end of table")).any().any()
