"""The contract of the command line on good input: what is written, what is said, and that it can be repeated."""

from __future__ import annotations

import json
import shlex

import makers
import numpy as np
import pandas as pd
import pytest

import cli
from curation.summary import with_measure
from curation.words import MEASURES
from curation.workspace import open_run
from lsmi_core import FIELDS


@pytest.fixture(scope="module")
def scored(tmp_path_factory, features_file):
    out = tmp_path_factory.mktemp("cli") / "run"
    assert cli.main(["score", "--quick", str(features_file), "--out", str(out), "--seed", "5"]) == 0
    return makers.run_folder(out)


def test_a_run_holds_scores_summary_and_record(scored):
    scores = pd.read_parquet(scored / "scores.parquet")
    assert list(scores.columns[:13]) == ["sample_id", "label", *FIELDS]
    assert FIELDS == ("i1", "i2", "i12", "h1", "h2", "b1", "b2", "r", "u1", "u2", "s")
    assert len(scores) == 60 and scores["sample_id"].is_unique
    assert np.isfinite(scores[list(FIELDS)].to_numpy()).all()
    np.testing.assert_allclose(scores["r"] + scores["u1"], scores["i1"], atol=1e-12)
    np.testing.assert_allclose(scores["r"] + scores["u2"], scores["i2"], atol=1e-12)
    np.testing.assert_allclose(scores[["r", "u1", "u2", "s"]].sum(axis=1), scores["i12"], atol=1e-12)
    summary = json.loads((scored / "summary.json").read_text(encoding="utf-8"))
    assert (summary["n_samples"], summary["n_left_out"], summary["unit"]) == (60, 0, "nats")
    assert summary["means"]["r"]["mean"] == pytest.approx(scores["r"].mean())
    assert {c["label"] for c in summary["categories"]} == {"kind 0", "kind 1", "kind 2"}
    record = json.loads((scored / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["random_state"] == 5
    assert {"python", "numpy", "torch"} <= set(record["versions"])
    assert not list(scored.glob(".*")) and not list(scored.glob("*.part"))


def test_the_features_are_read_right(scored):
    """The first modality was built clearer than the second; swapped sides or labels would show."""
    scores = pd.read_parquet(scored / "scores.parquet")
    assert scores["i1"].mean() > scores["i2"].mean() + 0.2
    assert scores["i1"].mean() > 0.5
    assert (scores["says.image"] == scores["label"]).mean() > 0.85


def test_rerun_gives_the_same_scores_to_the_last_bit(scored, tmp_path, capsys):
    assert cli.main(["rerun", str(scored / "run.json"), "--out", str(tmp_path / "again")]) == 0
    again = makers.run_folder(tmp_path / "again")
    before, after = (pd.read_parquet(f / "scores.parquet") for f in (scored, again))
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    assert "60 samples scored, 0 rows left out." in capsys.readouterr().out
    maps = [pd.read_parquet(f / "map.parquet") for f in (scored, again)]
    pd.testing.assert_frame_equal(*maps, check_exact=True)
    settings = [json.loads((f / "run.json").read_text())["settings"] for f in (scored, again)]
    assert settings[0] == settings[1], "the record of the repetition repeats it as well"


def test_tags_are_kept_listed_exported_and_taken_away(features_file, tmp_path, capsys):
    out = str(tmp_path / "w")
    assert cli.main(["score", "--quick", str(features_file), "--out", out]) == 0
    scores = open_run(tmp_path / "w")[1].scores
    first = scores["sample_id"].iloc[:3].tolist()
    assert cli.main(["tag", out, "--tag", " look  again ", "--ids", *first]) == 0
    assert cli.main(["partition", out, "--budget", "0.1", "--out", str(tmp_path / "part.csv")]) == 0
    assert cli.main(["tag", out, "--tag", "top", "--of", str(tmp_path / "part.csv")]) == 0
    assert cli.main(["tag", out, "--tag", "look again", "--remove", "--ids", first[0]]) == 0
    capsys.readouterr()
    assert cli.main(["tag", out]) == 0
    assert capsys.readouterr().out.split("\n")[:2] == ["      2  look again", "      6  top"]
    assert cli.main(["export", out, "--format", "parquet", "--out", str(tmp_path / "all.parquet")]) == 0
    tags = pd.read_parquet(tmp_path / "all.parquet").set_index("sample_id")["tags"]
    top = set(scores.nlargest(6, "r")["sample_id"])
    assert {i for i, told in tags.items() if "look again" in told} == set(first[1:])
    assert {i for i, told in tags.items() if "top" in told} == top
    for wrong in (["--tag", "x", "--ids", "nobody"], ["--tag", "x"], ["--tag", " ", "--ids", first[0]]):
        assert cli.main(["tag", out, *wrong]) == 2


def test_the_same_data_is_recognised(features_file, tmp_path, capsys):
    out = str(tmp_path / "w")
    assert cli.main(["import", str(features_file), "--out", out]) == 0
    assert "in the workspace already" not in capsys.readouterr().out
    assert cli.main(["import", str(features_file), "--out", out]) == 0
    assert "in the workspace already; nothing was added" in capsys.readouterr().out
    assert cli.main(["score", "--quick", out, "--out", out, "--seed", "1"]) == 0
    assert cli.main(["score", "--quick", out, "--out", out, "--seed", "2"]) == 0
    workspace, run = open_run(tmp_path / "w")
    assert len(workspace.datasets()) == 1 and len(workspace.runs()) == 2
    assert run.record["settings"]["random_state"] == 2 and run.dataset == workspace.datasets()[0].id
    first = workspace.runs()[1].id
    assert cli.main(["export", out, "--run", first, "--format", "csv", "--out", str(tmp_path / "1.csv")]) == 0
    assert cli.main(["export", out, "--run", "x", "--format", "csv", "--out", str(tmp_path / "2.csv")]) == 2
    assert "its runs are" in capsys.readouterr().err


def test_another_seed_gives_other_scores(scored, small_run):
    other = pd.read_parquet(scored / "scores.parquet")
    assert not np.array_equal(other["i12"], small_run.scores["i12"])
    assert np.corrcoef(other["i1"], small_run.scores["i1"])[0, 1] > 0.8


def test_what_is_said_on_the_way_and_at_the_end(features_file, tmp_path, capsys):
    assert cli.main(["score", str(features_file), "--out", str(tmp_path / "new" / "deep")]) == 0
    told = capsys.readouterr()
    assert told.err == "", "without a terminal stderr holds nothing but errors"
    lines = told.out.splitlines()
    assert "Score every sample: 60 to do" in lines
    assert any(line.startswith("Score every sample: done in ") for line in lines)
    assert "\r" not in told.out and "\033" not in told.out
    assert "Means by the measure “cautious”:" in lines
    assert "  Only the image knows" in told.out and "  Only the text knows" in told.out
    assert "Together the image and the text tell" in told.out
    begun = [line.split(":")[0].removesuffix(" ...") for line in lines if line.endswith((" ...", " to do"))]
    after = ["Find near-duplicates", "Score twice more", "Check the scores", "Map the image", "Map the text"]
    assert begun[begun.index("Draw the map") :] == ["Draw the map", *after, "Map the scores"]
    assert any(line.startswith("Check: With the categories dealt out at random") for line in lines)
    assert "checks.json, copies.parquet, map-first.parquet" in lines[-1]


def test_a_quick_run_says_what_it_did(scored, capsys, tmp_path):
    """The fixture is quick, and so is what repeats it."""
    assert cli.main(["rerun", str(scored), "--out", str(tmp_path / "again")]) == 0
    told = capsys.readouterr().out
    assert "Draw the map" in told and "Find near-duplicates" not in told and "Check:" not in told
    assert told.rstrip().endswith("map.parquet, problems.parquet, run.json, scores.parquet, summary.json")


def test_numbers_and_numbers(tmp_path, capsys):
    table = makers.numbers_csv(tmp_path / "people.csv")
    options = ["--modality", "body=arm,leg,back", "--modality", "blood=salt,iron", "--label", "label"]
    assert (
        cli.main(
            ["score", "--quick", str(table), *options, "--encoder", "body=columns", "--out", str(tmp_path / "run")]
        )
        == 0
    )
    scores = pd.read_parquet(makers.run_folder(tmp_path / "run") / "scores.parquet")
    assert scores["sample_id"].tolist() == [f"p{i:03d}" for i in range(60)]
    assert scores["extra.note"].unique().tolist() == ["=risky, ünïcode"]
    assert scores["i1"].mean() > 0.5
    assert "Only the body knows" in capsys.readouterr().out


@pytest.mark.parametrize("maker", [makers.published_pt], ids=["published .pt"])
def test_the_published_layout(tmp_path, maker):
    assert cli.main(["score", "--quick", str(maker(tmp_path / "x.pt")), "--out", str(tmp_path / "run")]) == 0
    scores = pd.read_parquet(makers.run_folder(tmp_path / "run") / "scores.parquet")
    assert scores["extra.split"].tolist() == ["train"] * 30 + ["val"] * 10
    assert set(scores["label"]) == {"0", "1", "2"}


def test_partition_takes_the_budget(small_run, tmp_path, capsys):
    command = f"partition {shlex.quote(str(small_run.folder))} --by redundancy --budget 0.3 --out {tmp_path}/a.parquet"
    assert cli.main([*shlex.split(command), "--rest", str(tmp_path / "b.jsonl")]) == 0
    selected = pd.read_parquet(tmp_path / "a.parquet")
    rest = pd.read_json(tmp_path / "b.jsonl", lines=True)
    assert (len(selected), len(rest)) == (18, 42)
    assert set(selected["sample_id"]) | set(rest["sample_id"]) == set(small_run.scores["sample_id"])
    assert selected["r"].min() >= rest["r"].max()
    assert "18 of 60 samples (30.0%) stay: the highest “both say it”" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("by", "column"),
    [("unique:image", "u1"), ("unique:text", "u2"), ("synergy", "s"), ("i1", "i1"), ("i2", "i2"), ("i12", "i12")],
)
def test_partition_by_every_score_and_from_both_ends(small_run, tmp_path, by, column):
    for side in ("high", "low"):
        out = tmp_path / f"{side}.csv"
        command = ["partition", str(small_run.folder), "--by", by, "--budget", "0.5", "--side", side]
        assert cli.main([*command, "--out", str(out)]) == 0
        assert len(pd.read_csv(out)) == 30
    high, low = (pd.read_csv(tmp_path / f"{side}.csv") for side in ("high", "low"))
    assert high[column].min() >= low[column].max()


def test_partition_balanced(small_run, tmp_path):
    command = ["partition", str(small_run.folder), "--by", "unique:image", "--budget", "0.25", "--balanced"]
    assert cli.main([*command, "--out", str(tmp_path / "a.csv")]) == 0
    assert pd.read_csv(tmp_path / "a.csv")["label"].value_counts().to_dict() == {f"kind {c}": 5 for c in range(3)}


def test_export_in_every_format(small_run, tmp_path, capsys):
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda p: pd.read_json(p, lines=True)}
    for form, read in readers.items():
        out = tmp_path / "to" / f"all.{form}"
        assert cli.main(["export", str(small_run.folder), "--format", form, "--out", str(out)]) == 0
        back = read(out)
        assert list(back.columns) == list(small_run.scores.columns)
        np.testing.assert_allclose(
            back[list(FIELDS)], small_run.scores[list(FIELDS)], rtol=1e-12, atol=1e-14
        )  # readers of text round the last digit
    assert "60 samples written to" in capsys.readouterr().out


