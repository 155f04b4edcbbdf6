"""Odd texts: each is read as what people see, or refused in one sentence, and none stops the others."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest

import feature_extractors as fx
from curation.importing import ModalityRole, Roles, build_dataset, read_table
from feature_extractors.contracts import ItemProblem
from feature_extractors.texts import MAX_CHARACTERS, read_text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a\0cat", "a cat"),
        ("\x1b[31ma\x07cat\x85", " [31ma cat "),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("caf\udce9", "caf\ufffd"),
        ("\ud83d\ude00 in two halves", "😀 in two halves"),
        (unicodedata.normalize("NFD", "Ångström, café, 각"), "Ångström, café, 각"),
        ("\ufeffa byte-order mark", "\ufeffa byte-order mark"),
        ("مرحبا بالعالم \u202eשלום", "مرحبا بالعالم \u202eשלום"),
        ("👩🏽‍🚀", "👩🏽‍🚀"),
        ("?!", "?!"),
    ],
)
def test_a_text_is_read_as_it_is_seen(text, read):
    assert read_text(text) == read


@pytest.mark.parametrize("text", ["", " \n", "\0\0", "\x01\x1b", "\u200b\ufeff", "\u202e\u2028"])
def test_a_text_that_shows_nothing_is_refused(text):
    with pytest.raises(ItemProblem, match="empty or shows nothing"):
        read_text(text)


def test_a_hundred_thousand_words_and_as_many_accents_are_cut():
    """Python's own normalisation takes twenty seconds for the second of them."""
    assert len(read_text("word " * 100_000)) == MAX_CHARACTERS
    assert len(read_text("a" + "\u0301\u0316" * MAX_CHARACTERS)) <= MAX_CHARACTERS


@pytest.fixture(scope="module")
def minilm():
    return fx.load_encoder("minilm-l6", "text", device="cpu")


def alike(encoder, *texts: str) -> np.ndarray:
    encoded = encoder.encode(texts)
    assert encoded.problems == ()
    return np.corrcoef(encoded.features)[0, 1:]


def test_the_same_text_has_the_same_features(minilm):
    assert alike(minilm, "a cat", "a\0cat", "A  cat\r\n", "\ufeffa\tcat\x07", "a c\u200bat").min() > 0.999
    assert alike(minilm, "café über", unicodedata.normalize("NFD", "café über")).min() > 0.999
    assert alike(minilm, "a cat", "acat").max() < 0.9
    word = "word " * 300
    assert alike(minilm, word, "word " * 100_000).min() > 0.999


def test_punctuation_numbers_and_other_scripts_have_features_of_their_own(minilm):
    assert alike(minilm, "?", "!!! ...", "3.14", "مرحبا", "שלום", "a cat").max() < 0.9


def test_signs_that_the_encoder_does_not_know_are_listed(minilm):
    """To it they are one and the same token, whatever they are."""
    encoded = minilm.encode(["a cat", "😀", "🚗🚗", "a cat 😀", "\ue000", "\x00"])
    assert encoded.kept.tolist() == [0, 3]
    told = dict(encoded.problems)
    assert all("knows no sign" in told[i] and told[i].endswith(".") for i in (1, 2, 4)) and "nothing" in told[5]


def test_reading_and_encoding_at_once(minilm):
    """Both use the tokenizer, each in a thread of its own."""
    encoded = minilm.encode(["😀", "?! …", "مرحبا", "a word"] * 100)
    assert [i for i, _ in encoded.problems] == list(range(0, 400, 4))


def test_odd_texts_in_a_table(minilm, tmp_path):
    """Numbers in a text column, half a character, a row that shows nothing: two rows are listed, the rest goes on."""
    rows = [{"caption": f"number {i}", "size": i, "kind": "even" if i % 2 == 0 else "odd"} for i in range(24)]
    for i, caption in enumerate([3.5, 7, "\u200b", "half \ud83d", "cafe\u0301", "!!!", "1,000.00"]):
        rows[i]["caption"] = caption
    table = tmp_path / "pairs.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    roles = Roles((ModalityRole("text", ("caption",), "text"), ModalityRole("size", ("size",), "numbers")), "kind")
    read = read_table(table)
    assert read.problems.frame["row"].tolist() == [4], "half a character is found when the table is read"
    texts = build_dataset(read.frame, roles).dataset.modalities[0].items
    assert texts[:2] == ["3.5", "7"] and len(texts) == 23
    encoded = minilm.encode(texts)
    assert [i for i, _ in encoded.problems] == [2]
