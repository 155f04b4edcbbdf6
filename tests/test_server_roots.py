"""Which folders of the server can be named in the browser: only those below a configured root, by whatever way."""

from __future__ import annotations

import os

import pytest

from curation.errors import DataError
from curation.roots import ROOTS, below_roots, configured_roots, parse_roots, set_roots
from ui import uploads


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A root with a folder in it, and a secret beside it."""
    (tmp_path / "root" / "inside").mkdir(parents=True)
    (tmp_path / "root-but-not" / "inside").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    monkeypatch.setenv(ROOTS, str(tmp_path / "root"))
    return tmp_path


def test_what_is_below_a_root_is_returned_without_links(house):
    (house / "root" / "short").symlink_to(house / "root" / "inside")
    inside = (house / "root" / "inside").resolve()
    assert below_roots(house / "root" / "short") == inside
    assert below_roots(str(house / "root" / "inside" / ".." / "inside")) == inside
    assert below_roots(house / "root") == house.resolve() / "root"
    assert below_roots(house / "root" / "not there yet").name == "not there yet"


@pytest.mark.parametrize(
    "way",
    ["secret", "root/../secret", "root/inside/../../secret", "root-but-not/inside", "root/../root-but-not", "", "/etc"],
)
def test_what_is_outside_is_refused(house, way):
    with pytest.raises(DataError, match="outside the folders that this server may read"):
        below_roots(house / way)


def test_links_out_of_a_root_are_refused(house):
    (house / "root" / "out").symlink_to(house / "secret")
    (house / "root" / "inside" / "up").symlink_to("../..")
    (house / "root" / "chain").symlink_to("out")
    for way in ("out", "chain", "inside/up", "inside/up/secret"):
        with pytest.raises(DataError, match="outside"):
            below_roots(house / "root" / way)


def test_a_link_that_is_changed_later_does_not_change_what_was_allowed(house):
    link = house / "root" / "link"
    link.symlink_to(house / "root" / "inside")
    allowed = below_roots(link)
    link.unlink()
    link.symlink_to(house / "secret")
    assert allowed == (house / "root" / "inside").resolve()
    with pytest.raises(DataError):
        below_roots(link)


def test_a_folder_swapped_for_a_link_after_the_check_is_not_opened(house):
    folder = house / "root" / "inside"
    allowed = below_roots(folder)
    folder.rmdir()
    folder.symlink_to(house / "secret")
    with pytest.raises(DataError, match="was replaced"):
        uploads.open_checked(str(allowed))


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "~nobody-of-this-name/x"])
def test_what_is_no_path_is_refused_in_one_sentence(house, name):
    with pytest.raises(DataError) as error:
        below_roots(name)
    assert len(str(error.value)) < 500 and "\0" not in str(error.value)


def test_loops_of_links_are_refused(house):
    (house / "root" / "a").symlink_to("b")
    (house / "root" / "b").symlink_to("a")
    with pytest.raises(DataError):
        below_roots(house / "root" / "a" / "c" / ".." / ".." / ".." / ".." / "secret")


def test_a_tilde_is_the_home_folder_and_no_way_round(house, monkeypatch):
    monkeypatch.setenv("HOME", str(house / "root"))
    assert below_roots("~/inside") == (house / "root" / "inside").resolve()
    monkeypatch.setenv("HOME", str(house / "secret"))
    with pytest.raises(DataError, match="outside"):
        below_roots("~")
    with pytest.raises(DataError):
        below_roots("~root")


def test_the_answer_does_not_tell_what_exists_outside(house):
    told = []
    for name in ("secret", "not there"):
        with pytest.raises(DataError) as error:
            below_roots(house / name)
        told.append(str(error.value).replace(str(house / name), "X"))
    assert told[0] == told[1]


@pytest.mark.parametrize("value", ["", os.pathsep, None])
def test_without_roots_nothing_may_be_named(house, monkeypatch, value):
    monkeypatch.delenv(ROOTS) if value is None else monkeypatch.setenv(ROOTS, value)
    assert configured_roots() == ()
    with pytest.raises(DataError, match="reads no folders of its own"):
        below_roots(house / "root")
    with pytest.raises(DataError, match="reads no folders of its own"):
        below_roots("")


def test_several_roots_and_a_root_that_is_a_link(house, monkeypatch):
    (house / "linked").symlink_to(house / "secret")
    monkeypatch.delenv(ROOTS)
    set_roots(parse_roots(f"{house / 'root'}{os.pathsep}{house / 'linked'}"))
    assert configured_roots() == ((house / "root").resolve(), (house / "secret").resolve())
    assert below_roots(house / "secret") == (house / "secret").resolve()
    with pytest.raises(DataError, match="is not a folder"):
        parse_roots(str(house / "nowhere"))


def test_the_import_page_asks(house):
    assert uploads.media_of([], str(house / "root" / "inside")) == (house / "root" / "inside").resolve()
    with pytest.raises(DataError, match="outside"):
        uploads.media_of([], str(house / "secret"))
    with pytest.raises(DataError, match="is not a folder"):
        uploads.media_of([], str(house / "root" / "nowhere"))
