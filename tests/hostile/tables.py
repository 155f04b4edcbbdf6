"""Tables: wrong encodings, ragged and endless rows, formulas, markup, and Parquet that lies about itself."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hostile import handled, refused
from hostile.features import Evil, written

CAPTIONS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[click](javascript:alert(1))", "=HYPERLINK(\"x\")",
    "@SUM(1+1)*cmd|' /C calc'!A0", "+1+1", "-2+3", "\t=1", "../../etc/passwd", "a\nb", "\u202eesrever",
    "$\\frac{1}{2}$",
)  # fmt: skip


def pairs(n: int = 24, caption: str = "") -> list[dict]:
    return [
        {"text": caption or f"word {i}", "size": i % 7 + 0.5, "label": ("cat", "dog")[i % 2], "note": f"note {i % 5}"}
        for i in range(n)
    ]


def csv(rows: list[dict]) -> str:
    quoted = [",".join('"' + str(cell).replace('"', '""') + '"' for cell in row.values()) for row in rows]
    return "\n".join([",".join(rows[0]), *quoted, ""])


def sparse(path: Path, start: bytes, filling: bytes, size: int) -> Path:
    """A file of that size, of which only the beginning is really on the disk."""
    with path.open("wb") as stream:
        stream.write(start)
        for _ in range(20):
            stream.write(filling * (1 << 20))
        stream.truncate(size)
    return path


@handled("table", "Windows-1252")
def windows_letters(folder):
    return written(folder / "t.csv", csv(pairs(caption="café")).encode("cp1252"))


@refused("table", "not a plain text table")
def utf_16(folder):
    return written(folder / "t.csv", csv(pairs()).encode("utf-16"))


@refused("table", "neither UTF-8 nor Windows-1252")
def japanese_letters(folder):
    return written(folder / "t.csv", csv(pairs(caption="表ソ申\u3000")).encode("shift-jis"))


@handled("table", "row with too many cells")
def ragged_rows(folder):
    return written(folder / "t.csv", (csv(pairs()) + "1,2\n1,2,3,4,5\n").encode())


@refused("table", "More than 100,000 rows")
def nothing_but_ragged_rows(folder):
    return written(folder / "t.csv", b"a,b\n" + b"x\n" * 3_000_000)


@refused("table", "more than one column named 'text'")
def headers_that_repeat(folder):
    return written(folder / "t.csv", csv(pairs()).replace("note", "text", 1).encode())


@handled("table", megabytes=400)
def ten_thousand_columns(folder):
    names = ",".join(f"c{i}" for i in range(10_000))
    rows = "\n".join(",".join(f"{(i * j) % 9}.5" for j in range(10_000)) + f",{'ab'[i % 2]}" for i in range(8))
    return written(folder / "t.csv", f"{names},label\n{rows}\n".encode())


@refused("table", "more than 20,000")
def a_hundred_thousand_columns(folder):
    return written(
        folder / "t.csv", (",".join(f"c{i}" for i in range(100_000)) + "\n" + "1," * 99_999 + "1\n").encode()
    )


@refused("table", "a row of more than 16 MB")
def a_cell_of_a_gigabyte(folder):
    return sparse(folder / "t.csv", b'text,label\n"', b"a", 2**30)


@refused("table", "larger than 2 GB")
def a_cell_of_three_gigabytes(folder):
    return sparse(folder / "t.csv", b'text,label\n"', b"a", 3 * 2**30)


@refused("table", "endless cell", megabytes=500)
def a_cell_of_a_hundred_megabytes_on_many_lines(folder):
    return written(folder / "t.csv", b'text,label\nx,a\n"' + b"line of a cell\n" * 7_000_000 + b'",b\n')


@refused("table", "a row of more than 16 MB")
def a_json_line_of_half_a_gigabyte(folder):
    return sparse(folder / "t.jsonl", b'{"text": "', b"a", 500 * 2**20)


@refused("table", "larger than 0.5 GB")
def a_json_line_of_a_gigabyte(folder):
    return sparse(folder / "t.jsonl", b'{"text": "', b"a", 2**30)


@refused("table", "different names", megabytes=300)
def json_lines_with_names_of_their_own(folder):
    line = "{" + ", ".join(f'"k{i}": 1' for i in range(21_000)) + "}\n"
    return written(folder / "t.jsonl", line.encode())


@refused("table", "cells; save it as Parquet", megabytes=1_200)
def json_lines_that_make_a_billion_cells(folder):
    lines = [b'{"k%d": 1}\n' % (i % 15_000) for i in range(30_000)]
    return written(folder / "t.jsonl", b"".join(lines))


@handled("table", "lines not readable as JSON")
def json_lines_of_all_kinds(folder):
    odd = ['{"text": ' + "[" * 50_000, '{"text": "\\ud800"}', "[1]", "null", '{"size": ' + "9" * 5_000 + "}", "{}"]
    rows = [json.dumps(row | {"note": [1, "a", {"x": [True]}], "label": "a\0"}) for row in pairs(6)]
    rows += [json.dumps(row | {"size": 10**40, "label": "b"}) for row in pairs(6)]
    return written(folder / "t.jsonl", "\n".join(rows + odd).encode())


@handled("table")
def formulas_and_markup(folder):
    rows = [row | {"text": caption, "note": caption} for row, caption in zip(pairs(), CAPTIONS * 2, strict=True)]
    return written(folder / "t.csv", csv(rows).encode())


@handled("table", "not found")
def names_of_files_that_lead_out(folder):
    names = ["../a.png", "/etc/passwd.png", "a\nb.png", "x" * 300 + ".png", f"{folder.name}/" * 500 + "a.png", "ok.png"]
    (folder / "ok.png").write_bytes(b"x")
    rows = [row | {"picture": name} for row, name in zip(pairs(), names * 4, strict=True)]
    rows += [row | {"picture": "ok.png"} for row in pairs(8)]
    return written(folder / "t.csv", csv(rows).encode())


@refused("table", "cannot be read as a table|never closed")
def a_quote_that_is_never_closed(folder):
    return written(folder / "t.csv", b'a,b\n"' + b"1,2\n" * 20_000_000)


@refused("table", "header of")
def a_header_of_a_hundred_thousand_characters(folder):
    return written(folder / "t.csv", b"a" * 100_000 + b",label\n1,2\n")


def parquet(folder: Path, table: pa.Table, **options: object) -> Path:
    pq.write_table(table, folder / "t.parquet", **options)
    return folder / "t.parquet"


def table(n: int = 24) -> pa.Table:
    return pa.Table.from_pylist(pairs(n))


@refused("table", "far more than its own size", megabytes=500)
def parquet_that_repeats_one_text_into_gigabytes(folder):
    one = pa.DictionaryArray.from_arrays(np.zeros(2_000_000, np.int32), ["x" * 2_000])
    return parquet(folder, pa.table({"text": one}))


@refused("table", "far more than its own size", megabytes=600)
def parquet_that_repeats_the_beginnings_of_texts(folder):
    texts = pa.array(["x" * 20_000]).take(pa.array(np.zeros(14_000, np.int64)))
    encoding = {"text": "DELTA_BYTE_ARRAY"}
    return parquet(folder, pa.table({"text": texts}), use_dictionary=False, column_encoding=encoding)


@refused("table", "far more than its own size", megabytes=500)
def parquet_that_repeats_one_text_in_lists(folder):
    one = pa.DictionaryArray.from_arrays(np.zeros(2_000_000, np.int32), ["x" * 2_000])
    lists = pa.ListArray.from_arrays(np.arange(0, 2_000_001, 1_000, dtype=np.int32), one)
    return parquet(folder, pa.table({"text": lists}))


@refused("table", "far more than its own size")
def parquet_with_one_list_of_a_hundred_million_numbers(folder):
    """The footer says so; the page would follow it."""
    lists = pa.ListArray.from_arrays([0, 2_000_003], np.zeros(2_000_003, np.int8))
    return lying_parquet(folder, pa.table({"v": lists}), 2_000_003, 99_000_000, -1)


def varint(value: int) -> bytes:
    """As the footer writes numbers: zigzag, seven bits a byte."""
    value, out = value << 1, bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def lying_parquet(folder: Path, table: pa.Table, true: int, told: int, times: int) -> Path:
    path = parquet(folder, table, row_group_size=len(table))
    data = path.read_bytes()
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer = data[start:].replace(varint(true), varint(told), times)
    assert footer != data[start:] and len(footer) == len(data) - start
    return written(path, data[:start] + footer)


def zeros() -> pa.Table:
    return pa.table({"v": np.zeros(5_000_017, np.int8)})


@refused("table", "rows, more than 20,000,000")
def parquet_that_says_a_hundred_million_rows(folder):
    return lying_parquet(folder, zeros(), 5_000_017, 99_000_000, -1)


@refused("table", "cannot be read as Parquet")
def parquet_that_says_fewer_values_than_rows(folder):
    return lying_parquet(folder, zeros(), 5_000_017, 4_000_017, 1)


@refused("table", "cannot be read as Parquet", megabytes=300)
def parquet_with_a_text_of_two_gigabytes_declared(folder):
    path = parquet(folder, pa.table({"text": ["hello", "there"]}), use_dictionary=False, compression="none")
    data = path.read_bytes().replace(b"\5\0\0\0hello", b"\xff\xff\xff\x7fhello")
    return written(path, data)


@refused("table", "cannot be read as Parquet")
def parquet_with_a_footer_of_two_gigabytes(folder):
    return written(folder / "t.parquet", b"PAR1" + bytes(100) + b"\xff\xff\xff\x7fPAR1")


@refused("table", "cannot be read as Parquet")
def parquet_whose_footer_lists_two_billion_columns(folder):
    footer = b"\x15\x02\x19\xfc\xff\xff\xff\xff\x07" + bytes(20)
    return written(folder / "t.parquet", b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


@refused("table", "cannot be read as Parquet")
def parquet_encrypted(folder):
    data = parquet(folder, table()).read_bytes()
    return written(folder / "t.parquet", b"PARE" + data[4:-4] + b"PARE")


@refused("table", "cannot be read as Parquet")
def parquet_cut_short(folder):
    return written(folder / "t.parquet", parquet(folder, table()).read_bytes()[:-200])


@handled("table")
def parquet_with_a_pickled_type(folder):
    noted = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(Evil(folder))}
    plain = table()
    field = plain.schema.field("size").with_metadata(noted)
    return parquet(folder, plain.cast(plain.schema.set(plain.schema.get_field_index("size"), field)))


@refused("table", "more than 20,000")
def parquet_of_thirty_thousand_columns(folder):
    return parquet(folder, pa.table({f"c{i}": [1] for i in range(30_000)}))


@refused("table", "more than one column named 'text'")
def parquet_with_headers_that_repeat(folder):
    plain = table()
    return parquet(folder, plain.append_column("text", plain["note"]))
