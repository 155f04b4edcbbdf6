"""What a run finds out once its scores can be opened: file after file, what people look at first coming first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from curation.copies import find_copies
from curation.fitting import CHECKED, check_fits, repeat_fits
from curation.mapping import draw_map
from curation.progress import Progress, stage_counter
from curation.settings import RunSettings
from curation.workspace import ScoredRun, Workspace, add_later
from curation.workspace.runs import CHECKS, COPIES, MAPS, REPEATS

__all__ = ["find_out_more"]

Stage = tuple[str, str, Callable[[Callable[[int, int], None]], pd.DataFrame | dict]]


def find_out_more(
    workspace: Workspace, run: ScoredRun, features: list[np.ndarray], settings: RunSettings, progress: Progress
) -> None:
    """Make every file that is not there yet: maps, near-duplicates, further fits, checks.

    Parameters
    ----------
    workspace : Workspace
    run : ScoredRun
    features : two ndarrays of shape (n_samples, n_features_k)
        In the order of the scores.
    settings : RunSettings
        ``quick`` ends after the first map.
    progress : Progress
    """
    stages = _stages(run, features, settings)
    for title, name, make in stages[:1] if settings.quick else stages:
        if not (run.folder / name).exists():
            add_later(workspace, run, name, make(stage_counter(progress, title)))


def _stages(run: ScoredRun, features: list[np.ndarray], settings: RunSettings) -> list[Stage]:
    """Return title, file and maker of every stage, in the order of the work."""
    scores, seed = run.scores, settings.random_state
    ids, labels, (first, second) = scores["sample_id"], scores["label"].to_numpy(dtype=np.str_), run.modality_names
    terms = scores[list(CHECKED)].to_numpy()
    return [
        ("Draw the map", MAPS["both"], partial(draw_map, features, ids, seed)),
        ("Find near-duplicates", COPIES, partial(find_copies, features, labels, ids, seed)),
        ("Score twice more", REPEATS, partial(repeat_fits, features, scores, settings)),
        ("Check the scores", CHECKS, partial(check_fits, features, labels, settings)),
        (f"Map the {first}", MAPS["first"], partial(draw_map, features[:1], ids, seed)),
        (f"Map the {second}", MAPS["second"], partial(draw_map, features[1:], ids, seed)),
        ("Map the scores", MAPS["terms"], partial(draw_map, [terms], ids, seed)),
    ]
