"""Several people on one real server, over real WebSockets: everybody sees their own, and nobody trips over another."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import time
from contextlib import closing
from threading import Timer
from urllib.parse import urlencode

import pytest
from makers import run_folder
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import _calculate_file_id

from benchmarks.sessions import accounts, gathering, log_errors, work_together
from benchmarks.sessions_data import Owner
from benchmarks.sessions_people import Person
from curation.errors import DataError
from curation.jobs.queue import place_in_queue
from curation.places import known_workspace, new_id, new_workspace
from curation.workspace import load_run
from ui.downloads import LastingDownloads
from ui.recent import RecentRuns

PEOPLE = 4
NOT_YOURS = "not on this server, or not yours"


@pytest.fixture(scope="module")
def together(picture_run, tmp_path_factory):
    """A server with sign-in, its home folder, and four people with a workspace each."""
    home = tmp_path_factory.mktemp("together")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERPLAY_HOME", str(home))
        with gathering(home, run_folder(picture_run), PEOPLE, 60) as (_, people):
            yield home, people
            assert log_errors(home / "server.log") == []


@pytest.fixture
def visits(together):
    """Tabs of the first two people, each on their own Explore page."""
    _, people = together
    for person in people[:2]:
        person.visit.open("explore", person.home)
    yield [person.visit for person in people[:2]]
    for person in people[:2]:
        person.visit.close()
        person.visit.errors.clear()
        assert person.foreign == []


def test_four_people_at_once_see_only_their_own(together):
    _, people = together
    work_together(people, 15, thinks=(0.1, 0.6))
    found = accounts(people)
    assert (found["foreign"], found["errors"]) == ([], [])
    for person in people:
        assert len(person.visit.times) >= 3
        assert person.counts["marks"] > 100


def test_the_mark_of_another_is_noticed():
    """Else the trial above could not fail."""
    person = Person(Owner(3), "http://nowhere", "0" * 16, "0" * 16)
    person.hear(b'{"id":"s03-0001","text":"the s03\\\\-fern","other":"s04\\-0002"}')
    assert person.counts["marks"] == 2
    assert len(person.foreign) == 1 and "s04" in person.foreign[0]


def test_the_workspace_of_another_is_refused(together, visits):
    home, people = together
    owner, other = people[0].owner, people[1].owner
    theirs = dict(pair.split("=") for pair in people[1].home.split("&"))
    own = dict(pair.split("=") for pair in people[0].home.split("&"))
    assert known_workspace(theirs["workspace"], other.key).owner == other.key
    with pytest.raises(DataError, match=NOT_YOURS):
        known_workspace(theirs["workspace"], owner.key)
    guessed = {"workspace": new_id(), "run": theirs["run"]}
    mixed = {"workspace": own["workspace"], "run": theirs["run"]}
    for query, said in ((theirs, NOT_YOURS), (guessed, NOT_YOURS), (mixed, "not in this workspace any more")):
        for page in ("explore", "export", "score"):
            visits[0].open(page, urlencode(query))
            assert said in visits[0].told()[0], (page, query)


def test_files_of_others_are_found_by_those_only_who_know_their_content(visits):
    mine, theirs = visits
    url = theirs.pictures()[0]
    content = theirs.fetch(url)
    assert url == f"/media/{_calculate_file_id(content, 'image/png')}.png"  # no secret in it, but all of the content
    for guess in (secrets.token_hex(16), _calculate_file_id(content + b"x", "image/png")):
        with pytest.raises(OSError, match="404"):
            mine.fetch(f"/media/{guess}.png")


def test_a_download_waits_for_the_browser_while_others_work(visits):
    """Streamlit removes it when two scripts have ended, whoever's they are."""
    mine, theirs = visits
    mine.go("export")
    url = mine.download_url()
    for page in ("curate", "export", "explore"):
        theirs.go(page)
    assert b"s00-0000" in mine.fetch(url)


def test_a_click_on_a_row_that_was_just_filtered_away_is_harmless(visits):
    mine = visits[0]
    mine.choose("multiselect", "Categories", [])  # what was selected in the trial above is still selected
    mine.choose("button_group", "View", ["Table"])
    mine.choose("text_input", "Words", "s00-0001")
    mine.choose("dataframe", "samples", '{"selection": {"rows": [30], "columns": [], "cells": []}}')
    assert mine.errors == [] and mine.told() == []
    mine.choose("dataframe", "samples", '{"selection": {"rows": [0], "columns": [], "cells": []}}')
    captions = [e.markdown.body for e in mine.elements.values() if e.WhichOneof("type") == "markdown"]
    assert r"Sample s00\-0001" in captions


