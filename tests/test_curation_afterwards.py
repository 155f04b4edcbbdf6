"""What a run finds out after its scores: every file in its turn, whole or absent, taken up where it was left."""

from __future__ import annotations

import json

import makers
import numpy as np
import pandas as pd
import pytest
from fake_encoders import FakeTextEncoder

from curation.afterwards import find_out_more
from curation.dataset import Modality, PairedDataset
from curation.errors import DataError
from curation.export import export_bytes
from curation.fitting import check_fits, new_estimator, repeat_fits
from curation.importing import ImportResult, Problems
from curation.pipeline import _encode, run
from curation.progress import silent
from curation.settings import RunSettings
from curation.soundness import advice, standard_errors
from curation.sources import features_source
from curation.workspace import check_workspace, load_run, make_workspace, open_run, open_workspace
from curation.workspace.runs import LATER
from feature_extractors import FeatureCache
from lsmi_core import LSMIEstimator

STAGES = ["Draw the map", "Find near-duplicates", "Score twice more", "Check the scores",
          "Map the image", "Map the text", "Map the scores"]  # fmt: skip
FILES = ["map.parquet", "copies.parquet", "repeats.parquet", "checks.json",
         "map-first.parquet", "map-second.parquet", "map-terms.parquet"]  # fmt: skip
TERMS = ["r", "u1", "u2", "s"]
NO_COUNT = lambda done, total: None


@pytest.fixture
def features() -> list[np.ndarray]:
    return [x.astype(np.float32) for x in makers.pair()[:2]]  # as they are kept


def test_a_run_has_every_file_in_the_order_of_its_scores(small_run):
    ids = small_run.scores["sample_id"].tolist()
    for frame in (*(small_run.map(s) for s in ("both", "first", "second", "terms")), small_run.copies(),
                  small_run.repeats()):  # fmt: skip
        assert frame["sample_id"].tolist() == ids
    assert list(small_run.map("terms").columns) == ["sample_id", "x", "y"]
    assert not small_run.map("first").equals(small_run.map("second"))
    assert set(small_run.checks()) == {"null", "power", "looked_at", "n_samples"}
    assert sorted(FILES) == sorted(p.name for p in small_run.folder.iterdir() if p.name in LATER)
    on_request = ("price", "applied")
    assert {name for name in LATER if not name.startswith(on_request)} == set(FILES)
    assert check_workspace(small_run.folder.parent.parent, NO_COUNT)[0] == []


class Interrupted(BaseException):
    """As Ctrl-C, at a stage of the test's choice."""


def test_ended_at_every_stage_it_goes_on_there(features_file, tmp_path, small_run):
    workspace, settings = make_workspace(tmp_path / "w"), RunSettings(features_source(features_file))
    begun: list[str] = []
    written: dict[str, int] = {}

    def ended_at(last: str):
        def progress(stage: str, done: int, total: int) -> None:
            begun.append(stage)
            if stage == last and done == total:  # at its very end, before its file has its place
                raise Interrupted

        return progress

    for k, stage in enumerate(STAGES):
        begun.clear()
        with pytest.raises(Interrupted):
            run(settings, workspace, "a" * 16, ended_at(stage))
        now = {p.name: p.stat().st_mtime_ns for p in (workspace.folder / "runs" / ("a" * 16)).glob("*")}
        assert [name for name in FILES if name in now] == FILES[:k]
        assert written.items() <= now.items(), "what was there is not made again"
        assert not set(STAGES[: max(k - 1, 0)]) & set(begun) and STAGES[k] in begun
        written = {name: when for name, when in now.items() if name != "run.json"}
    done = run(settings, workspace, "a" * 16)
    for name in FILES:
        assert (done.folder / name).read_bytes() == (small_run.folder / name).read_bytes(), "as if nobody had disturbed"
    assert check_workspace(workspace.folder, NO_COUNT)[0] == []


def test_a_quick_run_stops_after_the_first_map(features_file, tmp_path):
    workspace = make_workspace(tmp_path / "w")
    done = run(RunSettings(features_source(features_file), quick=True), workspace, "a" * 16)
    assert [name for name in FILES if (done.folder / name).exists()] == FILES[:1]
    assert done.copies() is done.repeats() is done.checks() is done.map("terms") is None
    assert standard_errors(done, "lsmi") is None and advice(done) == []
    assert RunSettings.read(done.folder / "run.json").quick


