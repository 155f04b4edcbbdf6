"""Recognising columns, suggesting roles, and modalities from the command line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from curation.errors import DataError
from curation.importing import ModalityRole, describe_columns, open_media, parse_modality, read_table, suggest_roles

HEADER = "sample_id,imagePath,clip,caption,species,weight,height,emb,note,empty,when_true,kind_of"
N = 24


@pytest.fixture
def frame(tmp_path) -> pd.DataFrame:
    rows = [
        f"{i:03d},img/{i}.jpg,{i}.wav,a caption that repeats {i % 3},{'cat' if i % 2 else 'dog'},{i * 1.5},{i + 100},"
        f'"[{i}, 0.5, 1]",a note on number {i},,{i},{"red" if i % 2 else "blue"}'
        for i in range(N)
    ]
    (tmp_path / "t.csv").write_text("\n".join([HEADER, *rows]))
    return read_table(tmp_path / "t.csv").frame


def test_kinds(frame):
    found = {d.name: d for d in describe_columns(frame)}
    assert {name: d.kind for name, d in found.items()} == {
        "sample_id": "identifier",
        "imagePath": "picture",
        "clip": "sound",
        "caption": "text",
        "species": "label",
        "weight": "numbers",
        "height": "numbers",
        "emb": "vectors",
        "note": "text",
        "empty": "other",
        "when_true": "numbers",
        "kind_of": "label",
    }
    assert found["species"].n_distinct == 2 and found["species"].example == "dog"
    assert found["empty"].n_missing == N
    assert found["emb"].reason == "Cells are lists of 3 numbers."
    assert all(d.reason.endswith(".") for d in found.values())


def kind_of(name: str, values: object) -> str:
    return describe_columns(pd.DataFrame({name: values}))[0].kind


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("label", [0, 1, 0, 1], "label"),
        ("count", [0, 1, 0, 1], "numbers"),
        ("target", [0.1, 0.2, 0.3, 0.4], "numbers"),
        ("id", [1, 2, 3, 4], "identifier"),
        ("id", [1, 1, 3, 4], "numbers"),
        ("width", [1, 2, 3, 4], "numbers"),  # ends in "id"-like letters, is none
        ("flag", [True, False, True, False], "label"),
        ("class", ["a", "b", "b", "b"], "label"),
        ("word", ["a", "b", "b", "b"], "text"),
        ("same", ["a", "a", "a"], "other"),
        ("same", [1, 1, 1], "other"),
        ("day", pd.to_datetime(["2020-01-01", "2020-01-02"]), "other"),
        ("v", [np.ones(3), np.zeros(3), None], "vectors"),
        ("v", [[1, 2], [1], [1, 2, 3]], "other"),
        ("v", [["a"], ["b"]], "other"),
        ("v", ["[1.0  2.0]", "[3. 4.]"], "vectors"),
        ("v", ["[unknown] said a", "[laughs] and left"], "text"),
        ("file", ["a.PNG", "b.jpeg", "-"], "picture"),
        ("file", ["a.flac", "b.mp3", None], "sound"),
        ("x", ["nan", None], "text"),
        ("x", pd.Series(["one", " ", "two"], dtype=object), "text"),
        ("x", pd.Series([True, None, False, True, False], dtype=object), "label"),
    ],
)
def test_single_columns(name, values, kind):
    assert kind_of(name, values) == kind


def test_reason_says_how_many_files_are_there(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    frame = pd.DataFrame({"image": ["a.png", "b.png"]})
    for where in ({"media": open_media(tmp_path)}, {"folder": tmp_path}):
        assert "1 of the first 2 files were found" in describe_columns(frame, **where)[0].reason


def test_roles(frame):
    roles = suggest_roles(describe_columns(frame))
    assert roles.modalities == (
        ModalityRole("image", ("imagePath",), "picture"),
        ModalityRole("clip", ("clip",), "sound"),
    )
    assert (roles.label, roles.identifier) == ("species", "sample_id")


def test_numbers_are_one_modality(frame):
    roles = suggest_roles(describe_columns(frame[["weight", "imagePath", "height", "kind_of"]]))
    assert roles.modalities == (
        ModalityRole("image", ("imagePath",), "picture"),
        ModalityRole("numbers", ("weight", "height"), "numbers"),
    )
    assert (roles.label, roles.identifier) == ("kind_of", None)


def test_names_that_would_read_alike_stay_as_they_are():
    frame = pd.DataFrame({"image_path": ["a.png"], "image_file": ["b.png"]})
    assert [role.name for role in suggest_roles(describe_columns(frame)).modalities] == ["image_path", "image_file"]


def test_nothing_to_suggest():
    assert suggest_roles(()).modalities == ()


def test_parse_modality(frame):
    frame = frame.rename(columns={"note": "note, long", "caption": "a=b"})
    known = describe_columns(frame)
    assert parse_modality("photo=imagePath", frame, known) == ModalityRole("photo", ("imagePath",), "picture")
    assert parse_modality("body=height, weight", frame, known) == ModalityRole("body", ("height", "weight"), "numbers")
    assert parse_modality("n=note, long", frame, known) == ModalityRole("n", ("note, long",), "text")
    assert parse_modality("t = a=b", frame, known) == ModalityRole("t", ("a=b",), "text")
    assert parse_modality("t=species", frame, known).kind == "text"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("imagePath", "not of the form NAME=COLUMN"),
        ("=imagePath", "not of the form"),
        ("x=", "not of the form"),
        ("x=imagepath", "There is no column 'imagepath'.*the columns are 'sample_id', 'imagePath'"),
        ("x=height,,weight", "There is no column ''"),
        ("x=height,note", "'note' is not made of numbers"),
        ("x=height,height", "names a column twice"),
    ],
)
def test_parse_modality_refuses(frame, text, said):
    with pytest.raises(DataError, match=said):
        parse_modality(text, frame, describe_columns(frame))


def test_a_column_that_can_be_no_modality():
    frame = pd.DataFrame({"day": pd.to_datetime(["2020-01-01"])})
    with pytest.raises(DataError, match="cannot be a modality"):
        parse_modality("x=day", frame, describe_columns(frame))
