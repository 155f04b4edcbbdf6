"""The order of work: read, encode, score, write, find out more. Knows neither door."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from curation import __version__
from curation.afterwards import find_out_more
from curation.dataset import Modality, PairedDataset
from curation.encoders import load_or_stand_in
from curation.errors import DataError
from curation.fitting import new_estimator
from curation.importing import ImportResult, Problems
from curation.plainly import short
from curation.progress import Progress, silent, stage_counter
from curation.settings import RunSettings
from curation.sources import file_digest, load_source
from curation.summary import category_means, dataset_means, finding, label_entropy, with_measure
from curation.versions import installed_versions
from curation.workspace import (
    ScoredRun,
    Workspace,
    add_dataset,
    add_run,
    carry_features,
    load_dataset,
    load_run,
    open_workspace,
)
from curation.workspace.files import unfinished_folder
from curation.workspace.folder import FEATURES
from feature_extractors import EncodedItems, Encoder, FeatureCache, default_encoder, encode_items
from feature_extractors.sounds import USED_SECONDS, goes_on
from lsmi_core import FIELDS, PointwiseInteractions
from lsmi_core.redundancy import adjust_means

__all__ = ["features_of", "import_source", "run"]


def run(settings: RunSettings, workspace: Workspace, run_id: str, progress: Progress = silent) -> ScoredRun:
    """Do the whole job, or what is left of it, and leave the run in the workspace.

    Parameters
    ----------
    settings : RunSettings
    workspace : Workspace
    run_id : str
        Called again with the same one after a crash, it goes on where it stopped: samples, features and scores that
        are whole are not made twice. The scores can be opened before maps, near-duplicates and checks are there.
    progress : Progress

    Returns
    -------
    ScoredRun

    Raises
    ------
    DataError, EncoderError, InvalidInputError
        When the data or the settings cannot be used; the sentence says what and how to mend it.
    """
    workspace.clear_leftovers()
    dataset_id = workspace.imported_by(run_id)
    if dataset_id is None:
        dataset_id, _ = import_source(settings.source, workspace, progress)
        workspace.note_imported(run_id, dataset_id)
    found = load_dataset(workspace, dataset_id)
    _check_named(settings.encoders, found.dataset.modality_names)
    encoders = [_encoder(m, settings) for m in found.dataset.modalities]
    found, features = _encode(found, encoders, FeatureCache(workspace.folder / FEATURES), progress)
    done = next((entry for entry in workspace.runs() if entry.id == run_id), None)
    if done is None:
        scores = _score(features, found.dataset, settings, progress)
        frame = _scores_frame(found.dataset, scores, workspace.folder)
        summary = _summary(found, frame, scores, encoders, settings)
        record = _record(settings, found.dataset, encoders, dataset_id)
        scored = add_run(workspace, run_id, frame, summary, record, found.problems.frame)
    else:
        scored = load_run(done.folder)
    find_out_more(workspace, scored, features, settings, progress)
    return scored


def import_source(source: dict, workspace: Workspace, progress: Progress = silent) -> tuple[str, bool]:
    """Bring the data set that a source record names into the workspace.

    Parameters
    ----------
    source : dict
        See :func:`~curation.sources.load_source`.
    workspace : Workspace
    progress : Progress

    Returns
    -------
    id : str
    is_new : bool
        False where the same data set was there already.

    Raises
    ------
    DataError
        When the source cannot be read.
    """
    with unfinished_folder(workspace.folder) as unpacked:
        found = load_source(source, unpacked / "media", progress)
        count = stage_counter(progress, "Keep the samples")
        dataset_id, is_new = add_dataset(workspace, found, count, link=bool(source.get("link")))
    if source["kind"] == "dataset":
        carry_features(open_workspace(Path(source["workspace"])), workspace)
    if not is_new:
        progress("These samples are in the workspace already", 1, 1)
    return dataset_id, is_new


def features_of(workspace: Workspace, scored: ScoredRun, progress: Progress = silent) -> list[np.ndarray]:
    """Return the features that a run was scored from: read where they are kept, else computed again.

    Parameters
    ----------
    workspace : Workspace
    scored : ScoredRun
    progress : Progress

    Returns
    -------
    two ndarrays of shape (n_samples, n_features_k)
        In the order of the scores.

    Raises
    ------
    DataError
        When the samples are gone, or an encoder is not the one of the run any more.
    EncoderError
        When an encoder cannot be loaded.
    """
    settings = RunSettings.from_json(scored.record["settings"])
    found = load_dataset(workspace, scored.dataset)
    encoders = [_encoder(m, settings) for m in found.dataset.modalities]
    for encoder, then in zip(encoders, scored.record["encoders"], strict=True):
        if encoder.fingerprint != then["fingerprint"]:
            raise DataError(
                f"The encoder '{then['name']}' has changed since the run was scored, so its features would be others; "
                "score the data again."
            )
    found, features = _encode(found, encoders, FeatureCache(workspace.folder / FEATURES), progress)
    rows = pd.Index(found.dataset.sample_ids).get_indexer(scored.scores["sample_id"])
    if (rows < 0).any():
        raise DataError(f"{int((rows < 0).sum()):,} samples of the run cannot be read any more; score the data again.")
    return [x[rows] for x in features]


def _check_named(chosen: dict[str, str], names: tuple[str, str]) -> None:
    for name in chosen:
        if name not in names:
            known = " and ".join(f"'{known}'" for known in names)
            raise DataError(f"An encoder is chosen for '{name}', but the modalities are {known}; name one of them.")


def _encoder(modality: Modality, settings: RunSettings) -> Encoder:
    name = settings.encoders.get(modality.name) or default_encoder(modality.kind)
    return load_or_stand_in(name, modality.kind, settings.device)


def _stood_in(settings: RunSettings, data: PairedDataset, encoders: list[Encoder]) -> dict[str, str]:
    """Return, by modality, the encoder that was asked for where an offline one ran in its place."""
    ran = {m.name: e.spec for m, e in zip(data.modalities, encoders, strict=True)}
    return {
        name: asked
        for name, asked in settings.encoders.items()
        if ran[name].source == "package" and ran[name].name != asked
    }


def _encode(
    found: ImportResult, encoders: list[Encoder], cache: FeatureCache, progress: Progress
) -> tuple[ImportResult, list[np.ndarray]]:
    """Return the samples that both encoders could read, their features, and the problems of the others."""
    data, problems, encoded = found.dataset, found.problems, []
    for modality, encoder in zip(data.modalities, encoders, strict=True):
        done = encode_items(encoder, modality.items, cache, stage_counter(progress, f"Encode the {modality.name}"))
        problems = problems + _encoding_problems(data, modality, done.problems)
        encoded.append(done)
    rows = _scorable(data.labels, np.intersect1d(encoded[0].kept, encoded[1].kept), problems)
    problems = problems + _lone_problems(data, rows, encoded)
    features = [_of_rows(e, rows) for e in encoded]
    return replace(found, dataset=data.take(rows), problems=problems), features


def _of_rows(encoded: EncodedItems, rows: np.ndarray) -> np.ndarray:
    """Return the features of some of the rows that have any; of all of them as they are, so that a map stays a map."""
    if len(rows) == len(encoded.kept):
        return encoded.features
    return encoded.features[np.searchsorted(encoded.kept, rows)]


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
    count = stage_counter(progress, "Score every sample")
    return new_estimator(settings).fit_score(*features, data.labels, progress=count)


def _scores_frame(data: PairedDataset, scores: PointwiseInteractions, root: Path) -> pd.DataFrame:
    columns: dict[str, object] = {"sample_id": data.sample_ids, "label": data.labels}
    columns |= {name: getattr(scores, name) for name in FIELDS}
    for modality in data.modalities:
        if not isinstance(modality.items, np.ndarray):
            columns[f"item.{modality.name}"] = [_place(item, root) for item in modality.items]
        if modality.names is not None:
            columns[f"file.{modality.name}"] = list(modality.names)
    told = scores.predictions
    for name, says, sure in (
        (data.modality_names[0], told.label1, told.p1),
        (data.modality_names[1], told.label2, told.p2),
        ("both", told.label12, told.p12),
    ):
        columns |= {f"says.{name}": says, f"sure.{name}": sure}
    columns |= {f"suspect.{f.name}": getattr(scores.suspicion, f.name) for f in fields(scores.suspicion)}
    columns |= {f"known.{c}": data.known[c].to_numpy() for c in data.known}
    columns |= {f"extra.{c}": data.extras[c].to_numpy() for c in data.extras}
    return with_measure(pd.DataFrame(columns), scores.redundancy)  # what is known gets its terms by the same measure


def _place(item: Path | str, root: Path) -> str:
    """Return a text as it is, and a file by its place in the workspace, which may move."""
    inside = isinstance(item, Path) and item.is_relative_to(root)
    return item.relative_to(root).as_posix() if inside else str(item)


def _summary(
    found: ImportResult, frame: pd.DataFrame, scores: PointwiseInteractions, encoders: list[Encoder],
    settings: RunSettings,
) -> dict:  # fmt: skip
    data, asked = found.dataset, _stood_in(settings, found.dataset, encoders)
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
            | ({"asked": asked[m.name]} if m.name in asked else {})
            for m, e in zip(data.modalities, encoders, strict=True)
        ],
        "attribution": data.attribution,
        "finding": finding(frame, data.modality_names),
        "warnings": [*scores.warnings, *(told for m in data.modalities for told in _long_sounds(m))],
        "label_entropy": label_entropy(frame["label"]),
        "means": means,
        "adjusted_means": adjust_means({key: means[key]["mean"] for key in ("r", "u1", "u2", "s")}),
        "categories": category_means(frame).to_dict(orient="records"),
    }


def _long_sounds(modality: Modality) -> list[str]:
    """Say of how many sounds only the beginning was used, if of any."""
    long = sum(map(goes_on, modality.items)) if modality.kind == "sound" else 0
    count = f"{long:,} of {len(modality.items):,} sounds in '{short(modality.name)}'"
    return (
        [f"Longer than {USED_SECONDS} seconds, so that only the first {USED_SECONDS} were used: {count}."]
        if long
        else []
    )


def _record(settings: RunSettings, data: PairedDataset, encoders: list[Encoder], dataset_id: str) -> dict:
    """Return everything needed to repeat the run: with the encoders that ran, whichever were asked for."""
    plain = settings.to_json()
    ran = {m.name: e.spec.name for m, e in zip(data.modalities, encoders, strict=True)}
    plain["encoders"] |= {name: ran[name] for name in _stood_in(settings, data, encoders)}
    if "path" in plain["source"] and "sha256" not in plain["source"]:
        plain["source"]["sha256"] = file_digest(Path(plain["source"]["path"]))
    return {
        "interplay": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": plain,
        "dataset": dataset_id,
        "encoders": [{"name": e.spec.name, "fingerprint": e.fingerprint} for e in encoders],
        "versions": installed_versions(),
    }