def test_scored_with_another_measure(features_file, small_run, tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["score", "--quick", str(features_file), "--measure", "mmi", "--out", str(out)]) == 0
    out = makers.run_folder(out)
    scores = pd.read_parquet(out / "scores.parquet")
    assert np.array_equal(scores["r"], scores[["i1", "i2"]].min(axis=1))
    assert np.array_equal(scores["i12"], small_run.scores["i12"]), "the same fit"
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["redundancy"] == "mmi"
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["settings"]["redundancy"] == "mmi"
    assert "Means by the measure “mmi”:" in capsys.readouterr().out


def test_partition_and_export_by_another_measure(small_run, tmp_path):
    command = [str(small_run.folder), "--measure", "mmi", "--out"]
    assert cli.main(["partition", *command, str(tmp_path / "a.parquet"), "--budget", "0.3"]) == 0
    assert cli.main(["export", *command, str(tmp_path / "all.parquet"), "--format", "parquet"]) == 0
    selected, everything = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("a", "all"))
    pd.testing.assert_frame_equal(everything, with_measure(small_run.scores, "mmi"), check_exact=True)
    assert selected["r"].min() == everything["r"].nlargest(18).min()
    assert np.array_equal(selected["r"], selected[["i1", "i2"]].min(axis=1))


def test_an_earlier_run_is_partitioned_and_exported(earlier_run, tmp_path, capsys):
    command = [str(earlier_run), "--out"]
    assert cli.main(["partition", *command, str(tmp_path / "a.parquet"), "--budget", "0.3"]) == 0
    assert cli.main(["export", *command, str(tmp_path / "all.parquet"), "--format", "parquet"]) == 0
    earlier = pd.read_parquet(earlier_run / "scores.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "all.parquet"), earlier, check_exact=True)
    assert pd.read_parquet(tmp_path / "a.parquet")["r"].min() == earlier["r"].nlargest(18).min()
    capsys.readouterr()
    for asked in (["partition", "--budget", "0.3"], ["export", "--format", "csv"]):
        assert cli.main([*asked, *command, str(tmp_path / "b.csv"), "--measure", "cautious"]) == 2
        told = capsys.readouterr().err
        assert told.startswith("interplay: This run was scored before the measure “cautious”")
        assert told.count("\n") == 1 and "lsmi, mmi, ccs, sx" in told
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize("command", ["demo", "score", "partition", "export"])
def test_help_names_every_measure(capsys, command):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert all(name in told for name in MEASURES)
    assert ("default cautious" in told) == (command in ("demo", "score"))


def test_encoders_are_listed_with_licence_size_and_revision(capsys):
    from feature_extractors import list_encoders

    assert cli.main(["encoders"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for spec in (spec for spec in list_encoders() if spec.kind != "video"):
        at = next(i for i, line in enumerate(lines) if line.split()[:2] == [spec.name, spec.kind])
        assert all(told in lines[at] for told in (spec.licence, spec.when_to_use, spec.commit[:8]))
        assert not spec.id or lines[at + 1].strip() == spec.id


def test_the_emoji_are_the_demo_unless_another_is_named():
    assert cli._parser().parse_args(["demo", "--out", "x"]).name == "emoji"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--help"])
    assert stopped.value.code == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("demo", "score", "partition", "export", "encoders", "rerun"))
