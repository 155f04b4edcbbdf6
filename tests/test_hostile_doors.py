"""Hostile files at the two doors: exit code 2 and one line, or one sentence on the page; text is never markup."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import makers
import pandas as pd
import pytest
from hostile import CASES, SENTINEL
from hostile.tables import CAPTIONS
from PIL import Image
from test_cli_bad_input import sentence
from test_pages import installed, opened, pages_only_through_app, words  # noqa: F401 - the last but one is a fixture

import cli

ROOT = Path(__file__).resolve().parent.parent
ROLES = ["--modality", "a=text", "--modality", "b=size", "--label", "label"]
REFUSED = (
    "utf_16-table", "headers_that_repeat-table", "a_cell_of_a_gigabyte-table", "a_hundred_thousand_columns-table",
    "parquet_that_repeats_one_text_into_gigabytes-table", "pt_with_code-features", "npz_with_objects-features",
    "npz_of_zeros-features", "pickle_named_npz-features", "pt_with_one_number_stretched_to_gigabytes-features",
    "dots_in_a_path-archive", "a_million_entries-archive", "line_ends_in_a_refused_name-archive",
    "packed_so_that_all_comes_at_once-archive", "encrypted-archive",
)  # fmt: skip


def made(name: str, folder: Path) -> Path:
    folder.mkdir()
    return next(case for case in CASES if case.name == name).make(folder)


@pytest.mark.parametrize("name", REFUSED)
def test_the_command_line_refuses_in_one_line(name, tmp_path, capsys):
    path, out = made(name, tmp_path / "in"), tmp_path / "run"
    arguments = [path, *ROLES] if name.endswith("table") else [path]
    if name.endswith("archive"):
        table = makers.picture_table(tmp_path / "pictures").table
        roles = ["--modality", "p=drawing", "--modality", "t=caption", "--label", "category"]
        arguments = [table, *roles, "--media", path]
    said = sentence(capsys, "score", *arguments, "--out", out)
    assert "\x1b" not in said and len(said) < 500
    assert not out.exists() or not list(out.iterdir()), "nothing is left half-written"
    assert not (tmp_path / SENTINEL).exists()


def test_a_file_whose_name_is_no_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.npz"
    makers.features_npz(tmp_path / "plain.npz").rename(os.fsdecode(path))
    done = subprocess.run(
        [sys.executable, "cli.py", "score", path, "--out", tmp_path / "run"], capture_output=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1 and b"is not valid UTF-8; rename" in done.stderr


BAD_PICTURES = (
    "svg_named_png-picture", "a_billion_pixels_claimed-picture", "pickle_named_png-picture",
    "bmp_whose_header_lies-picture", "tiff_whose_tags_lie-picture", "a_script_for_ghostscript-picture",
)  # fmt: skip
LABELS = ("<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0 https://example.com :material/home: a->b")


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory) -> Path:
    """Real drawings with captions and labels that are code, and pictures that are none, scored by the command line."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "media").mkdir()
    rows, chance = [], random.Random(0)
    for i in range(40):
        tone = (chance.randrange(90) + 160 * (i % 2), 40, 90)
        Image.new("RGB", (32, 32), tone).save(folder / f"media/{i}.png")
        rows.append({"picture": f"{i}.png", "caption": f"{CAPTIONS[i % len(CAPTIONS)]} {i}", "kind": LABELS[i % 2]})
    for i, name in enumerate(BAD_PICTURES):
        path = made(name, folder / name)
        path.rename(folder / "media" / f"bad{i}{path.suffix}")
        rows.append({"picture": f"bad{i}{path.suffix}", "caption": "bad", "kind": LABELS[0]})
    table = pd.DataFrame(rows)
    table["=note"] = "@SUM(1)"
    table.to_csv(folder / "pairs.csv", index=False)
    options = ["--modality", "picture=picture", "--modality", "<b>words</b>=caption", "--label", "kind"]
    arguments = [folder / "pairs.csv", *options, "--media", folder / "media", "--out", folder / "run"]
    assert cli.main(["score", "--quick", *map(str, arguments)]) == 0
    assert not list(folder.rglob(SENTINEL))
    return makers.run_folder(folder / "run")


def test_every_bad_picture_is_listed_with_its_row(hostile_run):
    problems = pd.read_parquet(hostile_run / "problems.parquet")
    assert problems["row"].tolist() == list(range(41, 47))
    assert problems["problem"].str.startswith("picture not usable: ").all() and problems["mend"].str.endswith(".").all()
    assert len(pd.read_parquet(hostile_run / "scores.parquet")) == 40


def test_an_export_of_it_is_harmless_in_a_spreadsheet(hostile_run, tmp_path):
    assert cli.main(["export", str(hostile_run), "--format", "csv", "--out", str(tmp_path / "out.csv")]) == 0
    frame = pd.read_csv(tmp_path / "out.csv", dtype="str", keep_default_na=False)
    texts = frame.loc[:, ~frame.columns.str.match(r"^[a-z]+[12]*$|known|sure")]
    assert {"item.<b>words</b>", "extra.=note"} <= set(texts.columns)
    for name in texts.columns:
        assert not texts[name].str.startswith(tuple("=+@\t\r\n")).any(), name


MADE_BY_THE_PAGE = re.compile(r"<b style='color:#[0-9A-F]{6}'>■</b>")


@pytest.mark.parametrize("page", ["explore", "curate", "export"])
def test_captions_and_labels_are_text_on_every_page(hostile_run, interplay_home, page):
    app = opened(page, installed(hostile_run, interplay_home))
    assert not app.exception
    for element in (*app.markdown, *app.caption, *app.success, *app.warning, *app.info):
        left = MADE_BY_THE_PAGE.sub("", str(element.value))
        assert not re.search(r"(?<!\\)<(?!br)", left), left
        assert "https\\://" not in left and ":material/home:" not in left.replace("\\", ""), left
    if page == "explore":
        captions = pd.read_parquet(hostile_run / "scores.parquet")["item.<b>words</b>"]
        assert {text.value for text in app.text} & set(captions), "shown as it is"


def test_an_uploaded_table_of_code_is_shown_as_text(tmp_path):
    app = opened("import_data")
    content = made("formulas_and_markup-table", tmp_path / "in").read_bytes()
    app.file_uploader[0].upload("../../a\n<script>" + "x" * 300 + ".csv", content, "text/csv").run()
    assert not app.exception
    assert "pairs in 2 categories are ready" in words(app).replace("\\", "")


@pytest.mark.parametrize("name", ["dots_in_a_path-archive", "packed_so_that_all_comes_at_once-archive"])
def test_an_uploaded_archive_is_refused_in_one_sentence(name, tmp_path):
    made_table = makers.picture_table(tmp_path / "pictures")
    app = opened("import_data")
    app.file_uploader[0].upload("shapes.csv", made_table.table.read_bytes(), "text/csv")
    app.file_uploader[1].upload("m.zip", made(name, tmp_path / "in").read_bytes(), "application/zip").run()
    assert not app.exception
    assert len(app.error) == 1 and "was refused" in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize("name", ["pt_with_code-features", "pickle_named_npz-features"])
def test_uploaded_features_are_refused_in_one_sentence(name, tmp_path):
    path = made(name, tmp_path / "in")
    app = opened("import_data")
    app.segmented_control[0].set_value("Ready-made features").run()
    app.file_uploader[0].upload(path.name, path.read_bytes(), "application/octet-stream").run()
    assert not app.exception
    assert len(app.error) == 1 and "holds Python objects" in app.error[0].value.replace("\\", "")
    assert not (tmp_path / SENTINEL).exists()
