"""Estimates beside known answers, for data that was built to have them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from curation.figures.reading import Reading
from curation.figures.style import GREY, finished, letters, on_lines
from curation.words import terms, within_sentence

__all__ = ["known_answers_figure"]

REGIMES = ("redundant", "unique1", "unique2", "synergistic", "neither")


def known_answers_figure(frame: pd.DataFrame, modality_names: tuple[str, str], reading: Reading) -> go.Figure:
    """Return for each way of building a sample the estimated means as bars and the known ones as diamonds.

    Parameters
    ----------
    frame : pandas.DataFrame
        Scores with ``known.regime`` and ``known.r, known.u1, known.u2, known.s``, raw, in nats.
    modality_names : tuple of str
    reading : Reading

    Returns
    -------
    plotly.graph_objects.Figure
    """
    built = [*(within_sentence(term.title) for term in terms(modality_names)), "neither helps"]
    groups = frame.groupby("known.regime")
    order = [regime for regime in REGIMES if regime in groups.groups][::-1]
    figure = go.Figure()
    for position, term in enumerate(terms(modality_names)):
        places = np.arange(len(order)) - (position - 1.5) * 0.19
        told, known = (reading.values(term.key, groups[prefix + term.key].mean()[order]) for prefix in ("", "known."))
        title = letters(term.title)
        figure.add_bar(
            orientation="h", x=told, y=places, width=0.17, name=on_lines(term.title, 2, 32),
            marker_color=term.colour, marker_line_width=0,
            hovertemplate=f"{title}, estimated: %{{x:.3f}} {reading.unit}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=known, y=places, mode="markers", name="known answer", legendrank=2000, showlegend=position == 0,
            marker={"symbol": "diamond", "size": 10, "color": "#FFFFFF", "line": {"color": "#222222", "width": 1.8}},
            hovertemplate=f"{title}, known: %{{x:.3f}} {reading.unit}<extra></extra>",
        )  # fmt: skip
    names = dict(zip(REGIMES, built, strict=True))
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=["built so that<br>" + on_lines(names[g]) for g in order],
        automargin=True, showgrid=False, zeroline=False, ticks="",
    )  # fmt: skip
    figure.update_xaxes(title=f"mean, {reading.unit}", zeroline=True, zerolinecolor=GREY)
    return finished(figure, reading.subtitle(len(frame)), 130 + 78 * len(order))
