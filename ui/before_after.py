"""Before and after: what a partition does to the categories and to the scores, and who stays and leaves."""

from __future__ import annotations

import streamlit as st

from curation.exploring.sentences import column_title
from curation.figures import balance_figure, before_after_figure, histogram_figure
from curation.partitioning import category_balance, extremes, thin_categories
from curation.plainly import listed
from curation.words import Term, terms
from ui.cards import gallery
from ui.components import chart
from ui.curating import Curating
from ui.text import plain

__all__ = ["before_and_after"]

_EXAMPLES = 7
_OTHER_COLOUR = "#5A5AD6"  # of scores that are none of the four terms


def before_and_after(made: Curating) -> None:
    """Draw the categories and a score before and after, and show examples of both parts."""
    if not made.partition.total:
        st.info("Nothing is selected on Explore, so there is nothing to split. Take “Only among” off, or select more.",
                icon=":material/info:")  # fmt: skip
        return
    balance = category_balance(made.samples, made.partition)
    thin = thin_categories(balance)
    if thin and made.partition.count:
        st.warning(f"Too little stays to be learned of {plain(listed(thin, most=5))}: set a minimum of every category.",
                   icon=":material/balance:")  # fmt: skip
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Categories", anchor=False)
        chart(balance_figure(balance), "balance", "How many samples of every category stay",
              "The full length is what a category has, the coloured part what stays of it.")  # fmt: skip
    with right:
        st.subheader("Scores", anchor=False)
        _scores(made)
    st.subheader("Examples", anchor=False)
    for part, title in (("selected", "What stays"), ("rest", "What leaves")):
        rows = made.partition.part(part)
        st.markdown(f"**{title}** :gray[{int(rows.sum()):,} samples]")
        if rows.any():
            shown = extremes(made.recipe, made.samples, rows, part, _EXAMPLES)
            found = made.samples.group[made.samples.ids.get_indexer(shown["sample_id"])].tolist()
            gallery(made.now.run, shown, found, f"examples_{part}", made.now.view.unit)


def _scores(made: Curating) -> None:
    told = {term.key: term for term in terms(made.now.run.modality_names)}
    if made.recipe.how == "score":
        by = made.recipe.by
    else:
        by = st.pills("Score", list(told), format_func=lambda key: told[key].title, default="r", key="compared",
                      required=True, persist_state="session", label_visibility="collapsed", wrap=True)  # fmt: skip
    title = column_title(by, made.now.run.modality_names)
    term = told.get(by) or Term(by, by, title, title, by, _OTHER_COLOUR)
    about = made.partition.selected | made.partition.rest
    values, stays = made.samples.column(by)[about], made.partition.selected[about]
    if not len(values):
        return
    compared, cut = st.tabs(["Before and after", "Where it is cut"], key="scores_as", on_change="rerun")
    if compared.open:
        with compared:
            figure = before_after_figure(values, term, stays, made.now.reading)
            chart(figure, "before_after", f"{title} before and after",
                  "Dotted: before. Where the coloured hill is higher, such samples become more common.")  # fmt: skip
    if cut.open:
        threshold = made.partition.threshold if by == made.recipe.by and made.recipe.how == "score" else None
        with cut:
            figure = histogram_figure(values, term, stays, threshold, made.now.reading)
            chart(figure, "histogram", f"{title} of what stays and of what leaves",
                  "Each column counts the samples with such a score; the line is where it is cut.")  # fmt: skip
