"""Applications as jobs: measured, resumed repeat by repeat, told in plain words, saved and used on new samples."""

from __future__ import annotations

import json
import shutil
import zipfile
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

import cli
from curation.applying import Applied, read_applied, work
from curation.applying.kinds import KINDS
from curation.applying.models import CARD, CONFIG, load_model, save_model, zip_model
from curation.applying.predicting import predict
from curation.applying.wording import wording
from curation.errors import DataError
from curation.jobs import job_settings
from curation.jobs.apply import apply_job, apply_settings
from curation.pipeline import features_of
from curation.settings import APPLICATIONS, ApplySettings
from curation.workspace import check_workspace, open_run
from curation.workspace.runs import applied_files
from lsmi_core.applications import fusion as fusing
from lsmi_core.applications.distillation import measuring as distillation_compared
from lsmi_core.applications.ensemble import measuring as ensemble_comparison

NAMES = ("picture", "text")
COMPARED = {
    "ensemble": (ensemble_comparison.METHODS, ensemble_comparison.CONDITIONS, ensemble_comparison.METRICS),
    "student1": (distillation_compared.METHODS, ("every label", "20% of the labels"), distillation_compared.METRICS),
    "student2": (distillation_compared.METHODS, ("every label", "20% of the labels"), distillation_compared.METRICS),
    "fusion": (fusing.METHODS, ("intact",), fusing.METRICS),
}


@pytest.fixture(autouse=True)
def two_folds(monkeypatch):
    monkeypatch.setattr(work, "FOLDS", 2)


