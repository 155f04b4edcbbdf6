"""The report: whole in one file, true to the scores, harmless whatever labels say, and small however many samples."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import makers
import numpy as np
import pandas as pd
import pytest

import cli
from benchmarks import browser
from curation.errors import DataError
from curation.exploring import Samples
from curation.exploring.selection import NAMED
from curation.report import report_html, write_report
from curation.report.markup import escaped, figure, table
from curation.summary import finding
from curation.workspace import add_later, open_run, save_selection, tag_samples, tags_of

HOSTILE = [
    "<script>window.struck=1</script>", "</script><img src=x onerror=window.struck=1>", "a & b &amp; c",
    "'\"><svg/onload=window.struck=1>", "{{x}} %{y}", "line\u2028break\u202e", "http://example.com/x.png",
]  # fmt: skip
CHECKS = {
    "null": dict.fromkeys(("r", "u1", "u2", "s", "i1", "i2", "i12"), 0.0), "looked_at": 75, "n_samples": 75,
    "power": {"planted": 0.69, "found": 0.0, "seen": False, "sentence": "Nothing was seen."},
}  # fmt: skip
SECTIONS = ["What carries the categories", "Distributions", "Side against side", "Examples", "Suspects",
            "What was decided", "Method and caveats", "Settings and versions"]  # fmt: skip


class _Page(HTMLParser):
    """Tags, texts and addresses of a page, scripts apart."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags, self.texts, self.addresses, self._inside = [], [], [], ""
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self._inside = tag
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.texts.append(data)


def figures_in(content: str) -> dict[str, dict]:
    found = re.findall(r'<script type="application/json" id="([a-z0-9-]+)">(.*?)</script>', content, re.DOTALL)
    return {name: json.loads(data) for name, data in found}


def hostile_samples(small_run, folder: Path) -> Samples:
    """The small run with hostile names, labels and captions, and a picture on the other side."""
    makers.draw_shape("circle", "red", 30, folder / "a.png")
    n, names = len(small_run.scores), {"image": "<b>im&age</b>", "text": "te'xt\""}
    label = np.array(HOSTILE, dtype=object)[np.arange(n) % len(HOSTILE)]
    scores = small_run.scores.rename(columns=lambda c: re.sub(r"\.(image|text)$", lambda m: f".{names[m[1]]}", c))
    scores = scores.assign(**{
        "label": label, "sample_id": [f"{i}{HOSTILE[i % 7]}" for i in range(n)],
        f"item.{names['image']}": str(folder / "a.png"), f"item.{names['text']}": label,
        **{f"says.{s}": label for s in (*names.values(), "both")}, f"file.{names['image']}": label,
    })  # fmt: skip
    sides = [
        {"name": names["image"], "kind": "picture", "encoder": "x"},
        {"name": names["text"], "kind": "text", "encoder": "x"},
    ]
    summary = small_run.summary | {"modalities": sides, "name": HOSTILE[0], "attribution": HOSTILE[1]}
    return Samples(replace(small_run, scores=scores, summary=summary | {"warnings": HOSTILE}))


@pytest.fixture(scope="module")
def report(picture_run, tmp_path_factory) -> tuple[str, Samples]:
    workspace, run = open_run(shutil.copytree(picture_run, tmp_path_factory.mktemp("report") / "workspace"))
    tag_samples(workspace, run.dataset, run.scores["sample_id"][:5], "look again")
    (run.folder / "checks.json").write_text(json.dumps(CHECKS), encoding="utf-8")
    low = {"kind": "range", "column": "r", "low": None, "high": 0.4}
    save_selection(workspace, run.folder.name, f"{NAMED}the weak <ones>", low)
    save_selection(workspace, run.folder.name, "partition", {"by": "r", "side": "high", "balanced": False, "count": 30})
    nothing = dict.fromkeys(("r", "u1", "u2", "s", "i1", "i2", "i12"), 0.0)
    power = {"planted": 0.69, "found": 0.0, "seen": False, "sentence": ""}
    add_later(workspace, run, "checks.json", {"null": nothing, "power": power, "looked_at": 75, "n_samples": 75})
    samples = Samples(run, tags=tags_of(workspace, run.dataset))
    return report_html(workspace, samples), samples


def test_it_tells_everything_in_the_words_of_the_data(report):
    content, samples = report
    said = " ".join(" ".join(_Page(content).texts).split())
    at = [said.index(section) for section in SECTIONS]
    assert at == sorted(at)
    assert " ".join(finding(samples.frame, samples.run.modality_names).split()) in said
    assert samples.run.record["encoders"][1]["fingerprint"] in said
    for words in ("Only the picture knows", "Only the text knows", "Tag look again 5 6.7%", "Seed 0", "Swapped pairs",
                  "Partition What leaves 45 60.0%", "Selection the weak <ones>:", "5 rows could not be scored",
                  "90 % intervals", "could have stayed hidden", "efficientnet"):  # fmt: skip
        assert words in said, words
    for term in ("r", "u1", "u2", "s"):
        assert f"{samples.frame[term].mean():.2f}" in said
    shown = sum(min(count, 4) for count in np.bincount(samples.group)[:5])
    assert content.count("data:image/webp") == shown >= 8


