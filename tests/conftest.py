"""Every test works in a home folder of its own making; runs that many tests look at are made once.

What is heavy is imported inside the fixtures, so that tests without a run start at once.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import makers
import pytest

if TYPE_CHECKING:
    from curation.workspace import ScoredRun
    from feature_extractors import FeatureCache


@pytest.fixture(scope="session", autouse=True)
def interplay_home(tmp_path_factory) -> Iterator[Path]:
    """A temporary INTERPLAY_HOME for the whole session, so that features are computed once."""
    folder = tmp_path_factory.mktemp("interplay-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERPLAY_HOME", str(folder))
        yield folder


def lacking(how: str) -> None:
    """Skip on a user's machine, which may lack a program; fail on the gate, which sets the variable."""
    (pytest.fail if os.environ.get("INTERPLAY_REQUIRE_ALL") else pytest.skip)(how)


@pytest.fixture(scope="session")
def linux() -> None:
    """See that the kernel tells what a process holds and opens, as only Linux does."""
    if not Path("/proc/self/clear_refs").exists():
        lacking("no Linux kernel here to ask what a process holds and opens")


@pytest.fixture(scope="session")
def disks() -> None:
    """See that small disks can be mounted: nothing else is really full."""
    from benchmarks.trouble import namespace

    if namespace() is None:
        lacking("small disks can be mounted neither by root nor in a user namespace here")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    from benchmarks import browser

    path = browser.executable()
    if path is None:
        lacking("no Chromium here; install it (Debian: apt-get install chromium) for these tests")
    return path


@pytest.fixture(scope="session")
def ffmpeg() -> None:
    """See that sounds can be decoded by what Hugging Face's library decodes them with."""
    try:
        import torchcodec.decoders  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        lacking("no FFmpeg here; install it (Debian: apt-get install ffmpeg) for these tests")


@pytest.fixture(scope="session")
def features_file(tmp_path_factory) -> Path:
    return makers.features_npz(tmp_path_factory.mktemp("features") / "pairs.npz")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory, features_file) -> ScoredRun:
    """Sixty pairs of ready-made features, scored."""
    from curation.pipeline import run
    from curation.settings import RunSettings
    from curation.sources import features_source
    from curation.workspace import make_workspace

    workspace = make_workspace(tmp_path_factory.mktemp("small") / "workspace")
    return run(RunSettings(features_source(features_file)), workspace, "a" * 16)


@pytest.fixture(scope="session")
def priced_run(tmp_path_factory, small_run) -> ScoredRun:
    """The sixty pairs in a workspace of their own, with the price of pruning at one half: two folds instead of five."""
    from curation import pricing
    from curation.settings import PriceSettings
    from curation.workspace import open_run

    folder = tmp_path_factory.mktemp("priced") / "workspace"
    shutil.copytree(small_run.folder.parent.parent, folder)
    workspace, run = open_run(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pricing, "FOLDS", 2)
        return pricing.measure_price(PriceSettings(run.folder.name, (0.5,)), workspace)


@pytest.fixture(scope="session")
def applied_run(tmp_path_factory, small_run) -> ScoredRun:
    """The sixty pairs in a workspace of their own, with an ensemble measured in two folds instead of five."""
    from curation.applying import work
    from curation.settings import ApplySettings
    from curation.workspace import open_run

    folder = tmp_path_factory.mktemp("applied") / "workspace"
    shutil.copytree(small_run.folder.parent.parent, folder)
    workspace, run = open_run(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "FOLDS", 2)
        return work.apply(ApplySettings(run.folder.name, "ensemble"), workspace)


@pytest.fixture
def run_copy(small_run, tmp_path) -> Path:
    """A copy of the small run that a test may spoil: alone in its folder, as versions before workspaces left it."""
    return Path(shutil.copytree(small_run.folder, tmp_path / "copy"))


@pytest.fixture
def earlier_run(run_copy) -> Path:
    """A run as it was left before the measure “cautious” was there."""
    import json

    import pandas as pd

    from curation.summary import with_measure

    scores = with_measure(pd.read_parquet(run_copy / "scores.parquet"), "lsmi").drop(columns=["b1", "b2"])
    scores.to_parquet(run_copy / "scores.parquet", index=False)
    summary, record = (json.loads((run_copy / n).read_text(encoding="utf-8")) for n in ("summary.json", "run.json"))
    summary["redundancy"] = record["settings"]["redundancy"] = "lsmi"
    (run_copy / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    (run_copy / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return run_copy


@pytest.fixture(scope="session")
def known_run(tmp_path_factory) -> ScoredRun:
    """The demo with known answers, scored by the command line."""
    import cli
    from curation.workspace import open_run

    out = tmp_path_factory.mktemp("known") / "workspace"
    assert cli.main(["demo", "known", "--quick", "--out", str(out)]) == 0
    return open_run(out)[1]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> makers.MediaTable:
    return makers.picture_table(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def picture_run(tmp_path_factory, pictures) -> Path:
    """The drawings and their captions, scored by the command line."""
    import cli

    out = tmp_path_factory.mktemp("scored") / "workspace"
    options = ["--modality", "picture=drawing", "--modality", "text=caption", "--label", "category"]
    assert (
        cli.main(["score", "--quick", str(pictures.table), *options, "--media", str(pictures.media), "--out", str(out)])
        == 0
    )
    return out


@pytest.fixture
def one_core() -> Iterator[None]:
    """One thread, as inside the estimator: its matrices are too small to be shared out between cores."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


@pytest.fixture
def cache(tmp_path) -> FeatureCache:
    """An empty cache of features with three items a shard."""
    from feature_extractors import FeatureCache

    return FeatureCache(tmp_path / "new" / "folder", shard_items=3)


@pytest.fixture
def settled_files(monkeypatch) -> None:
    """Files that the test has just written count as old enough for their times to be believed."""
    monkeypatch.setattr("feature_extractors.content._SETTLED_NS", -(10**12))


@pytest.fixture
def no_warnings() -> Iterator[None]:
    """Any warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