@pytest.fixture
def place(applied_run, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(applied_run.folder.parent.parent, tmp_path / "workspace")
    return open_run(tmp_path / "workspace")


@pytest.fixture
def saved(applied_run, tmp_path):
    save_model(applied_run, read_applied(applied_run, "ensemble"), tmp_path / "model")
    return tmp_path / "model"


# --- words ----------------------------------------------------------------------------------------------------------
def test_there_are_as_many_applications_as_settings_know():
    assert set(KINDS) == set(APPLICATIONS) == set(COMPARED)


@pytest.mark.parametrize("what", APPLICATIONS)
def test_every_method_condition_and_metric_of_the_core_has_plain_words(what):
    words, (methods, conditions, metrics) = wording(what, NAMES), COMPARED[what]
    assert set(words.methods) == set(methods)
    assert set(words.conditions) == set(conditions)
    assert set(words.metrics) <= set(metrics)
    assert {words.ours, words.plainest} <= set(methods)


def a_finding(ours, others, what="student1"):
    """Two conditions, one metric; three repeats of ours, of "uniform logit" and of "none"."""
    values = np.array([ours, *others])[:, :, None, :]
    told = {"methods": ["targeted", "uniform logit", "none"], "conditions": ["every label", "20% of the labels"],
            "metrics": ["accuracy"], "values": values.tolist()}  # fmt: skip
    return Applied(what, told, wording(what, NAMES))


def test_what_helps_is_told_against_labels_only_and_against_the_best_other_way():
    same = [0.80, 0.81, 0.82]
    applied = a_finding([same, [0.7, 0.71, 0.72]], [[same, [0.7, 0.71, 0.72]], [same, [0.6, 0.62, 0.61]]])
    assert applied.headline == (
        "On these samples, against “Not taught, labels only” it helps with a fifth of the labels, and makes no certain "
        "difference otherwise. It makes no certain difference against the best of all other ways."
    )
    gain = applied.against_plainest()[1]
    assert gain.helps
    assert not gain.harms
    assert gain.reached == "With a fifth of the labels: 71.0% right"
    assert gain.compared.startswith("+10.0 points (+8.3 to +11.7) against “Not taught, labels only”: better")


def test_harm_is_told_as_harm():
    low, high = [0.60, 0.61, 0.62], [0.80, 0.81, 0.82]
    applied = a_finding([low, low], [[high, high], [high, high]])
    assert "it does harm with every label and with a fifth of the labels" in applied.headline
    assert all(finding.harms for finding in applied.against_best())


def test_surprise_is_better_when_it_is_less():
    values = np.array([[[[0.8, 0.8], [0.3, 0.31]]], [[[0.8, 0.8], [0.4, 0.41]]]])
    told = {"methods": ["targeted", "none"], "conditions": ["every label"], "metrics": ["accuracy", "log_loss"],
            "values": values.tolist()}  # fmt: skip
    applied = Applied("student1", told, wording("student1", NAMES))
    assert applied.headline.endswith("By surprise at the label, against the best it helps with every label.")
    assert applied.findings()[0][-1].compared == (
        "surprise at the label -0.100 nats (-0.100 to -0.100) against “Not taught, labels only”: better"
    )


def test_the_ceiling_is_no_competitor():
    applied = a_finding([[0.6, 0.7, 0.8]] * 2, [[[0.6, 0.7, 0.8]] * 2, [[0.5, 0.6, 0.7]] * 2])
    applied.told["methods"][1] = "teacher"
    assert [finding.way for finding in applied.against_best()] == ["Not taught, labels only"] * 2


def test_nats_are_told_as_nats():
    told = {"methods": list(fusing.METHODS), "conditions": ["intact"], "metrics": list(fusing.METRICS),
            "values": [[[[0.5, 0.5], [0, 0]]], [[[0.4, 0.4], [0, 0]]]]}  # fmt: skip
    applied = Applied("fusion", told, wording("fusion", NAMES))
    assert applied.lines() == (
        "- Out of fold: 0.500 nats\n    - +0.100 nats (+0.100 to +0.100) against “With the features alone”: better"
    )
    assert applied.headline == "On these samples, against “With the features alone” it helps out of fold."


# --- the work -------------------------------------------------------------------------------------------------------
def test_what_was_found_and_the_model_lie_beside_the_scores_and_are_whole(place):
    workspace, run = place
    files = applied_files("ensemble")
    assert (run.folder / files.arrays).is_file()
    told = run.applied("ensemble")
    assert told["learned_from"] == told["n_samples"] == 60
    assert told["n_repeats"] == 2
    assert check_workspace(workspace.folder, lambda done, total: None)[0] == []
    (run.folder / files.arrays).write_bytes(b"spoilt")
    assert [d.place for d in check_workspace(workspace.folder, lambda done, total: None)[0]] == [
        f"runs/{run.folder.name}/{files.arrays}"
    ]
    assert run.applied("fusion") is None
    assert read_applied(run, "fusion") is None


class StopHereError(Exception):
    pass


def test_finished_repeats_are_not_measured_again(place, monkeypatch):
    workspace, run = place
    before = run.applied("ensemble")["values"]
    for name in applied_files("ensemble")[:2]:
        (run.folder / name).unlink()
    monkeypatch.setattr(ensemble_comparison, "_measured", lambda *args: pytest.fail("measured again"))
    work.apply(ApplySettings(run.folder.name, "ensemble"), workspace)
    assert run.applied("ensemble")["values"] == before


def test_another_seed_is_another_measurement(place):
    workspace, run = place
    before = run.applied("ensemble")["values"]
    work.apply(ApplySettings(run.folder.name, "ensemble", 5), workspace)
    assert run.applied("ensemble")["values"] != before


def test_a_cancelled_application_keeps_nothing_half_done(place):
    workspace, run = place

    def cancel(stage, done, total):
        if stage == "Train the model":
            raise StopHereError

    with pytest.raises(StopHereError):
        work.apply(ApplySettings(run.folder.name, "student2"), workspace, cancel)
    assert run.applied("student2") is None
    assert not (run.folder / applied_files("student2").arrays).exists()
    assert len(json.loads((run.folder / applied_files("student2").cells).read_text())["cells"]) == 2


# --- the model taken along ------------------------------------------------------------------------------------------
def test_a_saved_model_answers_as_the_one_that_was_trained(place, saved, features_file):
    workspace, run = place
    features = features_of(workspace, run)
    model = load_model(saved)
    p = KINDS["ensemble"].load(model.arrays, model.config).predict_proba(*features)
    frame, problems = predict(model, features_file)
    assert len(problems) == 0
    assert len(frame) == 60
    np.testing.assert_allclose(frame["probability"], p.max(axis=1), rtol=1e-6)
    assert set(frame["prediction"]) <= set(run.scores["label"])
    assert (frame["seen"] == " + ".join(run.modality_names)).all()


def test_rows_with_one_side_are_answered_by_that_side(saved, features_file, tmp_path):
    model = load_model(saved)
    names = [m["name"] for m in model.modalities]
    with np.load(features_file) as arrays:
        sides = [arrays[key] for key in arrays.files if arrays[key].ndim == 2][:2]
    written = [[json.dumps(row.tolist()) for row in side[:6]] for side in sides]
    table = pd.DataFrame(dict(zip(names, written, strict=True)))
    table.loc[2, names[0]], table.loc[4, names[1]] = None, "[1, 2]"
    table.to_csv(tmp_path / "new.csv", index=False)
    named = [f"{name}={name}" for name in names]
    frame, problems = predict(model, tmp_path / "new.csv", named)
    assert frame["seen"].tolist() == [
        " + ".join(names), " + ".join(names), names[1], " + ".join(names), names[0], " + ".join(names),
    ]  # fmt: skip
    assert len(problems) == 2
    whole, _ = predict(model, features_file)
    assert frame["prediction"][0] == whole["prediction"][0]


def test_the_card_says_what_it_is_worth_and_how_to_use_it(saved, applied_run):
    card = (saved / CARD).read_text()
    applied = read_applied(applied_run, "ensemble")
    assert applied.headline in card
    assert applied.against_best()[0].compared in card
    assert "python cli.py predict MODEL_FOLDER TABLE" in card
    assert "60 of 60 samples" in card
    config = json.loads((saved / CONFIG).read_text())
    assert config["settings"] == {"apply": "ensemble", "run": applied_run.folder.name, "random_state": 0}
    with zipfile.ZipFile(BytesIO(zip_model(applied_run, applied))) as archive:
        assert sorted(archive.namelist()) == sorted(path.name for path in saved.iterdir())


def test_a_joint_representation_is_used_by_rows_that_have_both_sides(place, features_file, tmp_path, monkeypatch):
    monkeypatch.setattr(fusing, "STEPS", 4)
    workspace, run = place
    work.apply(ApplySettings(run.folder.name, "fusion"), workspace)
    save_model(run, read_applied(run, "fusion"), tmp_path / "model")
    frame, _ = predict(load_model(tmp_path / "model"), features_file)
    assert list(frame.columns) == ["row", *(f"fused.{k}" for k in range(1, 41))]
    assert np.isfinite(frame.to_numpy()).all()


def of_another_kind(folder):
    told = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(told | {"application": "magic"}))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / CONFIG).unlink(), r"holds no model \(config.json is missing\)"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"holds no model \(model.safetensors is missing\)"),
        (lambda folder: (folder / CONFIG).write_text("{"), "is damaged; export it again"),
        (of_another_kind, "of a kind that this version"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), "is damaged; export it again"),
    ],
)
def test_a_spoilt_model_is_refused_in_a_sentence(saved, spoil, told):
    spoil(saved)
    with pytest.raises(DataError, match=told):
        load_model(saved)