def test_its_figures_hold_the_numbers_of_the_scores(report):
    content, samples = report
    drawn = figures_in(content)
    assert set(drawn) == {"fingerprint", "groups", "quadrants", *(f"ridges-{t}" for t in ("r", "u1", "u2", "s"))}
    assert all(f'data-figure="{name}"' in content for name in drawn)
    assert {trace["type"] for told in drawn.values() for trace in told["data"]} <= {"bar", "scatter"}
    placed = sum(len(t.get("customdata", [])) for t in drawn["quadrants"]["data"])
    assert placed == len(samples)


def test_nothing_of_it_comes_from_outside(report):
    content, _ = report
    page = _Page(content)
    assert page.addresses and all(a.startswith("data:image/") for a in page.addresses)
    assert "link" not in page.tags and "iframe" not in page.tags and content.count("<script>") == 2
    assert "default-src 'none'" in content and "connect-src" not in content


def test_hostile_texts_stay_texts(small_run, tmp_path):
    content = report_html(open_run(small_run.folder)[0], hostile_samples(small_run, tmp_path))
    page = _Page(content)
    assert "svg" not in page.tags and page.tags.count("script") == 2 + len(figures_in(content))
    assert all(a.startswith("data:image/webp") for a in page.addresses)
    said = " ".join(page.texts)
    for text in HOSTILE[:5]:
        assert text in said, text
    assert "onerror" not in re.sub(r"<script.*?</script>|&lt;.*?&gt;", "", content, flags=re.DOTALL)


@pytest.mark.parametrize("text", HOSTILE)
def test_pieces_escape_what_they_are_given(text):
    import plotly.graph_objects as go

    assert "<" not in escaped(text) and '"' not in escaped(text) and "'" not in escaped(text)
    assert text in "".join(_Page(table([text], [[text]])).texts) or "\u2028" in text
    piece = figure(go.Figure(go.Bar(x=[1], text=[text])), "f", text)
    assert piece.count("</script>") == 1 and "\u2028" not in piece
    assert figures_in(piece)["f"]["data"][0]["text"] == [text]


def test_a_hundred_thousand_samples_fit_into_a_mail(small_run):
    n, rng = 100_000, np.random.default_rng(0)
    rows = rng.integers(len(small_run.scores), size=n)
    many = small_run.scores.iloc[rows].reset_index(drop=True)
    many = many.assign(
        sample_id=[f"s{i}" for i in range(n)], label=[f"category {i % 300}" for i in range(n)],
        **{name: many[name] + rng.normal(0, 0.3, n) for name in ("i1", "i2", "i12")},
    )  # fmt: skip
    samples = Samples(replace(small_run, scores=many, folder=small_run.folder / "later files are not of these"))
    content = report_html(open_run(small_run.folder)[0], samples)
    assert len(content.encode()) < 8e6
    assert "24 of 300 categories" in content


def test_a_run_without_what_comes_later_has_a_report(earlier_run, tmp_path):
    content = write_report(earlier_run, tmp_path / "a.html").read_text(encoding="utf-8")
    assert "measure “lsmi”" in " ".join(_Page(content).texts)


def test_the_command_writes_it_once_and_notes_it(small_run, tmp_path, capsys):
    out = tmp_path / "deep" / "report.html"
    assert cli.main(["report", str(small_run.folder), "--measure", "mmi", "--out", str(out)]) == 0
    assert "opens in any browser, without a network" in capsys.readouterr().out
    assert "measure “mmi”" in " ".join(_Page(out.read_text(encoding="utf-8")).texts)
    with open_run(small_run.folder)[0].catalogue.read() as db:
        assert str(out) in {row["path"] for row in db.execute("SELECT path FROM exports")}
    for wrong, said in ((out, "exists already"), (tmp_path / "a.pdf", "should end in .html")):
        assert cli.main(["report", str(small_run.folder), "--out", str(wrong)]) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(DataError, match="cannot be written"):
        write_report(small_run.folder, out / "below.html")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_it_opens_from_the_disk_without_a_network(small_run, chromium, tmp_path, width):
    file = tmp_path / "report.html"
    file.write_text(report_html(open_run(small_run.folder)[0], hostile_samples(small_run, tmp_path)), encoding="utf-8")
    asked, told = [], []
    with browser.browser_page(chromium, width=width) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(file.as_uri())
        page.locator("#quadrants + .figure .main-svg").first.wait_for()
        assert page.locator(".js-plotly-plot .main-svg").count() >= 7
        assert page.evaluate("window.struck") is None
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        bar = page.locator("#fingerprint + .figure .bars .point path").first
        bar.scroll_into_view_if_needed()
        place = bar.bounding_box()
        page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.locator("#fingerprint + .figure .hoverlayer .hovertext").first.wait_for()
        for place in page.locator("[data-figure]").all():
            inner = place.locator(".main-svg").first.bounding_box()
            assert inner["width"] <= width and inner["height"] > 150
        page.emulate_media(media="print")
        paper = page.pdf(format="A4")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert told == [] and len(paper) > 50_000


def test_the_words_are_of_the_same_frame(report):
    """A figure of another measure than the sentences would be noticed."""
    content, samples = report
    assert samples.measure == "cautious" and content.count("cautious, raw · nats · n = 75") >= 5
    assert isinstance(samples.frame, pd.DataFrame)
