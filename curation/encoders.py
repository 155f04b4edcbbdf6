"""What the doors tell about encoders: choices, notes, a table."""

from __future__ import annotations

from feature_extractors import default_encoder, list_encoders

__all__ = ["encoder_choices", "encoder_note", "encoder_table"]


def encoder_choices(kind: str) -> list[str]:
    """Return the names of the encoders for a kind of modality, the default first."""
    default = default_encoder(kind)
    return [default, *(spec.name for spec in list_encoders(kind) if spec.name != default)]


def encoder_note(name: str, kind: str) -> str:
    """Return when to use an encoder, in one sentence."""
    return next(spec.when_to_use for spec in list_encoders(kind) if spec.name == name)


def encoder_table() -> str:
    """Return all encoders as a plain-text table."""
    specs = list_encoders()
    head = ("name", "for", "width", "size", "licence", "when to use it")
    rows = [
        (
            s.name,
            s.kind,
            str(s.width or "-"),
            f"{s.size_mb:g} MB" if s.size_mb else "-",
            s.licence or "-",
            s.when_to_use,
        )
        for s in specs
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(5)]
    lines = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[5]]) for row in [head, *rows]
    ]
    note = "Any Hugging Face id (org/name) or model folder works too, for picture, text, sound and video (a picture's)."
    return "\n".join([*lines, "", note])
