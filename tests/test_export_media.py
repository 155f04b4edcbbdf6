"""Exports with media: opened by Hugging Face's own library, whole, linked on request, and never outside the target."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import makers
import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

import cli
from curation.errors import DataError
from curation.exploring import Samples
from curation.export import Choice, choose, make_file
from curation.workspace import open_run

PLACE = re.compile(r"media/\d{7}-[12](\.[a-z0-9]{1,8})?")


@pytest.fixture(scope="module")
def hugging(tmp_path_factory):
    """Return ``load_dataset`` of the library, kept from asking anybody for anything."""
    with pytest.MonkeyPatch.context() as patch:
        cache = tmp_path_factory.mktemp("hugging")
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
            patch.setenv(name, "1")
        import datasets  # once the variables are set: it reads them when imported

        datasets.disable_progress_bars()
        yield lambda kind, folder: datasets.load_dataset(
            kind, data_dir=str(folder), cache_dir=str(cache / folder.name), split="train"
        )


def chosen_with(small_run, kinds: dict[str, str], items: dict[str, list[str]], **columns: list):
    """The small run as if its sides were of other kinds; only the scores are those of ready-made features."""
    told = {f"item.{name}": values for name, values in items.items()}
    n = len(next(iter(items.values())))
    scores = small_run.scores.iloc[:n].rename(columns=dict(zip(
        [f"{w}.{o}" for o in ("image", "text") for w in ("says", "sure")],
        [f"{w}.{o}" for o in kinds for w in ("says", "sure")], strict=True,
    ))).assign(**told, **columns)  # fmt: skip
    summary = small_run.summary | {"modalities": [{"name": n, "kind": k} for n, k in kinds.items()]}
    run = replace(small_run, scores=scores, summary=summary)
    workspace = open_run(small_run.folder)[0]
    return choose(workspace, run, Samples(run), Choice())


def pictures_of(folder: Path, names: list[str]) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names):
        Image.new("RGB", (8, 8), (10 * k, 0, 255 - 10 * k)).save(folder / name, "PNG")
    return [str(folder / name) for name in names]


def sounds_of(folder: Path, count: int) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        soundfile.write(folder / f"{k}.wav", np.sin(np.arange(800) * (k + 1) / 20) / 3, makers.RATE)
    return [str(folder / f"{k}.wav") for k in range(count)]


def unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as pack:
        assert pack.testzip() is None
        pack.extractall(folder)
    return folder


def test_an_archive_opens_as_an_imagefolder(picture_run, hugging, tmp_path, capsys):
    out = tmp_path / "shapes.zip"
    assert cli.main(["export", str(picture_run), "--format", "zip", "--out", str(out)]) == 0
    assert "75 samples written to" in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == ["shapes.zip"]
    folder = unpacked(out, tmp_path / "shapes")
    found, scores = hugging("imagefolder", folder), open_run(picture_run)[1].scores
    assert found["label"] == scores["label"].tolist() and found["text"] == scores["item.text"].tolist()
    assert np.array_equal(found["r"], scores["r"]) and found["sample_id"] == scores["sample_id"].tolist()
    for row in (0, 40, 74):
        kept = Image.open(scores["item.picture"][row]).convert("RGB")
        assert np.array_equal(np.asarray(found[row]["image"].convert("RGB")), np.asarray(kept))
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    there = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert set(there) == {f["name"] for f in told["files"]} | {"manifest.json"}
    for file in told["files"]:
        assert hashlib.sha256(there[file["name"]].read_bytes()).hexdigest() == file["sha256"], file["name"]
    assert told["open_with"].startswith('datasets.load_dataset("imagefolder"') and told["left_out"] == []


@pytest.mark.parametrize("links", ["copies", "hard", "symbolic"])
def test_a_folder_can_be_made_of_links(picture_run, hugging, tmp_path, links):
    out = tmp_path / f"shapes-{links}"
    options = [] if links == "copies" else ["--links", links]
    where = '{"kind": "categories", "labels": ["circle", "cross"]}'
    command = ["export", str(picture_run), "--format", "folder", "--where", where, *options, "--out", str(out)]
    assert cli.main(command) == 0
    found, scores = hugging("imagefolder", out), open_run(picture_run)[1].scores
    wanted = scores[scores["label"].isin(["circle", "cross"])]
    assert found["sample_id"] == wanted["sample_id"].tolist() and found[3]["image"].size == (96, 96)
    for line, source in zip((out / "metadata.jsonl").read_text().splitlines(), wanted["item.picture"], strict=True):
        file = out / json.loads(line)["file_name"]
        assert file.read_bytes() == Path(source).read_bytes()
        assert file.is_symlink() == (links == "symbolic")
        assert (file.stat().st_ino == Path(source).stat().st_ino) == (links != "copies")
    assert cli.main(command) == 2, "nothing is overwritten"
    told = json.loads((out / "manifest.json").read_text())["again"]
    assert ("--links" in told["command"]) == (links != "copies")


def test_a_folder_can_list_the_files_instead(picture_run, tmp_path):
    out = tmp_path / "listed"
    assert cli.main(["export", str(picture_run), "--format", "folder", "--links", "paths", "--out", str(out)]) == 0
    assert sorted(p.name for p in out.rglob("*")) == ["manifest.json", "samples.jsonl"]
    lines = pd.read_json(out / "samples.jsonl", lines=True)
    assert lines["path.picture"].tolist() == open_run(picture_run)[1].scores["item.picture"].tolist()


def test_sounds_open_as_an_audiofolder(small_run, hugging, tmp_path, ffmpeg):
    sounds = sounds_of(tmp_path / "s", 6)
    chosen = chosen_with(small_run, {"noise": "sound", "words": "text"}, {"noise": sounds, "words": list("abcdef")})
    assert (
        make_file(chosen, "folder", tmp_path / "out").manifest["open_with"].startswith('datasets.load_dataset("audio')
    )
    found = hugging("audiofolder", tmp_path / "out")
    assert found["text"] == list("abcdef") and found["label"] == chosen.frame["label"].tolist()
    for row, source in enumerate(sounds):
        heard, wanted = found[row]["audio"].get_all_samples(), soundfile.read(source, dtype="float32")[0]
        assert heard.sample_rate == makers.RATE
        np.testing.assert_allclose(heard.data.numpy(), wanted[None], atol=1e-6)


def test_both_of_two_pictures_are_there(small_run, hugging, tmp_path):
    left, right = (pictures_of(tmp_path / s, [f"{k}.png" for k in range(5)]) for s in ("l", "r"))
    right[3] = right[1]  # shared by two samples
    chosen = chosen_with(small_run, {"upper": "picture", "image": "picture"}, {"upper": left, "image": right})
    told = make_file(chosen, "zip", tmp_path / "two.zip").manifest
    assert told["n_files"] == 9
    found = hugging("imagefolder", unpacked(tmp_path / "two.zip", tmp_path / "two"))
    for row in range(5):
        for column, source in (("image", left[row]), ("image 2", right[row])):
            assert np.array_equal(np.asarray(found[row][column]), np.asarray(Image.open(source)))


def test_a_picture_with_a_sound(small_run, hugging, tmp_path):
    items = {"scene": pictures_of(tmp_path / "p", ["a.png", "b.png"]), "noise": sounds_of(tmp_path / "s", 2)}
    chosen = chosen_with(small_run, {"scene": "picture", "noise": "sound"}, items)
    make_file(chosen, "folder", tmp_path / "out")
    found = hugging("imagefolder", tmp_path / "out")
    for row in range(2):
        sound = tmp_path / "out" / found[row]["path.noise"]
        assert sound.read_bytes() == Path(items["noise"][row]).read_bytes() and found[row]["image"].size == (8, 8)


def test_videos_go_along(small_run, tmp_path):
    """They are copied as they are: whether a file is a film is the importer's to say."""
    clips = [tmp_path / f"{k}.mp4" for k in range(3)]
    for k, clip in enumerate(clips):
        clip.write_bytes(bytes([k]) * 100)
    items = {"clip": list(map(str, clips)), "words": list("abc")}
    chosen = chosen_with(small_run, {"clip": "video", "words": "text"}, items)
    told = make_file(chosen, "folder", tmp_path / "out").manifest
    assert told["open_with"].startswith('datasets.load_dataset("videofolder"')
    lines = pd.read_json(tmp_path / "out" / "metadata.jsonl", lines=True)
    assert [(tmp_path / "out" / f).read_bytes() for f in lines["file_name"]] == [c.read_bytes() for c in clips]


