"""Pieces of a page that hold text of others as text."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence

import plotly.graph_objects as go

from curation.plainly import one_line

__all__ = ["escaped", "figure", "paragraphs", "table"]


def escaped(text: object) -> str:
    """Return text that a browser shows letter by letter."""
    return html.escape(one_line(text))


def paragraphs(sentences: Iterable[str]) -> str:
    """Return sentences as paragraphs."""
    return "".join(f"<p>{escaped(sentence)}</p>" for sentence in sentences)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> str:
    """Return a table of texts; the columns at these positions are numbers."""
    classes = [' class="number"' if k in numbers else "" for k in range(len(head))]
    top = "".join(f'<th scope="col"{c}>{escaped(h)}</th>' for h, c in zip(head, classes, strict=True))
    body = (
        "<tr>" + "".join(f"<td{c}>{escaped(cell)}</td>" for cell, c in zip(row, classes, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def figure(drawn: go.Figure, name: str, said: str) -> str:
    """Return a figure with its data beside it, and what it shows in words.

    Points are drawn as SVG: a machine without WebGL shows them as well, and nothing has to be compiled in the page.
    """
    told = json.loads(drawn.update_layout(template="plotly_white", font={"family": "system-ui, sans-serif"}).to_json())
    for trace in told["data"]:
        trace["type"] = {"scattergl": "scatter"}.get(trace["type"], trace["type"])
    data = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    data = data.replace("<", r"\u003c").replace("\u2028", r"\u2028")
    height = int(drawn.layout.height or 450)
    return (
        f'<script type="application/json" id="{name}">{data}</script>'
        f'<div class="figure" data-figure="{name}" role="img" aria-label="{escaped(said)}" '
        f'style="height:{height}px"></div>'
    )