def test_the_further_fits_are_those_of_the_estimator(small_run, features):
    expected = LSMIEstimator(n_repeats=3).fit_score(*features, small_run.scores["label"].to_numpy(dtype=str))
    repeats = small_run.repeats()
    for k in (1, 2):
        columns = repeats[[f"{name}.{k}" for name in ("i1", "i2", "i12", "h1", "h2", "b1", "b2")]].to_numpy().T
        np.testing.assert_allclose(columns, expected.repeats[k], atol=1e-12)
    for measure in ("cautious", "lsmi", "mmi"):
        found = standard_errors(small_run, measure)
        of_means = expected.with_redundancy(measure).standard_errors()
        assert list(found.columns) == [*TERMS, "i1", "i2", "i12"]
        for term in TERMS:
            np.testing.assert_allclose(found[term], np.sqrt(3) * of_means[term], atol=1e-12)
    assert (found["i2"] > 0.001).mean() > 0.5


def test_the_last_seed_has_followers_too():
    last = RunSettings({}, random_state=2**32 - 1)
    assert [new_estimator(last, k).random_state for k in range(3)] == [2**32 - 1, 0, 1]


def test_progress_of_the_fits_goes_from_nothing_to_all(small_run, features):
    told = []
    repeat_fits(features, small_run.scores, RunSettings({}), lambda done, total: told.append((done, total)))
    assert told[0] == (0, 120) and told[-1] == (120, 120) and told == sorted(told) and len(told) > 5


def test_of_many_samples_some_are_checked():
    x1, x2, y = makers.pair(120)
    few = check_fits([x1, x2], y, RunSettings({}), NO_COUNT, most=60)
    assert few["n_samples"] == 120 and 50 < few["looked_at"] <= 60
    assert few["power"]["sentence"].endswith(f"{few['looked_at']} of 120 samples were looked at.")
    assert few == check_fits([x1, x2], y, RunSettings({}), NO_COUNT, most=60)
    whole = check_fits([x1, x2], y, RunSettings({}), NO_COUNT)
    assert whole["looked_at"] == 120 and "looked at" not in whole["power"]["sentence"]
    assert all(abs(v) < 0.1 for v in whole["null"].values()) and 0 <= whole["power"]["found"] < 0.8


def test_categories_of_two_are_never_parted_to_nothing():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([f"c{i}" for i in range(100)], 2))
    features = [rng.normal(size=(200, 3)) for _ in range(2)]
    assert check_fits(features, labels, RunSettings({}), NO_COUNT, most=80)["looked_at"] >= 20


def test_features_that_never_vary_leave_nothing_to_plant():
    told = check_fits([np.ones((40, 2)), np.ones((40, 3))], np.arange(40) % 2, RunSettings({}), NO_COUNT)["power"]
    assert not told["seen"] and told["planted"] == 0 and "40 samples like these are too few" in told["sentence"]


def test_what_is_suspect_is_kept_and_exported(small_run, features):
    told = new_estimator(RunSettings({})).fit_score(*features, small_run.scores["label"].to_numpy(dtype=str)).suspicion
    for name in ("label_error", "swapped_pair"):
        np.testing.assert_allclose(small_run.scores[f"suspect.{name}"], getattr(told, name), atol=1e-12)
    assert b'"suspect.label_error"' in export_bytes(small_run.scores, "csv")


def test_an_earlier_run_has_none_of_it_and_opens(earlier_run):
    for name in LATER:
        (earlier_run / name).unlink(missing_ok=True)
    frame = pd.read_parquet(earlier_run / "scores.parquet")
    frame.drop(columns=["suspect.label_error", "suspect.swapped_pair"]).to_parquet(earlier_run / "scores.parquet")
    old = load_run(earlier_run)
    assert len(old.scores) == 60 and "suspect.label_error" not in old.scores
    assert all(found is None for found in (old.map(), old.map("first"), old.copies(), old.repeats(), old.checks()))
    assert advice(old) == []