def test_hostile_names_stay_inside_and_confuse_nobody(small_run, hugging, tmp_path):
    """Names that lead outside, collide, look like splits to the loader, or like files it should open."""
    names = ["test.png", "train-val.PNG", "..png", "a b\nc.png", "x.p;ng", "noending"]
    items = {"validation": pictures_of(tmp_path / "p", names), "text": ["<b>", "=1+1", "../x", "", "é\u202e", "\x00"]}
    odd = {"extra.original_file_name": ["../../etc/passwd"] * 6, "extra.my_file_names": ["x"] * 6}
    chosen = chosen_with(small_run, {"validation": "picture", "text": "text"}, items, **odd)
    chosen.samples.frame["sample_id"] = ["../../evil", "/etc/passwd", "a/b", "a\\b", "CON", "a b"]
    make_file(chosen, "zip", tmp_path / "odd.zip")
    with zipfile.ZipFile(tmp_path / "odd.zip") as pack:
        inside = set(pack.namelist())
    assert {name for name in inside if not PLACE.fullmatch(name)} == {"metadata.jsonl", "manifest.json"}
    assert len(inside) == 8
    found = hugging("imagefolder", unpacked(tmp_path / "odd.zip", tmp_path / "odd"))
    assert found["sample_id"] == chosen.frame["sample_id"].tolist() and found["text"] == items["text"]
    assert found["extra.original_filename"] == ["../../etc/passwd"] * 6
    for row, source in enumerate(items["validation"]):
        assert np.array_equal(np.asarray(found[row]["image"]), np.asarray(Image.open(source)))


