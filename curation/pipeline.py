"""The order of work: read, encode, score, write, map. Knows neither door."""

from __future__ import annotations

import platform
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from curation import __version__
from curation.dataset import Modality, PairedDataset
from curation.errors import USER_ERRORS, DataError
from curation.importing import ImportResult, Problems
from curation.mapping import draw_map
from curation.progress import Progress, silent, stage_counter
from curation.settings import RunSettings, home
from curation.sources import file_digest, load_source
from curation.summary import category_means, dataset_means, finding, label_entropy, with_measure
from curation.workspace import (
    MAP,
    PROBLEMS,
    RECORD,
    SCORES,
    SUMMARY,
    ScoredRun,
    claim_folder,
    load_run,
    write_frame,
    write_json,
)  # fmt: skip
from feature_extractors import Encoder, FeatureCache, default_encoder, encode_items, load_encoder
from lsmi_core import FIELDS, LSMIEstimator, PointwiseInteractions
from lsmi_core.redundancy import adjust_means

__all__ = ["run"]

VERSIONED = ("numpy", "scipy", "scikit-learn", "torch", "transformers", "pandas")


def run(settings: RunSettings, out: Path, progress: Progress = silent, allowed: tuple[str, ...] = ()) -> ScoredRun:
    """Do the whole job and leave it in a folder.

    Parameters
    ----------
    settings : RunSettings
    out : pathlib.Path
        A new or empty folder. Scores, summary and record are complete as soon as ``run.json`` is there;
        the map follows.
    progress : Progress
    allowed : tuple of str
        Names that may already be in ``out``.

    Returns
    -------
    ScoredRun

    Raises
    ------
    DataError, EncoderError, InvalidInputError
        When the data or the settings cannot be used; the sentence says what and how to mend it.
    """
    out = claim_folder(out, allowed)
    try:
        found, features, encoders = _read(settings, out / "media", progress)
        scores = _score(features, found.dataset, settings, progress)
    except USER_ERRORS:
        shutil.rmtree(out / "media", ignore_errors=True)  # unpacked just now: else the next try finds a full folder
        raise
    frame = _scores_frame(found.dataset, scores)
    write_frame(found.problems.frame, out / PROBLEMS)
    write_frame(frame, out / SCORES)
    write_json(_summary(found, frame, scores, encoders, settings), out / SUMMARY)
    write_json(_record(settings, encoders), out / RECORD)
    write_frame(
        draw_map(features, frame["sample_id"], settings.random_state, stage_counter(progress, "Draw the map")),
        out / MAP,
    )
    return load_run(out)


def _read(
    settings: RunSettings, unpack_into: Path, progress: Progress
) -> tuple[ImportResult, list[np.ndarray], list[Encoder]]:
    """Return the samples that can be scored, their features, and the encoders that made them."""
    found = load_source(settings.source, unpack_into, progress)
    _check_named(settings.encoders, found.dataset.modality_names)
    encoders = [_encoder(m, settings) for m in found.dataset.modalities]
    found, features = _encode(found, encoders, progress)
    return found, features, encoders


def _check_named(chosen: dict[str, str], names: tuple[str, str]) -> None:
    for name in chosen:
        if name not in names:
            known = " and ".join(f"'{known}'" for known in names)
            raise DataError(f"An encoder is chosen for '{name}', but the modalities are {known}; name one of them.")


def _encoder(modality: Modality, settings: RunSettings) -> Encoder:
    name = settings.encoders.get(modality.name) or default_encoder(modality.kind)
    return load_encoder(name, modality.kind, device=settings.device)


def _encode(found: ImportResult, encoders: list[Encoder], progress: Progress) -> tuple[ImportResult, list[np.ndarray]]:
    """Return the samples that both encoders could read, their features, and the problems of the others."""
    data, problems, encoded = found.dataset, found.problems, []
    cache = FeatureCache(home() / "features")
    for modality, encoder in zip(data.modalities, encoders, strict=True):
        done = encode_items(encoder, modality.items, cache, stage_counter(progress, f"Encode the {modality.name}"))
        problems = problems + _encoding_problems(data, modality, done.problems)
        encoded.append(done)
    rows = _scorable(data.labels, np.intersect1d(encoded[0].kept, encoded[1].kept), problems)
    problems = problems + _lone_problems(data, rows, encoded)
    features = [e.features[np.searchsorted(e.kept, rows)] for e in encoded]
    return replace(found, dataset=data.take(rows), problems=problems), features


