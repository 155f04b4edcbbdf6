"""What was decided about the samples, how far the numbers go, and what they were made with."""

from __future__ import annotations

from collections.abc import Iterator

from curation import __version__
from curation.errors import DataError
from curation.exploring import Samples, checked, mask, sentence, split
from curation.exploring.selection import NAMED
from curation.exploring.sentences import recipe_told
from curation.partitioning import kept_partition
from curation.report.markup import escaped, paragraphs, table
from curation.soundness import advice
from curation.versions import installed_versions
from curation.words import MEASURES
from curation.workspace import Workspace, saved_selection, selection_names

__all__ = ["choices_made", "left_out", "method", "settings"]

_REASONS, _ROWS = 8, 50


def choices_made(workspace: Workspace, samples: Samples) -> str:
    """Return what was tagged, selected by name and kept for export."""
    rows = [*_partition(workspace, samples), *_named(workspace, samples), *_tags(samples)]
    if not rows:
        said = "<p>Nothing has been tagged, selected by name or kept for export yet.</p>"
    else:
        shown = [(what, name, f"{count:,}", f"{count / len(samples):.1%}") for what, name, count in rows[:_ROWS]]
        said = table(["What", "Which", "Samples", "Share"], shown, numbers=[2, 3])
        said += f'<p class="small">{len(rows) - _ROWS:,} more are not listed.</p>' if len(rows) > _ROWS else ""
    return f"<h2>What was decided</h2>{said}<p>Nothing is deleted: exports leave samples out.</p>"


def _partition(workspace: Workspace, samples: Samples) -> Iterator[tuple[str, str, int]]:
    recipe = kept_partition(workspace, samples.run)
    if recipe is not None:
        found = split(recipe, samples)
        yield "Partition", f"What stays: {recipe_told(recipe, samples.run.modality_names)}", found.count
        yield "Partition", "What leaves", found.total - found.count


def _named(workspace: Workspace, samples: Samples) -> Iterator[tuple[str, str, int]]:
    run = samples.run
    for name in selection_names(workspace, run.folder.name):
        if name.startswith(NAMED):
            try:
                node = checked(saved_selection(workspace, run.folder.name, name))
                told, count = sentence(node, run.modality_names), int(mask(node, samples).sum())
            except DataError as error:  # a map that is gone: the report says so and goes on
                told, count = str(error), 0
            yield "Selection", f"{name.removeprefix(NAMED)}: {told}", count


def _tags(samples: Samples) -> Iterator[tuple[str, str, int]]:
    for tag, count in samples.tag_counts.items():
        yield "Tag", tag, int(count)


def left_out(samples: Samples) -> str:
    """Return why rows of the table were left out; nothing where none was."""
    problems, run = samples.run.problems, samples.run
    if not len(problems):
        return ""
    counted = problems.groupby(["problem", "mend"], sort=False)["row"].nunique().sort_values(ascending=False)
    rows = [(problem, f"{n:,}", mend) for (problem, mend), n in counted.head(_REASONS).items()]
    return (
        f"<h2>Rows that were left out</h2><p>{run.summary['n_left_out']:,} rows could not be scored.</p>"
        + table(["Problem", "Rows", "How to mend it"], rows, numbers=[1])
    )  # fmt: skip


def method(samples: Samples) -> str:
    """Return how the numbers came about and how far they go."""
    a, b = samples.run.modality_names
    how = [
        f"Every sample is scored by models that did not see it. They learn what the {a}, the {b} and both tell "
        "about the category, in nats: how much more likely than its frequency the right category becomes.",
        f"What both say is defined by the measure “{samples.measure}”. {MEASURES[samples.measure]}.",
        "Intervals of means hold 90 % and tell how much the means would vary with other samples of the same kind. They "
        "do not tell what another encoder would find.",
        "What an encoder discards counts as unknown. Where definitions of what both say disagree, the split between "
        "shared and unique is a convention; what each side tells is not.",
        "Redundant does not mean superfluous: what leaving samples out costs depends on the task.",
    ]
    notes = [*samples.run.summary["warnings"], *advice(samples.run)]
    said = f"<h3>Of this data set</h3>{paragraphs(notes)}" if notes else ""
    return f"<h2>Method and caveats</h2>{paragraphs(how)}{said}"


def settings(samples: Samples) -> str:
    """Return everything somebody needs who wants to repeat the run."""
    run, record = samples.run, samples.run.record
    told = record["settings"]
    rows = [
        ("Interplay", f"{record.get('interplay', '')}; this report by {__version__}"), ("Run", run.folder.name),
        ("Scored", record.get("finished", "")), ("Data set", run.dataset), ("Samples", f"{len(samples):,}"),
        ("Measure", samples.measure), ("Surprisal", told.get("surprisal", "")), ("Seed", told.get("random_state", "")),
        ("Folds", told.get("n_splits") or "chosen by the number of samples"),
    ]  # fmt: skip
    for side, encoder in zip(run.summary["modalities"], record.get("encoders", []), strict=False):
        rows.append((f"Encoder of the {side['name']}", f"{encoder['name']}, {encoder['fingerprint']}"))
    versions = record.get("versions") or installed_versions()
    rows.append(("Versions", ", ".join(f"{name} {number}" for name, number in versions.items())))
    credit = run.summary.get("attribution")
    said = f'<p class="small">{escaped(credit)}</p>' if credit else ""
    return f"<h2>Settings and versions</h2>{table(['', ''], rows)}{said}"
