"""An application as a job: measured on samples that its models have not seen, then trained on all, and kept."""

from __future__ import annotations

import numpy as np

from curation.applying.kinds import KINDS, Kind, Task, Work
from curation.cells import Cells, made_from
from curation.fitting import new_estimator, some_rows
from curation.pipeline import features_of
from curation.progress import Progress, silent, stage_counter
from curation.settings import ApplySettings, RunSettings
from curation.workspace import ScoredRun, Workspace, add_later, load_run
from curation.workspace.runs import applied_files
from lsmi_core.applications.comparison import Comparison
from lsmi_core.applications.material import Pairs, held_out

__all__ = ["apply"]

WORKED_ON = 20_000
"""Of more samples so many are learned from: the time grows faster than their number."""

FOLDS = 5


def apply(settings: ApplySettings, workspace: Workspace, progress: Progress = silent) -> ScoredRun:
    """Put the scores of a run to work, or do what is left of it.

    Parameters
    ----------
    settings : ApplySettings
    workspace : Workspace
    progress : Progress
        Whatever it raises cancels; finished repeats are kept.

    Returns
    -------
    ScoredRun
        With :meth:`~curation.workspace.ScoredRun.applied` of this application.

    Raises
    ------
    DataError, EncoderError, InvalidInputError
        When the features cannot be had any more, or there are too few samples; the sentence says what to do.
    """
    run, kind = load_run(workspace.run_entry(settings.run).folder), KINDS[settings.what]
    features = features_of(workspace, run, progress)
    task, scored_with = _task(run, features, settings)
    origin = settings.to_json() | {"run": None, "scored with": {**scored_with.to_json(), "source": None}}
    files = applied_files(settings.what)
    cells = Cells(
        run.folder / files.cells,
        made_from(origin, (task.pairs.x1, task.pairs.x2, task.pairs.codes)), kind.cell,
    )  # fmt: skip
    work = Work(stage_counter(progress, "Measure whether it helps"), cells.known, cells.keep)
    comparison = kind.compare(task, work)
    arrays, config = kind.fit(task, stage_counter(progress, "Train the model")).state()
    add_later(workspace, run, files.arrays, arrays)
    add_later(workspace, run, files.told, _told(settings, kind, comparison, config, task, len(run.scores)))
    return run


def _task(run: ScoredRun, features: list[np.ndarray], settings: ApplySettings) -> tuple[Task, RunSettings]:
    labels = run.scores["label"].to_numpy(dtype=np.str_)
    rows = some_rows(labels, WORKED_ON, settings.random_state)
    pairs = Pairs(*(x[rows] for x in features), np.unique(labels[rows], return_inverse=True)[1])
    scored_with = RunSettings.from_json(run.record["settings"])
    asked = held_out(pairs.codes, FOLDS, settings.random_state)
    return Task(pairs, labels[rows], asked, new_estimator(scored_with), settings.random_state), scored_with


def _told(
    settings: ApplySettings, kind: Kind, comparison: Comparison, config: dict, task: Task, n_samples: int
) -> dict:
    return {
        "settings": settings.to_json(),
        "n_samples": n_samples,
        "learned_from": len(task.pairs),
        "n_categories": len(np.unique(task.labels)),
        "n_repeats": comparison.values.shape[-1],
        "methods": list(comparison.methods),
        "conditions": list(comparison.conditions),
        "metrics": list(comparison.metrics),
        "values": comparison.values.tolist(),
        "sides": list(kind.sides),
        "model": config,
    }