def test_files_that_are_gone_are_left_out_and_told(picture_run, tmp_path, capsys):
    folder = tmp_path / "w"
    shutil.copytree(picture_run, folder)
    lost = Path(open_run(folder)[1].scores["item.picture"][2])
    shared = (open_run(folder)[1].scores["item.picture"] == str(lost)).sum()
    lost.unlink()
    assert cli.main(["export", str(folder), "--format", "zip", "--out", str(tmp_path / "a.zip")]) == 0
    assert "files are not where they were" in capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "a.zip") as pack:
        told = json.loads(pack.read("manifest.json"))
        assert len(pack.read("metadata.jsonl").splitlines()) == 75 - shared == told["n_samples"]
    assert [one["path"] for one in told["left_out"]] == [str(lost)] * shared
    for file in (folder / "media").rglob("*.png"):
        file.unlink()
    assert cli.main(["export", str(folder), "--format", "zip", "--out", str(tmp_path / "b.zip")]) == 2
    assert "None of the files is where it was" in capsys.readouterr().err
    assert not list(tmp_path.glob("b.zip*")) and not list(tmp_path.glob(".part-*"))


def test_no_file_is_ever_whole_in_memory(small_run, tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as handle:
        handle.truncate(200 * 2**20)
    items = {"scan": [str(large)], "text": ["one"]}
    chosen = chosen_with(small_run, {"scan": "picture", "text": "text"}, items)
    tracemalloc.start()
    make_file(chosen, "zip", tmp_path / "large.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "large.zip").stat().st_size > 200 * 2**20 and peak < 20 * 2**20


def test_the_same_samples_make_the_same_archive(picture_run, tmp_path):
    told = []
    for name in ("a", "b"):
        assert cli.main(["export", str(picture_run), "--format", "zip", "--out", str(tmp_path / f"{name}.zip")]) == 0
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as pack:
            told.append([(i.filename, i.CRC, i.date_time) for i in pack.infolist() if i.filename != "manifest.json"])
    assert told[0] == told[1]


def test_features_have_no_media(small_run, tmp_path):
    workspace, run = open_run(small_run.folder)
    with pytest.raises(DataError, match="no pictures, sounds or videos"):
        make_file(choose(workspace, run, Samples(run), Choice()), "zip", tmp_path / "a.zip")