@pytest.mark.parametrize("name", FILES)
def test_a_spoilt_file_is_told_and_costs_no_scores(small_run, tmp_path, name):
    import shutil

    folder = tmp_path / "w"
    shutil.copytree(small_run.folder.parent.parent, folder)
    copy = open_run(folder)[1]
    (copy.folder / name).write_bytes(b"{")
    (damage,) = check_workspace(folder, NO_COUNT)[0]
    assert damage.place.endswith(name) and "scores are not affected" in damage.mend
    asked = {"copies.parquet": copy.copies, "repeats.parquet": copy.repeats, "checks.json": copy.checks}
    spaces = dict(zip(["map.parquet", *FILES[4:]], ["both", "first", "second", "terms"], strict=True))
    with pytest.raises(DataError, match=f"{name} cannot be read; the scores are not affected"):
        asked[name]() if name in asked else copy.map(spaces[name])
    assert len(open_run(folder)[1].scores) == 60


def test_a_file_written_just_before_its_process_died_is_watched_over(small_run, tmp_path):
    import shutil
    import sqlite3

    folder = tmp_path / "w"
    shutil.copytree(small_run.folder.parent.parent, folder)
    with sqlite3.connect(folder / "catalogue.db") as db:
        db.execute("DELETE FROM files WHERE path LIKE '%checks.json' OR path LIKE '%map-terms%'")
    assert {f"runs/{'a' * 16}/{name}" for name in FILES} <= open_workspace(folder).listed_files()


def advised(run_copy, **changes) -> str:
    checks = json.loads((run_copy / "checks.json").read_text())
    for key, change in changes.items():
        checks[key] = checks[key] | change if isinstance(change, dict) else change
    (run_copy / "checks.json").write_text(json.dumps(checks))
    return "\n".join(advice(load_run(run_copy)))


def test_advice_in_plain_words(run_copy):
    power = {"planted": 0.69, "found": 0.3, "seen": True}
    said = advised(run_copy, power=power)
    assert "that only the image and the text together tell would have been seen" in said
    assert "0.30 of 0.69 nats were found again" in said and "next to nothing is found, as it should be" in said
    assert "looked at" not in said and "Only together" not in said


def test_advice_where_trust_should_be_small(run_copy):
    weak = advised(run_copy, power={"planted": 0.69, "found": -0.01, "seen": False}, null={"r": 0.4}, looked_at=30)
    assert "could have stayed hidden (planted as a test, only 0.00 of 0.69 nats were found again)" in weak
    assert "“Both say it” comes out at 0.40 nats even when the categories are dealt out at random" in weak
    assert "looked at 30 of the 60 samples" in weak and "as it should be" not in weak
    assert "too few samples to test it" in advised(run_copy, power={"planted": 0.0, "found": 0.0, "seen": False})


def test_advice_where_single_scores_move(run_copy):
    assert "read its means, not single samples" not in advised(run_copy)
    repeats = pd.read_parquet(run_copy / "repeats.parquet")
    repeats["i12.1"] += np.random.default_rng(0).normal(scale=5, size=len(repeats))
    repeats.to_parquet(run_copy / "repeats.parquet")
    said = advised(run_copy)
    assert "“Only together” of a single sample moves by about" in said and "“Both say it”" not in said


def test_features_mapped_from_disk_stay_mapped_while_all_rows_are_kept(tmp_path):
    texts = [f"text {i}" for i in range(40)]
    sides = tuple(Modality(name, "text", texts) for name in ("a", "b"))
    ids, labels = np.array([f"s{i}" for i in range(40)]), np.array(["x", "y"] * 20)
    data = PairedDataset("d", ids, labels, sides, rows=np.arange(40))
    encoders, cache = [FakeTextEncoder(), FakeTextEncoder("fake/2")], FeatureCache(tmp_path / "f", in_memory=0)
    found = ImportResult(data, Problems.of([], "x", [], ""))
    kept, features = _encode(found, encoders, cache, silent)
    assert len(kept.dataset) == 40 and all(isinstance(x, np.memmap) and x.base is not None for x in features)
    texts[7] = ""
    kept, fewer = _encode(found, encoders, cache, silent)
    assert len(kept.dataset) == len(fewer[0]) == 39
    np.testing.assert_array_equal(fewer[0], np.delete(features[0], 7, axis=0))


def test_nothing_is_left_to_find_out_twice(small_run, features):
    def progress(stage: str, done: int, total: int) -> None:
        raise AssertionError(f"{stage} began again")

    workspace = open_workspace(small_run.folder.parent.parent)
    find_out_more(workspace, small_run, features, RunSettings({}), progress)