def test_what_was_drawn_on_a_map_that_has_gone_is_let_go(visits):
    """A browser that was quicker than the server tells of a figure that is not on the page any more."""
    mine = visits[0]
    drawn = {"points": [{"customdata": "s00-0002"}], "point_indices": [0], "box": [], "lasso": []}
    mine.choose("multiselect", "Categories", [])  # what the trials above have filtered by
    mine.choose("text_input", "Words", "")
    mine.choose("button_group", "View", ["Map"])
    mine.choose("plotly_chart", "Map of", json.dumps({"selection": drawn}))  # the next figure has its point ringed
    for view in ("Table", "Map", "Side against side", "Categories"):
        mine.choose("button_group", "View", [view])  # and the earlier figure is told of each time
        assert mine.errors == [] and mine.told() == [], view
    captions = [e.markdown.body for e in mine.elements.values() if e.WhichOneof("type") == "markdown"]
    assert r"Sample s00\-0002" in captions


def test_a_download_ends_after_its_time_unless_it_was_made_again(monkeypatch):
    monkeypatch.setattr("ui.downloads.GRACE", 0.3)
    storage = LastingDownloads("/media")
    name = storage.load_and_get_id(b"x", "text/csv", MediaFileKind.DOWNLOADABLE, "x.csv")
    picture = storage.load_and_get_id(b"x", "image/png", MediaFileKind.MEDIA)
    storage.delete_file(name)
    storage.delete_file(picture)
    with pytest.raises(MediaFileStorageError):
        storage.get_file(picture)
    assert storage.get_file(name).content == b"x"
    monkeypatch.setattr("ui.downloads.GRACE", 60.0)
    again = storage.load_and_get_id(b"x", "text/csv", MediaFileKind.DOWNLOADABLE, "x.csv")
    other = LastingDownloads("/media")
    time.sleep(0.6)
    assert again == name and storage.get_file(name).content == b"x"
    monkeypatch.setattr("ui.downloads.GRACE", 0.0)
    short = other.load_and_get_id(b"y", "text/csv", MediaFileKind.DOWNLOADABLE, "y.csv")
    other.delete_file(short)
    time.sleep(0.6)
    with pytest.raises(MediaFileStorageError):
        other.get_file(short)


def test_recent_runs_are_read_once_and_bounded(run_copy, tmp_path):
    second = shutil.copytree(run_copy, tmp_path / "second")
    roomy, narrow = RecentRuns(10**9), RecentRuns(1)
    assert roomy.get(run_copy, 1.0) is roomy.get(run_copy, 1.0)
    assert roomy.get(run_copy, 2.0) is not roomy.get(run_copy, 1.0)  # scored again since
    first = narrow.get(run_copy, 1.0)
    assert narrow.get(run_copy, 1.0) is first  # larger than the bound, and kept as the only one
    narrow.get(second, 1.0)
    assert narrow.get(run_copy, 1.0) is not first


def test_a_run_that_arrives_after_a_workspace_was_opened_is_seen(small_run, interplay_home):
    identifier = new_workspace("")
    assert known_workspace(identifier, "").runs() == []
    folder = known_workspace(identifier, "").folder / "runs" / new_id()
    shutil.copytree(small_run.folder, folder)
    assert [entry.folder for entry in known_workspace(identifier, "").runs()] == [folder]
    assert load_run(folder).name == small_run.name
    shutil.rmtree(folder.parent.parent)
    with pytest.raises(DataError, match=NOT_YOURS):
        known_workspace(identifier, "")


def test_two_who_make_the_queue_at_once_wait_for_each_other(tmp_path, monkeypatch):
    """Whoever came second was told at once that the database is locked."""
    monkeypatch.setenv("INTERPLAY_HOME", str(tmp_path))
    with closing(sqlite3.connect(tmp_path / "queue.db", isolation_level=None, check_same_thread=False)) as first:
        first.execute("BEGIN IMMEDIATE")
        first.execute("CREATE TABLE theirs (x)")
        Timer(0.5, first.execute, ["COMMIT"]).start()
        assert place_in_queue(new_id()) == 0
        assert not first.in_transaction  # it waited
