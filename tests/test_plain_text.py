"""Words of others stay words: in our sentences, on the page, in file names, in lists of problems, in a spreadsheet."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_pages import opened, pages_only_through_app  # noqa: F401 - a fixture

from curation.errors import DataError
from curation.export import export_bytes
from curation.importing import ModalityRole, Problems, Roles, build_dataset, read_table
from curation.plainly import listed, one_line, short
from ui.text import plain
from ui.uploads import _file_name

HOSTILE = st.text(st.sampled_from("a \n\r\t\x00\x1b\u2028\u202e<>[]()*_`$:/\\@-=~&#.|wm"), max_size=40) | st.text(
    max_size=40
)


@given(HOSTILE)
def test_a_sentence_has_one_line_and_no_codes(text):
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", str(DataError(text)))
    assert len(short(text, 10)) <= 10 and "\n" not in short(text, 10)
    one_line(text).encode("utf-8")


def test_halves_of_characters_and_long_lists():
    assert one_line("\ud800a\x1b[2J") == "?a [2J"
    assert short("x" * 10_000_000) == "x" * 79 + "…"
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(range(10_000)).endswith("'19' and 9,980 more")


@given(HOSTILE)
def test_a_label_on_the_page_is_the_label(text):
    shown = plain(text)
    assert re.sub(r"\\(.)", r"\1", shown).replace("\u2060", "") == " ".join(
        one_line(text).replace("\u2060", "").split()
    )
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_{}\[\]()#+.!|<>:$~&^=-]", re.sub(r"\\.", "", shown))


@pytest.mark.parametrize("text", ["https://a.de", "www.a.de", "WWW.a.de", "me@a.de", ":material/home:", "a->b", "a--b"])
def test_what_the_page_would_make_of_text_is_broken_up(text):
    assert "\u2060" in plain(text)


@given(HOSTILE)
def test_an_upload_gets_a_name_that_can_be_written(text):
    name = _file_name(text)
    assert name == Path(name).name and name not in ("", ".", "..") and "\\" not in name and one_line(name) == name
    assert len(name.encode("utf-8")) <= 200


def test_an_upload_keeps_its_ending():
    assert _file_name("../a\\b/" + "ü" * 300 + ".csv").endswith("ü.csv")


def test_a_wide_table_with_long_cells_is_shown_in_part():
    names = ["text", *(f"c{i}" for i in range(199)), "label"]
    rows = [",".join(["x" * 100_000, *["1.5"] * 199, "ab"[i % 2]]) for i in range(12)]
    app = opened("import_data")
    app.file_uploader[0].upload("wide.csv", "\n".join([",".join(names), *rows]).encode(), "text/csv").run()
    assert not app.exception
    shown = app.dataframe[0].value
    assert shown.shape == (8, 50) and shown["text"].str.len().max() == 200
    assert any("The first 50 of 201 columns" in caption.value for caption in app.caption)


def test_problems_quote_the_beginning_of_a_cell():
    frame = pd.DataFrame(
        {"text": list("abcdef"), "n": ["1", "2", "x" * 1_000_000, "4", "5", "a\nb"], "y": list("pqpqpq")}
    )
    sides = (ModalityRole("text", ("text",), "text"), ModalityRole("n", ("n",), "numbers"))
    problems = build_dataset(frame, Roles(sides, "y")).problems.frame
    assert problems["row"].tolist() == [3, 6]
    assert problems["problem"].tolist() == [f"number not readable: '{'x' * 79}…'", "number not readable: 'a b'"]


def test_a_thousand_remarks_are_counted():
    said = Problems.of([0] * 1_000, "", [f"remark {i}" for i in range(1_000)], "Mend.").summary()
    assert said.count("Note: ") == 6 and said.endswith("Note: 995 more remarks are in the list.")


def test_labels_that_differ_in_a_null_character_are_one(tmp_path):
    labels = ["p", "p\0", "p", "p\0", "q", "q", "q", "q"]
    lines = [json.dumps({"a": f"word {i}", "n": i, "y": label}) for i, label in enumerate(labels)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    sides = (ModalityRole("a", ("a",), "text"), ModalityRole("n", ("n",), "numbers"))
    data = build_dataset(read_table(tmp_path / "t.jsonl").frame, Roles(sides, "y")).dataset
    assert set(data.labels) == {"p", "q"} and len(data) == 8


@pytest.mark.parametrize("cell", ["\n=1+1", "＝1", "＋1", "－1", "＠x"])
def test_formulas_in_wide_letters_and_after_line_ends(cell):
    assert export_bytes(pd.DataFrame({"t": [cell]}), "csv").decode().startswith(f'"t"\n"\'{cell}')