def test_a_table_without_the_columns_is_told_which_to_name(saved, tmp_path):
    (tmp_path / "new.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"Which column holds the .*\? Name it with --modality .* The columns of new"):
        predict(load_model(saved), tmp_path / "new.csv")


# --- the command line -----------------------------------------------------------------------------------------------
def test_the_commands_measure_save_and_use(place, features_file, tmp_path, capsys):
    workspace, run = place
    model, out = tmp_path / "taken", tmp_path / "answers.csv"
    assert cli.main(["apply", str(workspace.folder), "--what", "ensemble", "--out", str(model)]) == 0
    said = capsys.readouterr().out
    assert read_applied(run, "ensemble").headline in said
    assert "Measure whether it helps" not in said  # it was measured before
    assert cli.main(["predict", str(model), str(features_file), "--out", str(out)]) == 0
    assert len(pd.read_csv(out)) == 60
    assert cli.main(["apply", str(workspace.folder), "--what", "ensemble", "--out", str(model)]) == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert cli.main(["predict", str(model), str(features_file), "--out", str(tmp_path / "x.txt")]) == 2
    assert "ends neither in .csv nor in .parquet" in capsys.readouterr().err


def test_the_job_is_found_by_the_run(place):
    workspace, run = place
    assert cli.main(["apply", str(workspace.folder), "--what", "student1", "--seed", "3"]) == 0
    job = apply_job(run.folder.name, "student1")
    assert job_settings(workspace, job) == apply_settings(run, "student1", 3)
