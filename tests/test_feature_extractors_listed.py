"""Every listed architecture against plain transformers, from a folder and from the cache that its entry names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import listed_models
import numpy as np
import plain_forwards
import pytest
import soundfile
from PIL import Image

import feature_extractors as fx
from feature_extractors.listed import LISTED

ROOT = Path(__file__).parents[1]
CASES = sorted(plain_forwards.FORWARDS)
TEXTS = ["A cat", "the tax law the kitten sat " * 4, "kitten", "a Law the cat sat"]
SECONDS = (0.3, 3.1, 0.001, 2.0, 0.7)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    built: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in built:
            built[name] = tmp_path_factory.mktemp(name.replace(" ", "-"))
            listed_models.BUILDERS[name](built[name])
        return built[name]

    return folder


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    """Texts, pictures and sounds of different lengths and sizes, so that padding matters."""
    folder, rng = tmp_path_factory.mktemp("items"), np.random.default_rng(0)
    pictures = [folder / f"{i}.png" for i in range(3)]
    for path, (width, height) in zip(pictures, ((40, 30), (32, 32), (96, 32)), strict=True):
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
    return {"text": TEXTS, "picture": pictures, "sound": folder}


def _of(items, name: str, kind: str) -> list:
    """Sounds at the rate that the model expects: resampling is tested elsewhere."""
    if kind != "sound":
        return items[kind]
    rate = 16_000 if name == "whisper-base" else listed_models.RATE
    paths = [items["sound"] / f"{rate}-{i}.wav" for i in range(len(SECONDS))]
    for i, path in enumerate(paths):
        if not path.exists():
            pitch = np.sin(0.05 * (i + 1) * np.arange(max(1, int(rate * SECONDS[i]))))
            soundfile.write(path, 0.3 * pitch + 0.05 * np.random.default_rng(i).standard_normal(len(pitch)), rate)
    return paths


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_features_and_tokens_are_those_of_a_plain_forward(models, items, name, kind):
    folder, given = models(name), _of(items, name, kind)
    encoder = fx.load_encoder(str(folder), kind, device="cpu")
    encoded, tokens = encoder.encode(given), encoder.encode_tokens(given)
    assert encoded.problems == tokens.problems == ()
    expected = [plain_forwards.plain(name, kind, folder, item) for item in given]
    np.testing.assert_allclose(encoded.features, [row for row, _ in expected], atol=1e-5)
    for states, (_, real) in zip(tokens.sequences(), expected, strict=True):
        np.testing.assert_allclose(states, real, atol=1e-5)
    spread = np.abs(encoded.features - encoded.features[0]).max(axis=1)[1:]
    assert spread.min() > 1e-3, "items that the model cannot tell apart would prove nothing"


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_batches_of_other_items_change_nothing(models, items, name, kind):
    given = _of(items, name, kind)
    encoder = fx.load_encoder(str(models(name)), kind, device="cpu")
    together, again = encoder.encode(given).features, encoder.encode(given[::-1] + given).features
    np.testing.assert_allclose(again, np.concatenate([together[::-1], together]), atol=1e-5)
    for item, row in zip(given, together, strict=True):
        np.testing.assert_allclose(encoder.encode([item]).features[0], row, atol=1e-5)


# --- the entries, from the cache of the hub -----------------------------------------------------------------

FROM_CACHE = """
import sys
import numpy as np
import feature_extractors as fx
for line in sys.stdin.read().splitlines():
    name, kind, out, *items = line.split("\\t")
    try:
        encoder = fx.load_encoder(name, kind, device="cpu")
    except fx.EncoderError as error:
        np.savez(out, error=type(error).__name__, says=str(error))
    else:
        np.savez(out, rows=encoder.encode(items).features, fingerprint=encoder.fingerprint)
