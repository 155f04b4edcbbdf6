"""A guided first visit: what is where on Explore, in plain words, one step at a time; and the words themselves."""

from __future__ import annotations

import streamlit as st

from curation.glossary import glossary
from curation.workspace import ScoredRun
from ui.components import legend
from ui.text import plain

__all__ = ["STEPS", "guide", "guide_button", "words"]

_STEP = "guide_step"  # None once it was gone through or skipped

STEPS = (
    ("The sentence above", "It sums everything up: how much of the category the {a} and the {b} give away "
     "together, and how. The rest of this page shows where it comes from."),
    ("The bars", "Each row is one category. Pink: the {a} and the {b} both say it. Blue: only the {a} does. Orange: "
     "only the {b}. Green: neither alone, but the two together. Left of 0 something misleads."),
    ("The buttons above the figure", "“What carries the category” keeps only the samples of one kind. Try "
     "“Misleading”: those are swapped pairs, wrong labels, and honestly hard cases. “Undo” brings everything back."),
    ("The other views", "“Map” lays similar samples side by side: draw a box around some to see them. “Suspects” lists "
     "what to look at first."),
    ("The samples", "“Look” below a sample puts it on the card at the right, with what each side says. Tag "
     "what you find: nothing is deleted, and an export can leave it out."),
)  # fmt: skip


def guide(run: ScoredRun) -> None:
    """Show the step that is due: on a demo from the first visit of a session on, else once it was asked for."""
    demo = run.record.get("settings", {}).get("source", {}).get("kind") == "demo"
    step = st.session_state.setdefault(_STEP, 0 if demo else None)
    if step is None:
        return
    a, b = run.modality_names
    title, told = STEPS[step]
    with st.container(border=True, key="guide"):
        st.markdown(f"**{step + 1} of {len(STEPS)}: {title}.** {told.format(a=plain(a), b=plain(b))}")
        with st.container(horizontal=True, gap="small"):
            last = step + 1 == len(STEPS)
            st.button("Done" if last else "Next", on_click=_go, args=(None if last else step + 1,), key="guide_next")
            if step:
                st.button("Back", on_click=_go, args=(step - 1,), key="guide_back")
            if not last:
                st.button("Skip the guide", on_click=_go, args=(None,), key="guide_skip", type="tertiary")


def guide_button() -> None:
    """Offer the guide, as often as one likes."""
    st.button("Guide", icon=":material/explore:", on_click=_go, args=(0,), key="guide_again")


def _go(step: int | None) -> None:
    st.session_state[_STEP] = step


def words(modality_names: tuple[str, str]) -> None:
    """Explain the four terms, and below them every other word; formulas are one click further."""
    legend(modality_names)
    formulas = st.toggle("Show the formulas", key="glossary_formulas")
    for entry in glossary(modality_names):
        st.markdown(f"**{plain(entry.word)}** · {plain(entry.meaning)}")
        if formulas:
            st.caption(plain(entry.formula))
