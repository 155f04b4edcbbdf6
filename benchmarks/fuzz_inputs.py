"""Files that no sane program writes: valid ones, spoilt in all the usual ways, and some put together from odd parts."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from benchmarks.fuzz_seeds import seeds

__all__ = ["inputs"]

ODD_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**62, 2**64 - 1)
ODD_CELLS = ("", " ", "a", "ä", "0", "1", "-1.5", "007", "1e999", "nan", "inf", "=1+1", "[1, 2]", "[1 2]", "[]",
             "[nan, 1]", "a.png", "../a.png", "/etc/passwd", "a\nb", '"', "\t", "\0", "\x1e", "\u202e", "\U0001f600",
             "true", "x" * 300, "9" * 400, "2020-01-01", "<script>", "{", "a.wav")  # fmt: skip
ODD_NAMES = (
    "a",
    "b",
    "label",
    "image",
    "text",
    "id",
    "y",
    "v",
    "",
    " ",
    "a",
    "ä",
    "=x",
    "x" * 600,
    "a\nb",
    "1",
    "both",
)


def inputs(reader: str) -> st.SearchStrategy[tuple[str, bytes]]:
    """Return a strategy of file names and contents for a reader.

    Parameters
    ----------
    reader : str
        One of ``fuzz_readers.READERS``.

    Returns
    -------
    hypothesis strategy of (str, bytes)
    """
    ways = [spoilt(reader), spoilt(reader)]
    if reader in STRUCTURED:
        ways.append(STRUCTURED[reader]())
    return st.one_of(ways)


@st.composite
def spoilt(draw: st.DrawFn, reader: str) -> tuple[str, bytes]:
    """One of the seeds with one to four faults; sometimes under the name of another."""
    corpus = seeds(reader)
    name, content = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(1, 4))):
        fault = draw(st.sampled_from(FAULTS))
        content = fault(draw, content, corpus)
    other = draw(st.sampled_from([name] * 9 + [corpus[0][0]]))
    return other, content


def _place(draw: st.DrawFn, content: bytes) -> int:
    """A place to spoil: anywhere, but often near the beginning or the end, where formats keep their headers."""
    last = max(len(content) - 1, 0)
    near = st.one_of(st.integers(0, min(last, 64)), st.integers(max(0, last - 256), last))
    return draw(st.one_of(near, st.integers(0, last)))


def _flip(draw: st.DrawFn, content: bytes, corpus: list) -> bytes:
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 8))):
        if data:
            data[_place(draw, content)] ^= draw(st.integers(1, 255))
    return bytes(data)


def _cut(draw: st.DrawFn, content: bytes, corpus: list) -> bytes:
    place = _place(draw, content)
    return content[:place] if draw(st.booleans()) else content[place:]


def _leave_out(draw: st.DrawFn, content: bytes, corpus: list) -> bytes:
    place = _place(draw, content)
    return content[:place] + content[place + draw(st.integers(1, 64)) :]


def _splice(draw: st.DrawFn, content: bytes, corpus: list) -> bytes:
    other = draw(st.sampled_from(corpus))[1]
    place = _place(draw, other)
    part = other[place : place + draw(st.integers(1, 400))]
    return content[: (at := _place(draw, content))] + part + content[at + draw(st.sampled_from([0, len(part)])) :]


def _repeat(draw: st.DrawFn, content: bytes, corpus: list) -> bytes:
    place, size = _place(draw, content), draw(st.integers(1, 64))
    return content[:place] + content[place : place + size] * draw(st.integers(2, 50)) + content[place + size :]


def _number(draw: st.DrawFn, content: bytes, corpus: list) -> bytes:
    """Overwrite a field with a number that programs do not expect."""
    value, form = draw(st.sampled_from(ODD_NUMBERS)), draw(st.sampled_from("BHIQ"))
    packed = struct.pack(draw(st.sampled_from("<>")) + form, value & (2 ** (8 * struct.calcsize(form)) - 1))
    place = _place(draw, content)
    return content[:place] + packed + content[place + len(packed) :]


def _insert(draw: st.DrawFn, content: bytes, corpus: list) -> bytes:
    place = _place(draw, content)
    return content[:place] + draw(st.binary(min_size=1, max_size=40)) + content[place:]


def _digits(draw: st.DrawFn, content: bytes, corpus: list) -> bytes:
    """Change a number written in digits, as headers of arrays and JSON have them."""
    places = [i for i, byte in enumerate(content[:4096]) if 48 <= byte <= 57]
    if not places:
        return content
    place = draw(st.sampled_from(places))
    return content[:place] + draw(st.sampled_from([b"-1", b"0", b"9" * 12, b"1e9", b"''", b"["])) + content[place + 1 :]


FAULTS = (_flip, _flip, _cut, _leave_out, _splice, _repeat, _number, _number, _insert, _digits)


@st.composite
def delimited(draw: st.DrawFn) -> tuple[str, bytes]:
    """Text that is nearly a table."""
    separator = draw(st.sampled_from(",;\t|"))
    width = draw(st.integers(1, 6))
    cell = st.one_of(st.sampled_from(ODD_CELLS), st.text(max_size=8))
    names = draw(st.lists(st.sampled_from(ODD_NAMES), min_size=1, max_size=width))
    rows = draw(st.lists(st.lists(cell, min_size=0, max_size=width + 1), max_size=14))
    quoting = draw(st.sampled_from(["all", "none", "some"]))
    lines = [separator.join(_quoted(c, quoting) for c in row) for row in [names, *rows, *rows[:4]]]
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)
    encoding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "cp1252", "latin-1", "shift-jis"]))
    return draw(st.sampled_from(["t.csv", "t.tsv", "t.txt"])), text.encode(encoding, "replace")


def _quoted(cell: str, quoting: str) -> str:
    if quoting == "none" or (quoting == "some" and len(cell) % 2):
        return cell
    return '"' + cell.replace('"', '""') + '"'


ODD_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from(ODD_CELLS),
    st.text(max_size=8),
)
ODD_VALUES = st.recursive(
    ODD_SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(ODD_NAMES), inner, max_size=3),
    max_leaves=6,
)
BROKEN_LINES = ("", "{", "null", "[1]", '{"a": "\\ud800"}', '{"a": NaN}', "[" * 999)


@st.composite
def json_lines(draw: st.DrawFn) -> tuple[str, bytes]:
    """Objects of any values, some lines broken."""
    record = st.dictionaries(st.sampled_from(ODD_NAMES), ODD_VALUES, max_size=5)
    records = draw(st.lists(record, max_size=10))
    lines = [json.dumps(record, ensure_ascii=draw(st.booleans())) for record in records + records[:5]]
    lines += draw(st.lists(st.sampled_from(BROKEN_LINES), max_size=3))
    return "t.jsonl", "\n".join(lines).encode("utf-8", "surrogatepass")


PARQUET_TYPES = (
    pa.int8(), pa.uint64(), pa.float16(), pa.float64(), pa.bool_(), pa.string(), pa.large_string(), pa.string_view(),
    pa.binary(), pa.date32(), pa.timestamp("ns", "UTC"), pa.time64("us"), pa.duration("ms"), pa.decimal128(9, 2),
    pa.decimal256(60, 3), pa.null(), pa.list_(pa.float32()), pa.list_(pa.string()), pa.list_(pa.list_(pa.int64())),
    pa.large_list(pa.float64()), pa.list_(pa.float32(), 2), pa.dictionary(pa.int8(), pa.string()), pa.uuid(),
    pa.struct({"a": pa.int8()}), pa.map_(pa.string(), pa.int8()), pa.list_(pa.struct({"a": pa.int8()})),
    pa.list_(pa.binary()), pa.list_(pa.dictionary(pa.int32(), pa.string())), pa.list_(pa.date32()), pa.json_(),
)  # fmt: skip


@st.composite
def parquet(draw: st.DrawFn) -> tuple[str, bytes]:
    """Whole Parquet files of types that tables rarely have."""
    size = draw(st.integers(0, 12))
    kinds = draw(st.lists(st.sampled_from(PARQUET_TYPES), min_size=1, max_size=4))
    columns = [_array(draw, kind, size) for kind in kinds]
    names = draw(st.lists(st.sampled_from(ODD_NAMES), min_size=len(kinds), max_size=len(kinds)))
    buffer = io.BytesIO()
    try:
        pq.write_table(pa.table([*columns, pa.array(["x", "y"] * 6)[:size]], names=[*names, "label"]), buffer)
    except (pa.ArrowException, ValueError):  # not every type can be written
        return "t.parquet", b"PAR1"
    return "t.parquet", buffer.getvalue()


def _array(draw: st.DrawFn, kind: pa.DataType, size: int) -> pa.Array:
    """Values of the type made from raw bytes where it has a fixed width, and none otherwise."""
    values = draw(st.lists(st.sampled_from([None, 0, 1, 2.5, "a", "", [1, 2], [1], ["a"], b"x", {"a": 1}, [[1], []]]),
                           min_size=size, max_size=size))  # fmt: skip
    made = []
    for value in values:
        try:
            pa.array([value], kind)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            value = None
        made.append(value)
    return pa.array(made, kind)


@st.composite
def archive(draw: st.DrawFn) -> tuple[str, bytes]:
    """A .zip with odd names, methods and attributes."""
    buffer = io.BytesIO()
    names = st.one_of(
        st.sampled_from([*ODD_CELLS, "a/../b", "a\\b", "C:a", "a/", "./a", "a//b", "d/" * 70]), st.text(max_size=20)
    )
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in draw(st.lists(names, max_size=6, unique=True)):
            entry = zipfile.ZipInfo(name.encode("utf-8", "replace").decode() or "x")
            entry.external_attr = draw(st.sampled_from([0, 0o100644, 0o120777, 0o040755, 0o060666])) << 16
            method = draw(st.sampled_from([0, 8, 8, 8, 12, 14]))
            packed.writestr(entry, draw(st.sampled_from([b"", b"x", bytes(5_000)])), method)
    return "a.zip", buffer.getvalue()


SHAPES = ((), (0,), (8,), (8, 1), (8, 3), (8, 0), (8, 2, 2), (7, 3))
TYPES = ("f8", "f4", "f2", "i8", "u1", "?", "U3", "S3", "c8", "M8[D]", "m8[s]", "i4,f4")


@st.composite
def features(draw: st.DrawFn) -> tuple[str, bytes]:
    """Two arrays and labels, plausible or not, and some more, as NPZ."""
    usual = {"x1": (8, 3), "x2": (8, 1), "y": (8,)}
    more = draw(st.lists(st.sampled_from(["ids", "label", "a\nb", "train_targets", "é"]), max_size=2, unique=True))
    arrays = {}
    for name in [*usual, *more]:
        plain = draw(st.sampled_from([True, True, True, False]))
        shape = usual.get(name, (8,)) if plain else draw(st.sampled_from(SHAPES))
        kind = draw(st.sampled_from(("u1", "u1", "f4", "i8"))) if plain else draw(st.sampled_from(TYPES))
        raw = np.resize(np.frombuffer(draw(st.binary(min_size=9, max_size=64)), np.uint8), 8 * 96)
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        if plain and name == "y":
            arrays[name] = np.arange(8) % 2
            continue
        made = np.full(shape, "ab") if kind == "U3" else np.frombuffer(raw[:size].tobytes(), kind).reshape(shape)
        arrays[name] = made
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return "a.npz", buffer.getvalue()


STRUCTURED = {
    "table": lambda: st.one_of(delimited(), json_lines(), parquet()),
    "roles": lambda: st.one_of(delimited(), json_lines(), parquet()),
    "archive": archive,
    "features": features,
}
