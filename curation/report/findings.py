"""What was found: in sentences, in figures, on samples, and what looks wrong."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd

from curation.exploring import GROUPS, Samples, groups
from curation.exploring.sentences import SUSPECT_TITLES
from curation.figures import (
    Cloud,
    Names,
    fingerprint_figure,
    groups_figure,
    quadrants_figure,
    reading_of,
    ridges_figure,
)
from curation.queries import describe_samples, explanation, gallery_rows, suspect_table
from curation.report.markup import escaped, figure, table
from curation.summary import category_counts, category_means, category_order, dataset_means, finding
from curation.thumbnails import small_picture
from curation.words import SIGNS, terms, within_sentence
from lsmi_core import TERMS

__all__ = ["examples", "figures", "head", "suspects"]

_CATEGORIES, _RIDGES = 24, 12
_SIDE = 180  # pixels of a picture
_EXAMPLES, _SUSPECTS = 4, 10
_LONGEST = 240  # characters of a text


def head(samples: Samples) -> str:
    """Return what was found in plain words, and the four means."""
    run, (a, b) = samples.run, samples.run.modality_names
    means = dataset_means(samples.frame)
    boxes = "".join(
        f'<div class="term"><strong><span class="square" style="background:{term.colour}"></span>{escaped(term.title)}'
        f'</strong><span class="value">{means[term.key]["mean"]:.2f}</span> nats <span class="small">'
        f"({means[term.key]['low']:.2f} to {means[term.key]['high']:.2f})</span>"
        f'<p class="small">{escaped(term.explanation)}</p></div>'
        for term in terms(run.modality_names)
    )
    return (
        f'<p class="small">Interplay report · {len(samples):,} pairs of {escaped(a)} and {escaped(b)}</p>'
        f"<h1>{escaped(run.name)}</h1>"
        f'<p class="lead">{escaped(finding(samples.frame, run.modality_names))}</p><div class="terms">{boxes}</div>'
        '<p class="small">Means of all samples, unshifted, with 90 % intervals. One nat makes the right category 2.7 '
        "times as likely as its frequency does.</p>"
    )


def figures(samples: Samples) -> str:
    """Return fingerprint, groups, distributions and quadrants."""
    frame, names = samples.frame, samples.run.modality_names
    means, categories = dataset_means(frame), category_means(frame)
    reading = reading_of(means, samples.measure)
    order = category_order(categories, "r", _CATEGORIES)
    count = categories["label"].nunique()
    few = "" if len(order) == count else f"<p class='small'>The first {len(order)} of {count:,} categories.</p>"
    fingerprint = fingerprint_figure(categories, means, names, reading, "r", order)
    shares = groups_figure(category_counts(frame["label"], samples.group, GROUPS).loc[order], groups(names), reading)
    ridges = "".join(
        figure(ridges_figure(frame, [term], order[-_RIDGES:], reading), f"ridges-{term.key}",
               f"Distribution of {term.title} in every category")
        for term in terms(names)
    )  # fmt: skip
    return (
        f"<h2>What carries the categories</h2><p>{escaped(SIGNS[samples.measure])}</p>{few}"
        + figure(fingerprint, "fingerprint", "Mean shared, unique and joint information of every category")
        + "<h3>How many samples</h3><p>Every sample counts once, for the largest of its four scores; or as misleading, "
        "or as neither.</p>"
        + figure(shares, "groups", "What carries how many samples of every category")
        + f'<h2>Distributions</h2><p>A hill to the right of 0 helps to tell the category; what lies left of 0 misleads.'
        f'</p><div class="grid">{ridges}</div><h2>Side against side</h2><p>Each sample by what its two sides tell. Far '
        "from the diagonal one side tells what the other does not; left of 0 or below it, a side points to another "
        "category.</p>" + figure(_quadrants(samples), "quadrants", f"What {names[0]} and {names[1]} tell")
    )  # fmt: skip


def _quadrants(samples: Samples) -> object:
    names, frame = samples.run.modality_names, samples.frame
    named = groups(names)
    titles = np.array([group.title for group in named], dtype=object)
    colours = Names("what carries it", titles[samples.group], {group.title: group.colour for group in named})
    cloud = Cloud(
        frame["i1"].to_numpy(), frame["i2"].to_numpy(), frame["sample_id"].to_numpy(),
        lambda rows: describe_samples(samples.run, frame.iloc[rows]),
    )  # fmt: skip
    return quadrants_figure(cloud, colours, names, reading_of(dataset_means(frame), samples.measure))


def examples(samples: Samples) -> str:
    """Return a few samples of every interaction group with what their sides say."""
    orders = (*TERMS, "misleading")
    parts = []
    for code, (group, order) in enumerate(zip(groups(samples.run.modality_names), orders, strict=False)):
        rows = gallery_rows(samples.frame[samples.group == code], order, _EXAMPLES)
        cards = "".join(_card(samples, row) for _, row in rows.iterrows())
        if cards:
            parts.append(f'<h3>{escaped(group.title)}, the clearest first</h3><div class="cards">{cards}</div>')
    return f"<h2>Examples</h2>{''.join(parts)}"


def _card(samples: Samples, row: pd.Series) -> str:
    run = samples.run
    sides = "".join(_side(name, kind, row) for name, kind in run.kinds.items())
    scores = ", ".join(f"{within_sentence(t.title)} {row[t.key]:.2f}" for t in terms(run.modality_names))
    return (
        f'<div class="card"><strong>{escaped(row["label"])}</strong>{sides}'
        f"<p>{escaped(explanation(row, run.modality_names))}</p>"
        f'<p class="small">{escaped(scores)} nats · sample {escaped(row["sample_id"])}</p></div>'
    )


def _side(name: str, kind: str, row: pd.Series) -> str:
    item = row.get(f"item.{name}")
    if item is None:
        return f'<p class="small">{escaped(name)}: features, nothing to look at</p>'
    if kind == "text":
        return f"<p>“{escaped(textwrap.shorten(item[: 4 * _LONGEST], _LONGEST, placeholder='…'))}”</p>"
    own = escaped(row.get(f"file.{name}", Path(item).name))
    small = small_picture(item, _SIDE, quality=70) if kind == "picture" else None
    if small is None:
        return f'<p class="small">{escaped(name)}: {own} (not in this report)</p>'
    return f'<img alt="{escaped(name)}: {own}" src="data:image/webp;base64,{base64.b64encode(small).decode()}">'


def suspects(samples: Samples) -> str:
    """Return the most suspect samples of every kind, each with the reason."""
    parts = []
    for which, title in SUSPECT_TITLES.items():
        found = suspect_table(samples, np.ones(len(samples), bool), which, _SUSPECTS)
        if found is None:
            continue
        rows = found.assign(suspicion=found["suspicion"].map("{:.2f}".format)).to_numpy().tolist()
        listed = table([c.capitalize() for c in found.columns], rows, numbers=[2]) if rows else "<p>None.</p>"
        parts.append(f"<h3>{escaped(title.capitalize())}</h3>{listed}")
    said = "<p>Worth a look before anything else. The most suspect come first; that a sample stands here does not make "
    return f"<h2>Suspects</h2>{said}it wrong.</p>{''.join(parts)}" if parts else ""
