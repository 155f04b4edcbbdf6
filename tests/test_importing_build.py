"""From table and roles to a data set, with every lost row accounted for."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from curation.errors import DataError
from curation.importing import (
    ModalityRole,
    Roles,
    build_dataset,
    describe_columns,
    open_media,
    read_table,
    suggest_roles,
)

TEXT = ModalityRole("text", ("text",), "text")
NUMBERS = ModalityRole("body", ("h", "w"), "numbers")
VECTORS = ModalityRole("vec", ("v",), "vectors")
PICTURE = ModalityRole("image", ("image",), "picture")


def table(n: int = 6, **columns: object) -> pd.DataFrame:
    start = {"text": [f"word {i}" for i in range(n)], "h": np.arange(n) + 0.5, "w": np.arange(n) * 2.0}
    start |= {"v": [f"[{i}, 1.5]" for i in range(n)], "y": ["a", "b"] * (n // 2)}
    return pd.DataFrame(start | columns)


def lost(result) -> dict[int, str]:
    frame = result.problems.frame
    return {row: problem for row, problem in zip(frame["row"], frame["problem"], strict=True) if row > 0}


def media_folder(root: Path) -> Path:
    for i in range(6):
        (root / "img").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (i, 0, 0)).save(root / f"img/{i}.png")
        soundfile.write(root / f"{i}.wav", np.zeros(80), 8000)
    (root / "empty.png").write_bytes(b"")
    return root


CSV = """key,image,sound,species,source
k0,img/0.png,0.wav, cat ,web
k1,img/1.png,1.wav,dog,web
k2,./img/2.png,2.wav,cat,book
k3,3.png,3.wav,dog,book
k4,img/none.png,4.wav,cat,web
k5,img/5.png,,dog,web
k6,img/5.png,5.wav,,web
ragged
k8,empty.png,5.wav,bird,web
k9,img/4.png,4.wav,bird,web
"""


@pytest.mark.parametrize("packed", [False, True])
def test_pictures_and_sounds_all_the_way(tmp_path, packed):
    source = media_folder(tmp_path / "media")
    if packed:
        with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
            for path in source.rglob("*.*"):
                archive.write(path, path.relative_to(source))
        source = tmp_path / "m.zip"
    (tmp_path / "t.csv").write_text(CSV)
    media = open_media(source, tmp_path / "out")
    read = read_table(tmp_path / "t.csv")
    result = build_dataset(read.frame, suggest_roles(describe_columns(read.frame, media)), media, "pets")
    data = result.dataset
    assert data.name == "pets"
    assert data.modality_names == ("image", "sound")
    assert data.sample_ids.tolist() == ["k0", "k1", "k2", "k3"]
    assert data.labels.tolist() == ["cat", "dog", "cat", "dog"]
    assert data.rows.tolist() == [1, 2, 3, 4]
    assert [path.name for path in data.modalities[0].items] == ["0.png", "1.png", "2.png", "3.png"]
    assert all(isinstance(path, Path) and path.is_file() for side in data.modalities for path in side.items)
    assert data.extras.to_dict("list") == {"source": ["web", "web", "book", "book"]}
    problems = read.problems + result.problems
    reasons = lost(build_dataset(read.frame, suggest_roles(describe_columns(read.frame)), media))
    assert {row: reason.partition(":")[0] for row, reason in reasons.items()} == {
        5: "picture not found",
        6: "sound missing",
        7: "label missing",
        9: "picture empty",
        10: "sample alone in its category",
    }
    assert problems.n_rows == 6
    assert problems.summary().startswith("6 of 10 rows were left out: ")
    assert "1 picture not found" in problems.summary()
    assert set(problems.frame["mend"].str[-1]) == {"."}
    assert data.take(np.array([2, 0])).sample_ids.tolist() == ["k2", "k0"]


def test_files_beside_the_table(tmp_path):
    root = media_folder(tmp_path / "here")
    Image.new("RGB", (4, 4)).save(tmp_path / "outside.png")
    frame = table(image=["img/0.png", "img\\1.png", "img/2.PNG", "./img/3.png", "../outside.png", "5.png"])
    result = build_dataset(frame, Roles((PICTURE, TEXT), "y"), base=root)
    assert [path.name for path in result.dataset.modalities[0].items] == ["0.png", "1.png", "2.png", "3.png"]
    assert set(lost(result)) == {5, 6}  # beside a table nothing is searched for: "5.png" lies in img
    assert "leads out" in lost(result)[5]


def test_files_without_a_folder():
    with pytest.raises(DataError, match="give the folder or .zip"):
        build_dataset(table(image=["a.png"] * 6), Roles((PICTURE, TEXT), "y"))


def test_text_vectors_and_reasons():
    frame = table(8, text=["a", " ", None, " d ", "e", "f", "g", "h"], y=["p", "q"] * 4)
    frame["v"] = ["[1, 2]", "[1, 2]", "[1, 2]", "[3 4]", "[1, 2, 3]", "[1, inf]", "oops", None]
    frame = pd.concat([frame, table(2, y=["p", "q"])], ignore_index=True)
    result = build_dataset(frame, Roles((TEXT, VECTORS), "y"))
    assert lost(result) == {
        2: "text missing",
        3: "text missing",
        5: "vector of another length: 3 numbers instead of 2",
        6: "vector with a value that is not finite",
        7: "vector not readable",
        8: "vector missing",
    }
    assert result.dataset.modalities[0].items == ["a", "d", "word 0", "word 1"]
    np.testing.assert_array_equal(result.dataset.modalities[1].items, np.float32([[1, 2], [3, 4], [0, 1.5], [1, 1.5]]))
    assert result.dataset.modalities[1].items.dtype == np.float32


def test_text_held_as_python_objects():
    frame = table(text=pd.Series(["a", " ", "c", None, "e", "f"], dtype=object), y=["p", "q", "p", "q", "q", "q"])
    assert set(lost(build_dataset(frame, Roles((TEXT, NUMBERS), "y")))) == {2, 4}


def test_a_usual_length_is_the_most_frequent_one():
    frame = table(v=[[1.0], [1.0, 2.0], [2.0, 2.0], [1.0, 3.0], [1.0, 4.0], np.array([1.0, 5.0])])
    assert list(lost(build_dataset(frame, Roles((TEXT, VECTORS), "y")))) == [1]


def test_numbers_with_gaps_stay():
    frame = table(h=[1.0, np.nan, np.nan, np.inf, 5, 6], w=[1.0, 2, np.nan, 4, 5, np.inf])
    result = build_dataset(frame, Roles((TEXT, NUMBERS), "y"))
    assert lost(result) == {3: "number missing or not finite"}
    np.testing.assert_array_equal(
        result.dataset.modalities[1].items, [[1, 1], [np.nan, 2], [np.nan, 4], [5, 5], [6, np.nan]]
    )
    notes = result.problems.frame.query("row == 0")["problem"].tolist()
    assert notes == [
        "2 cells are empty or not finite in 'h' and counted as unknown",
        "1 cell is empty or not finite in 'w' and counted as unknown",
    ]


def test_a_number_that_is_none_is_listed():
    frame = table(h=["1", "2", "many", "NA", "5", "6"])
    result = build_dataset(frame, Roles((TEXT, NUMBERS), "y"))
    assert lost(result) == {3: "number not readable: 'many'"}
    assert np.isnan(result.dataset.modalities[1].items[2, 0])


def test_numeric_labels_and_identifiers():
    frame = table(y=[3.0, 4.0, 3.0, 4.0, np.nan, 4.5], key=[10, 11, 12, 13, 14, 15])
    result = build_dataset(frame, Roles((TEXT, NUMBERS), "y", "key"))
    assert result.dataset.labels.tolist() == ["3", "4", "3", "4"]
    assert result.dataset.sample_ids.tolist() == ["10", "11", "12", "13"]
    assert lost(result) == {
        5: "label missing",
        6: "sample alone in its category: '4.5' has no other usable sample",
    }


def test_identifiers_that_repeat_are_replaced_and_kept_as_extra():
    result = build_dataset(table(key=["k", "k", "l", "m", "n", "o"]), Roles((TEXT, NUMBERS), "y", "key"))
    assert result.dataset.sample_ids[:2].tolist() == ["row-000001", "row-000002"]
    assert result.dataset.extras["key"].tolist()[:2] == ["k", "k"]
    assert "2 identifiers in 'key' repeat" in result.problems.frame.query("row == 0")["problem"].item()


def test_a_category_that_loses_its_samples_is_left_out():
    frame = table(text=["a", "b", "c", "d", "e", " "], y=["p", "q", "p", "q", "r", "r"])
    result = build_dataset(frame, Roles((TEXT, NUMBERS), "y"))
    assert lost(result)[5].startswith("sample alone in its category: 'r'")
    assert set(result.dataset.labels) == {"p", "q"}


def test_labels_that_differ_in_capitals_are_remarked():
    result = build_dataset(table(8, y=["Cat", "cat"] * 4), Roles((TEXT, NUMBERS), "y"))
    assert "'Cat' and 'cat' differ only in capitals" in result.problems.summary()


def test_an_endless_label_is_left_out():
    assert lost(build_dataset(table(y=["a", "b", "a", "b", "x" * 201, "b"]), Roles((TEXT, NUMBERS), "y"))) == {
        5: "label longer than 200 characters"
    }


@pytest.mark.parametrize(
    ("changes", "roles", "said"),
    [
        ({}, Roles((TEXT,), "y"), "needs two modalities, but 1"),
        ({}, Roles((TEXT, NUMBERS)), "No category column"),
        ({}, Roles((TEXT, TEXT), "y"), "Both modalities are named 'text'"),
        ({}, Roles((TEXT, NUMBERS), "z"), "There is no column 'z'; the columns are 'text', 'h'"),
        ({}, Roles((TEXT, NUMBERS), "text"), "both category and modality"),
        ({}, Roles((TEXT, ModalityRole("x", ("h",), "smell")), "y"), "has the kind 'smell'"),
        ({}, Roles((TEXT, ModalityRole("x", ("h", "w"), "vectors")), "y"), "exactly one column"),
        ({}, Roles((NUMBERS, ModalityRole("x", ("text",), "vectors")), "y"), "No cell of 'text' is a list of numbers"),
        ({}, Roles((VECTORS, ModalityRole("x", ("text",), "numbers")), "y"), "is not made of numbers"),
        ({"y": ["a"] * 6}, Roles((TEXT, NUMBERS), "y"), "only the category 'a' has"),
        ({"y": list("abcdef")}, Roles((TEXT, NUMBERS), "y"), "no category has.*6 of 6 rows were left out"),
        ({"text": [""] * 6}, Roles((TEXT, NUMBERS), "y"), "6 texts missing"),
    ],
)
def test_refusals(changes, roles, said):
    with pytest.raises(DataError, match=said):
        build_dataset(table(**changes), roles)


def test_a_measurement_is_no_category():
    with pytest.raises(DataError, match="60 different numbers.*a category column is needed"):
        build_dataset(table(60, y=np.arange(60) / 7), Roles((TEXT, NUMBERS), "y"))
    many = build_dataset(table(120, y=np.repeat(np.arange(60), 2)), Roles((TEXT, NUMBERS), "y"))
    assert len(np.unique(many.dataset.labels)) == 60


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "", " ", "b"]),
            st.sampled_from(["1", "x", "", "inf", "2"]),
            st.sampled_from(["p", "q", "", "r"]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_row_is_either_in_or_listed(rows):
    frame = pd.DataFrame(rows, columns=["text", "h", "y"], dtype="str")
    roles = Roles((TEXT, ModalityRole("n", ("h",), "numbers")), "y")
    try:
        result = build_dataset(frame, roles)
    except DataError as error:
        assert str(error).endswith(".")
        return
    inside = {int(name.removeprefix("row-")) for name in result.dataset.sample_ids}
    assert result.dataset.rows.tolist() == sorted(inside)
    assert inside | set(lost(result)) == set(range(1, len(rows) + 1))
    assert not inside & set(lost(result))
    assert result.problems.n_rows + len(result.dataset) == len(rows)
