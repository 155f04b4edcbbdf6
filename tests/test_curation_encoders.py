"""What the doors tell about encoders, and that docs/encoders.md tells the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import makers
import pytest

from curation.encoders import STRONGER, encoder_choices, encoder_label, encoder_note, encoders_told, size_told
from feature_extractors import EncoderSpec, default_encoder, list_encoders

ROOT = Path(__file__).parents[1]
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


def test_what_ran_is_told_and_that_stronger_ones_are_online():
    sides = [{"name": "drawing", "kind": "picture", "encoder": "efficientnet-lite0", "asked": "clip-b32"},
             {"name": "caption", "kind": "text", "encoder": "bge-small"}]  # fmt: skip
    missing, ran = encoders_told(sides)
    assert missing.startswith("For the drawing, efficientnet-lite0 ran in the place of clip-b32: the Hugging Face hub")
    assert ran.startswith("Encoded: the drawing by efficientnet-lite0 and the caption by bge-small.")
    assert f"such as {STRONGER['picture']} (picture)." in ran
    assert encoders_told([{"name": "x", "kind": "vectors", "encoder": "as-is"}] * 2) == []
    assert all(name in encoder_choices(kind) for kind, name in STRONGER.items())


def test_without_the_hub_the_offline_encoder_runs_and_both_doors_say_so(tmp_path):
    """The variable is read when the hub's library is imported: a process of its own."""
    table = makers.picture_table(tmp_path / "pictures")
    sides = ["--modality", "picture=drawing", "--modality", "text=caption", "--label", "category"]
    command = [sys.executable, "cli.py", "score", str(table.table), "--media", str(table.media.parent), *sides,
               "--encoder", "picture=clip-b32", "--out", str(tmp_path / "out")]  # fmt: skip
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    done = subprocess.run(command, env=offline, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "efficientnet-lite0 ran in the place of clip-b32" in done.stdout
    run = makers.run_folder(tmp_path / "out")
    summary, record = (json.loads((run / name).read_text()) for name in ("summary.json", "run.json"))
    assert summary["modalities"][0] | {"encoder": "efficientnet-lite0", "asked": "clip-b32"} == summary["modalities"][0]
    assert record["settings"]["encoders"] == {"picture": "efficientnet-lite0"}, "repeated with what ran"
    not_listed = [*command[:-4], "--encoder", "picture=some/model", "--out", str(tmp_path / "none")]
    refused = subprocess.run(not_listed, env=offline, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "there is no connection" in refused.stderr
