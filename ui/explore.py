"""The views of Explore, one on show at a time: what is not on show is not drawn, so nobody waits for it."""

from __future__ import annotations

import streamlit as st

from curation.exploring.sentences import SUSPECT_TITLES
from curation.exploring.view import SHOWS
from curation.queries import row_of, sample_table
from curation.summary import measures_of
from curation.words import EARLIER, MEASURES, terms
from ui import showing as show
from ui.cards import gallery, sample_card
from ui.maps import drawn_map, drawn_quadrants
from ui.showing import MOST_ROWS, Showing
from ui.spread import drawn_categories, drawn_distributions
from ui.widgets import follow

__all__ = ["draw", "samples_below", "settings", "side_card"]

TITLES = {
    "categories": "Categories", "distributions": "Distributions", "map": "Map", "quadrants": "Side against side",
    "suspects": "Suspects", "table": "Table",
}  # fmt: skip
_GALLERY = 14
_REASONS = {
    "label_error": "Both sides agree on another category than the label says.",
    "swapped_pair": "The two sides contradict each other, as in a pair that was put together wrongly.",
    "copies": "Nearly the same as another sample of its category; the one that is kept stands beside it.",
}


def settings(now: Showing) -> None:
    """Offer the measure, the unit, and whether means are shifted; nothing is scored again."""
    with st.popover("Measure and unit", icon=":material/tune:", width="content"):
        measures = list(measures_of(now.run.scores))
        follow("measure", now.view.measure or now.run.summary["redundancy"])
        st.selectbox(
            "Measure", measures, format_func=MEASURES.get, key="measure", on_change=_amended, args=("measure",),
            help="How “both say it” is defined. Switching needs no new run: all are computed from the same fit.",
        )  # fmt: skip
        if len(measures) < len(MEASURES):
            st.caption(f"{EARLIER}; score the pairs again to see it.")
        follow("unit", now.view.unit)
        st.segmented_control(
            "Unit", ["nats", "bits"], required=True, key="unit", on_change=_amended, args=("unit",),
            help="One nat is 1.44 bits.",
        )  # fmt: skip
        follow("shift", now.view.shift)
        st.segmented_control(
            "Means", ["raw", "adjusted"], required=True, key="shift", on_change=_amended, args=("shift",),
            help="Adjusted means are shifted so that, where it can be, none is below 0 and they read as shares. "
            "The scores of the samples are never shifted.",
        )  # fmt: skip


def _amended(name: str) -> None:
    show.amend(**{name: st.session_state[name]})


def draw(now: Showing) -> None:
    """Draw the view on show, with the switch to the others above it."""
    follow("show", now.view.show)
    st.segmented_control(
        "View", SHOWS, format_func=TITLES.get, key="show", on_change=_amended, args=("show",), required=True,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    if not now.selected.any():
        return
    {
        "categories": drawn_categories, "distributions": drawn_distributions, "map": drawn_map,
        "quadrants": drawn_quadrants, "suspects": _suspects, "table": _table,
    }[now.view.show](now)  # fmt: skip


def _suspects(now: Showing) -> None:
    follow("which", now.view.which)
    which = st.segmented_control(
        "Kind of suspects", list(SUSPECT_TITLES), format_func=lambda key: SUSPECT_TITLES[key].capitalize(),
        key="which", on_change=_amended, args=("which",), required=True, label_visibility="collapsed",
    )  # fmt: skip
    st.caption(_REASONS[which])
    table = now.suspects
    if table is None:
        st.info("This is still being looked for, or this run was scored before Interplay did; everything else is ready "
                "to use.", icon=":material/info:")  # fmt: skip
        return
    if table.empty:
        st.success("None among these samples.", icon=":material/check_circle:")
        return
    _choosable(table, "suspects")
    most = st.number_input("How many to select", 1, len(now.samples), min(20, len(table)), key="suspect_count")
    node = {"kind": "suspects", "which": which, "count": int(most)}
    st.button("Select the most suspect", on_click=show.narrow, args=(node,), icon=":material/filter_alt:")


def _choosable(table, key: str) -> None:
    identifiers = table["sample"].tolist()

    def chosen() -> None:
        rows = [r for r in st.session_state[key].selection.rows if r < len(identifiers)]
        if len(rows) == 1:
            show.amend(chosen=str(identifiers[rows[0]]))

    numbers = {c: st.column_config.NumberColumn(format="%.2f") for c in table.select_dtypes("number").columns}
    event = st.dataframe(
        table, hide_index=True, key=key, on_select=chosen, selection_mode="multi-row", height=420,
        column_config=numbers,
    )  # fmt: skip
    rows = [r for r in event.selection.rows if r < len(identifiers)]
    if len(rows) > 1:
        node = {"kind": "ids", "ids": [str(identifiers[r]) for r in rows]}
        st.button(f"Select these {len(rows)}", on_click=show.narrow, args=(node,), icon=":material/filter_alt:")


def _table(now: Showing) -> None:
    table = sample_table(now.run, now.first(MOST_ROWS), now.view.unit)
    _choosable(table, "samples")
    more = ""
    if len(table) == MOST_ROWS:
        more = f"The first {MOST_ROWS} of {int(now.selected.sum()):,}; narrow them to see others. "
    st.caption(f"{more}Tick one row to see its sample, several to select them.")


def side_card(now: Showing) -> None:
    """Show the chosen sample beside the view."""
    _card(now, now.chosen)
    copies = now.samples.copies() if now.view.show == "suspects" and now.view.which == "copies" else None
    kept = copies["copy_of"].get(now.chosen, "") if copies is not None else ""
    if kept:
        st.markdown("**The one that is kept**")
        _card(now, kept)


def _card(now: Showing, sample_id: str) -> None:
    row = row_of(now.samples.frame, sample_id)
    sample_card(now.run, row, now.view.unit, now.samples.tags_of(sample_id))


def samples_below(now: Showing) -> None:
    """Show the selected samples with their real media."""
    if not now.selected.any():
        return
    titles = {"misleading": "the most misleading first"} | {
        term.key: f"the most “{term.title}” first" for term in terms(now.run.modality_names)
    }
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.subheader("The samples", anchor=False)
    if now.suspects is None:
        follow("order", now.view.order)
        right.selectbox(
            "Order", list(titles), format_func=titles.get, key="order", on_change=_amended, args=("order",),
            label_visibility="collapsed",
        )  # fmt: skip
    page = now.first(_GALLERY)
    codes = now.samples.group[now.samples.ids.get_indexer(page["sample_id"])].tolist()
    gallery(now.run, page, codes, "gallery", now.view.unit, _look)


def _look(sample_id: str) -> None:
    show.amend(chosen=str(sample_id))