def _encoding_problems(data: PairedDataset, modality: Modality, told: tuple[tuple[int, str], ...]) -> Problems:
    return Problems.of(
        data.rows[[i for i, _ in told]] if told else [],
        modality.name,
        [f"{modality.kind} not usable: {reason}" for _, reason in told],
        "Mend or replace the item, or leave its row out.",
    )


def _scorable(labels: np.ndarray, rows: np.ndarray, problems: Problems) -> np.ndarray:
    """Return the rows whose category still has two samples: one to learn from, one to score."""
    values, counts = np.unique(labels[rows], return_counts=True)
    rows = rows[np.isin(labels[rows], values[counts >= 2])]
    if len(np.unique(labels[rows])) < 2:
        raise DataError(
            "Fewer than two categories with two usable samples are left, so there is nothing to tell apart. "
            f"{problems.summary()} Mend these rows, or check the label column."
        )
    return rows


def _lone_problems(data: PairedDataset, rows: np.ndarray, encoded: list) -> Problems:
    usable = np.intersect1d(encoded[0].kept, encoded[1].kept)
    lone = np.setdiff1d(usable, rows)
    return Problems.of(
        data.rows[lone],
        "label",
        [f"category with one usable sample: {label}" for label in data.labels[lone]],
        "Add samples of this category, or merge it with another.",
    )


def _score(
    features: list[np.ndarray], data: PairedDataset, settings: RunSettings, progress: Progress
) -> PointwiseInteractions:
    estimator = LSMIEstimator(
        redundancy=settings.redundancy,
        surprisal=settings.surprisal,
        n_splits=settings.n_splits,
        random_state=settings.random_state,
        device=settings.device,
    )
    return estimator.fit_score(*features, data.labels, progress=stage_counter(progress, "Score every sample"))


def _scores_frame(data: PairedDataset, scores: PointwiseInteractions) -> pd.DataFrame:
    columns: dict[str, object] = {"sample_id": data.sample_ids, "label": data.labels}
    columns |= {name: getattr(scores, name) for name in FIELDS}
    for modality in data.modalities:
        if not isinstance(modality.items, np.ndarray):
            columns[f"item.{modality.name}"] = [str(item) for item in modality.items]
    told = scores.predictions
    for name, says, sure in (
        (data.modality_names[0], told.label1, told.p1),
        (data.modality_names[1], told.label2, told.p2),
        ("both", told.label12, told.p12),
    ):
        columns |= {f"says.{name}": says, f"sure.{name}": sure}
    columns |= {f"known.{c}": data.known[c].to_numpy() for c in data.known}
    columns |= {f"extra.{c}": data.extras[c].to_numpy() for c in data.extras}
    return with_measure(pd.DataFrame(columns), scores.redundancy)  # what is known gets its terms by the same measure


def _summary(
    found: ImportResult, frame: pd.DataFrame, scores: PointwiseInteractions, encoders: list[Encoder],
    settings: RunSettings,
) -> dict:  # fmt: skip
    data = found.dataset
    means = dataset_means(frame)
    return {
        "name": data.name,
        "n_samples": len(data),
        "n_left_out": found.problems.n_rows,
        "unit": "nats",
        "redundancy": settings.redundancy,
        "surprisal": settings.surprisal,
        "modalities": [
            {"name": m.name, "kind": m.kind, "encoder": e.spec.name}
            for m, e in zip(data.modalities, encoders, strict=True)
        ],
        "attribution": data.attribution,
        "finding": finding(frame, data.modality_names),
        "warnings": list(scores.warnings),
        "label_entropy": label_entropy(frame["label"]),
        "means": means,
        "adjusted_means": adjust_means({key: means[key]["mean"] for key in ("r", "u1", "u2", "s")}),
        "categories": category_means(frame).to_dict(orient="records"),
    }


def _record(settings: RunSettings, encoders: list[Encoder]) -> dict:
    """Return everything needed to repeat the run."""
    plain = settings.to_json()
    if "path" in plain["source"]:
        plain["source"]["sha256"] = file_digest(Path(plain["source"]["path"]))
    return {
        "interplay": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": plain,
        "encoders": [{"name": e.spec.name, "fingerprint": e.fingerprint} for e in encoders],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONED}},
    }
