"""The Apply page in its states, through app.py: offered, under way, come to nothing, and found."""

from __future__ import annotations

import pytest
from test_curate_page import press, run, said  # noqa: F401 - run is a fixture
from test_pages import installed, opened, pages_only_through_app  # noqa: F401 - a fixture

from curation.applying import read_applied
from curation.jobs.alive import held
from curation.jobs.apply import apply_job, apply_status
from curation.jobs.control import cancel_job
from curation.jobs.record import CatalogueProgress, add_job, lock_of, set_state
from curation.places import known_workspace
from curation.settings import APPLICATIONS, ApplySettings


def labels(app) -> list[str]:
    return [button.label for button in app.button]


@pytest.mark.parametrize("what", APPLICATIONS)
def test_every_application_is_offered_in_the_words_of_the_data(run, small_run, what):  # noqa: F811
    app = opened("apply", run)
    app.radio(key="apply_what").set_value(what).run()
    assert not app.exception
    assert not app.error
    assert "Try it on these samples" in labels(app)
    if what.startswith("student"):
        kept = small_run.modality_names[int(what[-1]) - 1]
        assert f"A student that sees the {kept} only" in said(app)


def test_it_starts_a_job_of_its_own(run):  # noqa: F811
    workspace = known_workspace(run[0], "")
    press(opened("apply", run), "Try it on these samples")
    assert apply_status(workspace, run[1], "ensemble").active
    cancel_job(workspace, apply_job(run[1], "ensemble"))


def test_one_under_way_is_watched_and_can_be_cancelled(run):  # noqa: F811
    workspace, job = known_workspace(run[0], ""), apply_job(run[1], "ensemble")
    add_job(workspace, job, ApplySettings(run[1], "ensemble"))
    set_state(workspace, job, "running")
    with held(lock_of(workspace, job)):
        CatalogueProgress(workspace, job)("Measure whether it helps", 12, 500)
        app = opened("apply", run)
        assert not app.exception
        assert "Cancel" in labels(app)
        assert "Try it on these samples" not in labels(app)


@pytest.mark.parametrize(
    ("state", "told"),
    [("cancelled", "It was cancelled"), ("failed", "of the encoder"), ("stopped", "ran out of room")],
)
def test_one_that_came_to_nothing_says_why_and_goes_on(run, state, told):  # noqa: F811
    workspace, job = known_workspace(run[0], ""), apply_job(run[1], "ensemble")
    add_job(workspace, job, ApplySettings(run[1], "ensemble"))
    set_state(workspace, job, state, told)
    app = opened("apply", run)
    assert told in said(app)
    assert "Go on" in labels(app)


def test_what_was_found_is_shown_with_its_figure_and_its_model(applied_run, interplay_home):
    app = opened("apply", installed(applied_run.folder, interplay_home))
    applied = read_applied(applied_run, "ensemble")
    assert not app.exception
    assert applied.headline in said(app)
    for found in applied.findings():
        assert found[0].reached in said(app)
        for other in found:
            assert other.compared in said(app)
    assert len(app.get("plotly_chart")) == 1
    assert [button.label for button in app.get("download_button")] == ["Download the model"]
    assert "python cli.py predict ensemble-model TABLE" in app.code[0].value
    app.button_group(key="apply_condition_ensemble").set_value("swapped").run()
    app.button_group(key="apply_metric_ensemble").set_value("ece").run()
    assert not app.exception