"""
COMMIT = "0123456789" * 4
OTHERS = ("someone/bert", "someone/half", "someone/nothing", "openai/clip-vit-base-patch32")


def _stored(home: Path, name: str, commit: str, folder: Path) -> Path:
    repository = home / "hub" / f"models--{name.replace('/', '--')}"
    if not repository.exists():
        shutil.copytree(folder, repository / "snapshots" / commit)
    return repository


@pytest.fixture(scope="module")
def from_cache(models, items, tmp_path_factory):
    """What loading by name gives without a connection, from what a download would have left."""
    home = tmp_path_factory.mktemp("home")
    asked = [(spec.name, spec.kind, _of(items, spec.name, spec.kind)) for spec in LISTED]
    asked += [(name, "text", TEXTS) for name in OTHERS]
    for spec in LISTED:
        _stored(home, spec.id, spec.revision, models(spec.name))
    for name in OTHERS[:2]:
        repository = _stored(home, name, COMMIT, models("bert-base"))
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    (repository / "snapshots" / COMMIT / "model.safetensors").unlink()
    places = [home / f"{i}.npz" for i in range(len(asked))]
    lines = ["\t".join([name, kind, str(p), *map(str, g)]) for p, (name, kind, g) in zip(places, asked, strict=True)]
    outside = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", FROM_CACHE]
    ran = subprocess.run(command, input="\n".join(lines), text=True, env=outside, capture_output=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return {(name, kind): np.load(place) for place, (name, kind, _) in zip(places, asked, strict=True)}


@pytest.mark.parametrize("spec", LISTED, ids=lambda spec: f"{spec.name}-{spec.kind}")
def test_an_entry_gives_what_a_folder_of_it_gives(models, items, from_cache, spec):
    given = _of(items, spec.name, spec.kind)
    told = from_cache[spec.name, spec.kind]
    if spec.prefix:  # its files do not tell of it
        given = [spec.prefix + item for item in given]
    folder = fx.load_encoder(str(models(spec.name)), spec.kind, device="cpu")
    np.testing.assert_allclose(told["rows"], folder.encode(given).features, atol=1e-5)
    assert spec.revision in str(told["fingerprint"]) and f" {spec.pooling} " in str(told["fingerprint"])


def test_the_id_of_a_listed_model_is_its_entry(from_cache):
    by_id, by_name = from_cache[OTHERS[3], "text"], from_cache["clip-b32", "text"]
    np.testing.assert_array_equal(by_id["rows"], by_name["rows"])
    assert str(by_id["fingerprint"]) == str(by_name["fingerprint"])


def test_a_model_that_is_not_listed_is_taken_at_its_latest_commit(models, from_cache):
    folder = fx.load_encoder(str(models("bert-base")), "text", device="cpu")
    np.testing.assert_allclose(from_cache[OTHERS[0], "text"]["rows"], folder.encode(TEXTS).features, atol=1e-5)
    assert COMMIT in str(from_cache[OTHERS[0], "text"]["fingerprint"])


@pytest.mark.parametrize("name", OTHERS[1:3])
def test_what_is_not_stored_in_full_needs_a_connection(from_cache, name):
    told = from_cache[name, "text"]
    assert str(told["error"]) == "HubUnreachableError" and f"{name!r} cannot be loaded: there is no" in str(
        told["says"]
    )


def test_the_prefix_matters(models, items, from_cache):
    folder = fx.load_encoder(str(models("e5-small-multi")), "text", device="cpu")
    assert np.abs(from_cache["e5-small-multi", "text"]["rows"] - folder.encode(TEXTS).features).max() > 1e-3


def test_every_listed_entry_is_tested_and_complete():
    assert {(spec.name, spec.kind) for spec in LISTED} <= set(plain_forwards.FORWARDS)
    for spec in LISTED:
        assert spec.commit == spec.revision and len(spec.commit) == 40, "an unpinned entry must be told as such"
        assert spec.id.count("/") == 1 and spec.width and spec.size_mb and spec.licence and spec.pooling
        assert spec.kind != "text" or spec.max_tokens


# --- what a folder says of itself ---------------------------------------------------------------------------


def test_declared_prompts_and_last_tokens_are_followed(tmp_path):
    folder = tmp_path / "model"
    listed_models.bert(folder)
    bare = fx.load_encoder(str(folder), "text").encode_tokens(["note a cat", "note the law sat"]).sequences()
    listed_models.declare(folder, "lasttoken", True, prompts={"given": "note "}, default_prompt_name="given")
    rows = fx.load_encoder(str(folder), "text").encode(["a cat", "the law sat"]).features
    np.testing.assert_allclose(rows, [states[-1] / np.linalg.norm(states[-1]) for states in bare], atol=1e-5)


def test_a_declared_limit_cuts_texts(tmp_path):
    folder = tmp_path / "model"
    listed_models.bert(folder)
    listed_models.declare(folder, "mean_tokens", False, max_tokens=5)
    tokens = fx.load_encoder(str(folder), "text").encode_tokens(["the cat sat", "the cat sat the tax law"])
    assert tokens.lengths.tolist() == [5, 5]
    np.testing.assert_array_equal(*tokens.sequences())


def test_poolings_that_are_not_known_leave_the_mean(tmp_path):
    folder = tmp_path / "model"
    listed_models.bert(folder)
    encoder = fx.load_encoder(str(folder), "text")
    listed_models.declare(folder, "max_tokens", False)
    np.testing.assert_array_equal(
        fx.load_encoder(str(folder), "text").encode(["a cat"]).features, encoder.encode(["a cat"]).features
    )


def test_a_pooler_without_weights_is_not_used(tmp_path):
    """It would be a random one, another at every start."""
    from transformers import BeitConfig, BeitForImageClassification, ConvNextV2Config, ConvNextV2Model
    from transformers import ConvNextImageProcessor, ViTImageProcessor  # isort: skip

    maps, patches = tmp_path / "maps", tmp_path / "patches"
    listed_models.lively(
        ConvNextV2Model(ConvNextV2Config(hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1]))
    ).save_pretrained(maps)
    ConvNextImageProcessor(size={"shortest_edge": 64}).save_pretrained(maps)
    config = BeitConfig(image_size=32, patch_size=8, use_mean_pooling=False, **listed_models.SMALL)
    listed_models.lively(BeitForImageClassification(config)).save_pretrained(patches)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(patches)
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    for folder in (maps, patches):
        rows = [fx.load_encoder(str(folder), "picture").encode([tmp_path / "red.png"]).features for _ in range(2)]
        np.testing.assert_array_equal(*rows)


@pytest.mark.parametrize(("name", "kind", "part"), [("vit-b16", "picture", "layer.1"), ("clap", "text", "pooler.")])
def test_weights_that_are_missing_are_refused(tmp_path, name, kind, part):
    from safetensors.numpy import load_file, save_file

    listed_models.BUILDERS[name](tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights[next(key for key in weights if part in key)]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(fx.EncoderError, match="1 of its weights are missing"):
        fx.load_encoder(str(tmp_path), kind)
