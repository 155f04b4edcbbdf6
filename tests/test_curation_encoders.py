"""What the doors tell about encoders, and that docs/encoders.md tells the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.encoders import encoder_choices, encoder_label, encoder_note, size_told
from feature_extractors import EncoderSpec, default_encoder, list_encoders

DOCS = (Path(__file__).parents[1] / "docs" / "encoders.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["picture", "text", "sound", "numbers", "vectors"])
def test_choices_begin_with_what_works_offline(kind):
    labels = [encoder_label(name, kind) for name in encoder_choices(kind)]
    assert labels[0] == f"{default_encoder(kind)} (offline)"
    assert [label.endswith("(offline)") for label in labels] == sorted(
        (label.endswith("(offline)") for label in labels), reverse=True
    )


def test_labels_and_notes_tell_the_price_of_a_download():
    assert encoder_label("clip-b32", "picture") == "clip-b32 (download, 605 MB)"
    assert encoder_label("siglip2-b16", "text") == "siglip2-b16 (download, 1.5 GB)"
    note = encoder_note("clap", "sound")
    assert note.endswith("hub, laion/clap-htsat-unfused: 614 MB, downloaded once; licence Apache-2.0.")
    assert encoder_note("whisper-tiny", "sound").endswith("Works offline; licence MIT.")
    assert encoder_note("columns", "numbers").endswith("Works offline.")


def _row(spec: EncoderSpec) -> str:
    where = f"[{spec.id}](https://huggingface.co/{spec.id}/tree/{spec.commit})" if spec.id else "offline"
    width, size = spec.width or "as given", size_told(spec) if spec.size_mb else "none"
    pooling = f"{spec.pooling or 'none'}{', length 1' if spec.unit_length else ''}"
    prefix = f", after “{spec.prefix}”" if spec.prefix else ""
    cells = (spec.name, spec.kind, where, spec.commit[:8] or "package", spec.licence, size, width)
    tokens = f"{spec.max_tokens or ''}{prefix}"
    return "| " + " | ".join(map(str, [*cells, pooling, tokens, spec.when_to_use])) + " |"


def test_the_docs_hold_the_table():
    listed = [spec for spec in list_encoders() if spec.kind != "video"]  # those for pictures, told in a sentence
    rows = [_row(spec) for spec in listed]
    told = [line for line in DOCS.splitlines() if line.startswith("| ")]
    assert [row for row in rows if row not in told] == []
    names = {(spec.name, spec.kind) for spec in listed}
    assert {tuple(line.split(" | ")[:2]) for line in told} >= {(f"| {name}", kind) for name, kind in names}
    assert len([line for line in told if line.split(" | ")[1] in {kind for _, kind in names}]) == len(rows)


def test_the_docs_say_how_every_commit_was_found():
    assert all(f"`{spec.commit}`" in DOCS for spec in list_encoders() if spec.commit)
