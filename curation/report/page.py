"""The page around the sections: its looks on screen and on paper, and the one script that draws the figures."""

from __future__ import annotations

from plotly.offline import get_plotlyjs

from curation.report.markup import escaped

__all__ = ["whole_page"]

# Nothing may be asked of anybody, whatever a text of a user's might try.
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_LOOKS = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 20px 60px;max-width:1080px;font:16px/1.55 system-ui,sans-serif;color:#1b2730;
background:#fff;overflow-wrap:anywhere}
h1{font-size:1.9rem;line-height:1.2;margin:.2em 0}
h2{font-size:1.3rem;margin:2.2em 0 .5em;padding-top:.6em;border-top:1px solid #dde3e7}
h3{font-size:1.02rem;margin:1.4em 0 .4em}
p{margin:.5em 0;max-width:46em}
.lead{font-size:1.12rem}
.small,figcaption{color:#55626b;font-size:.88rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:.6em 0;font-size:.92rem;min-width:min(100%,420px)}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid #e6eaed;
overflow-wrap:anywhere;min-width:4em}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.square{display:inline-block;width:.8em;height:.8em;margin-right:.45em;border-radius:2px}
.figure{width:100%}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:16px 24px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,210px),1fr));gap:12px}
.card{border:1px solid #dde3e7;border-radius:8px;padding:10px 12px;overflow-wrap:anywhere;font-size:.9rem}
.card img{display:block;max-width:100%;height:auto;margin:6px 0;border-radius:4px}
.card p{margin:.35em 0}
.terms{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,220px),1fr));gap:12px;margin:1em 0}
.term{border:1px solid #dde3e7;border-radius:8px;padding:10px 14px}
.term strong{display:block}
.term .value{font-size:1.45rem;font-variant-numeric:tabular-nums}
code{font:.86em ui-monospace,monospace;overflow-wrap:anywhere}
@page{margin:14mm}
@media print{body{padding:0;font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2,h3,h2+p,h3+p{break-after:avoid}.cards,.terms{grid-template-columns:repeat(4,1fr)}
.figure,.card,.term,tr{break-inside:avoid}.modebar{display:none}.wide{overflow:visible}}
"""
_DRAW = """
const settings = {responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "",
  modeBarButtonsToRemove: ["autoScale2d", "lasso2d", "select2d"]};
const places = Array.from(document.querySelectorAll("[data-figure]"));
for (const place of places) {
  const told = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  Plotly.newPlot(place, told.data, told.layout, settings);
}
// Paper is narrower than the screen, in the columns of a grid as well.
addEventListener("beforeprint", () => places.forEach((place) => Plotly.relayout(place, {width: 660})));
addEventListener("afterprint", () => places.forEach((place) => Plotly.relayout(place, {width: null, autosize: true})));
"""


def whole_page(title: str, body: str) -> str:
    """Return the file: title and sections, with all that they need."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{_LOOKS}</style></head><body>{body}"
        f"<script>{get_plotlyjs()}</script><script>{_DRAW}</script></body></html>\n"
    )
