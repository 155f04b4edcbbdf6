"""The guide and the words: once for a visitor of the demo, again when asked for, with every word explained."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from curation.glossary import glossary
from ui.tour import STEPS


def guided(kind: str) -> None:
    from types import SimpleNamespace

    from ui.tour import guide, guide_button

    guide_button()
    guide(SimpleNamespace(record={"settings": {"source": {"kind": kind}}}, modality_names=("im*ge", "text")))


def shown(app: AppTest) -> str:
    return " ".join(m.value for m in app.markdown)


def test_the_demo_is_guided_once_step_by_step_and_again_when_asked_for():
    app = AppTest.from_function(guided, args=("demo",)).run()
    for position in range(len(STEPS)):
        assert f"{position + 1} of {len(STEPS)}" in shown(app)
        app.button(key="guide_next").click().run()
    assert shown(app) == ""
    app.run()
    assert shown(app) == ""
    app.button(key="guide_again").click().run()
    assert f"1 of {len(STEPS)}" in shown(app)
    assert "im\\*ge" in shown(app)  # names are text, never markup
    app.button(key="guide_skip").click().run()
    assert shown(app) == ""


def test_own_data_is_guided_only_when_asked_for():
    app = AppTest.from_function(guided, args=("table",)).run()
    assert shown(app) == ""
    app.button(key="guide_again").click().run()
    assert f"1 of {len(STEPS)}" in shown(app)


def test_every_word_has_a_meaning_and_a_formula():
    told = glossary(("picture", "text"))
    assert len({entry.word for entry in told}) == len(told)
    assert all(entry.meaning.endswith(".") and entry.formula for entry in told)
    every = " ".join(entry.word.lower() for entry in told)
    needed = ("nats", "bits", "measure", "adjusted", "misleading", "unclear", "near-duplicate", "suspect", "interval")
    assert [word for word in needed if word not in every] == []
