"""The price of pruning as a job: measured on the features of a run, cell by cell, and kept beside its scores."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from curation.cells import Cells, made_from
from curation.fitting import new_estimator, some_rows
from curation.pipeline import features_of
from curation.progress import Progress, silent, stage_counter
from curation.settings import PriceSettings, RunSettings
from curation.workspace import ScoredRun, Workspace, add_later, load_run
from curation.workspace.runs import PRICE, PRICE_SAMPLES, PRICE_TOLD
from lsmi_core.applications import PriceOfPruning, PruningSettings, price_of_pruning
from lsmi_core.applications.material import Pairs, held_out, standing
from lsmi_core.applications.pruning.measuring import RECIPES, Cell
from lsmi_core.applications.pruning.price import CHOSEN

__all__ = ["CELLS", "measure_price"]

CELLS = "price-cells.json"
"""Finished pieces of the work, so that it goes on where it stopped, and so that another budget costs only itself."""

MEASURED_ON = 50_000
"""Of more samples so many are measured on: the time grows faster than their number."""

MANY, FOLDS = 5_000, 5


def measure_price(settings: PriceSettings, workspace: Workspace, progress: Progress = silent) -> ScoredRun:
    """Measure what leaving samples of a run out costs, or what is left to be measured of it.

    Below 5,000 samples five fifths of them are asked in turn; above, one fifth three times with other seeds.

    Parameters
    ----------
    settings : PriceSettings
    workspace : Workspace
    progress : Progress
        Whatever it raises cancels; finished pieces are kept.

    Returns
    -------
    ScoredRun
        With :meth:`~curation.workspace.ScoredRun.price` and what goes with it.

    Raises
    ------
    DataError, EncoderError, InvalidInputError
        When the features cannot be had any more, or there are too few samples; the sentence says what to do.
    """
    run = load_run(workspace.run_entry(settings.run).folder)
    features = features_of(workspace, run, progress)
    labels = run.scores["label"].to_numpy(dtype=np.str_)
    codes = np.unique(labels, return_inverse=True)[1]
    rows = some_rows(labels, MEASURED_ON, settings.random_state)
    pairs = Pairs(*(x[rows] for x in features), np.unique(labels[rows], return_inverse=True)[1])
    price = _measured(settings, run, pairs, progress)
    if run.price_samples() is None:
        progress("Rank every sample", 0, 1)
        nearness, hardness = standing(Pairs(*features, codes), settings.random_state)
        told = {"sample_id": run.scores["sample_id"], "nearness": nearness, "hardness": hardness}
        add_later(workspace, run, PRICE_SAMPLES, pd.DataFrame(told))
        progress("Rank every sample", 1, 1)
    add_later(workspace, run, PRICE, pd.DataFrame(price.rows()))
    add_later(workspace, run, PRICE_TOLD, _told(settings, price, len(pairs), len(run.scores)))
    return run


def _measured(settings: PriceSettings, run: ScoredRun, pairs: Pairs, progress: Progress) -> PriceOfPruning:
    repeats = FOLDS if len(pairs) < MANY else 3
    test = held_out(pairs.codes, FOLDS, settings.random_state)
    pruning = PruningSettings(settings.budgets, repeats, random_state=settings.random_state)
    scored_with = RunSettings.from_json(run.record["settings"])
    cells = Cells(run.folder / CELLS, _origin(pairs, settings, scored_with), lambda kept: Cell(*kept))
    return price_of_pruning(
        pairs.x1, pairs.x2, pairs.codes, test if repeats == FOLDS else test[0], pruning, new_estimator(scored_with),
        stage_counter(progress, "Measure the price"), cells.known, cells.keep,
    )  # fmt: skip


def _origin(pairs: Pairs, settings: PriceSettings, scored_with: RunSettings) -> str:
    """Return a digest of all that a cell depends on, budgets apart: each is measured for itself."""
    made_by = {**scored_with.to_json(), "source": None, "encoders": None, "seed": settings.random_state}
    made_by["recipes"] = [str(recipe) for recipe in RECIPES]
    return made_from(made_by, (pairs.x1, pairs.x2, pairs.codes))


def _told(settings: PriceSettings, price: PriceOfPruning, measured_on: int, n_samples: int) -> dict:
    """Return how it was measured, and for every budget what was chosen and what is recommended."""
    recipes = {b: [asdict(r) for r in found] for b, found in zip(price.budgets, price.recipes, strict=True)}
    return {
        "settings": settings.to_json(),
        "measured_on": measured_on,
        "n_samples": n_samples,
        "n_repeats": price.values.shape[2],
        "chosen": [{"budget": b, "recipes": found, "policy": CHOSEN} for b, found in recipes.items()],
        "recommended": [asdict(price.recommend(b)) for b in price.budgets],
    }
