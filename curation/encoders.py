"""What the doors tell about encoders: choices, labels, notes, a table."""

from __future__ import annotations

from feature_extractors import Encoder, EncoderSpec, default_encoder, list_encoders, load_encoder
from feature_extractors.errors import HubUnreachableError

__all__ = [
    "STRONGER", "encoder_choices", "encoder_label", "encoder_note", "encoder_table", "encoders_told",
    "load_or_stand_in", "size_told",
]  # fmt: skip

STRONGER = {"picture": "siglip2-b16", "text": "bge-small", "sound": "clap", "video": "siglip2-b16"}
"""The listed encoder to try for each kind where there is a connection and time."""


def load_or_stand_in(name: str, kind: str, device: str) -> Encoder:
    """Load an encoder; where it is a listed one of the hub, and the hub is out of reach, the offline default.

    Whoever shows the result says so: see :func:`encoders_told`. A model that is not listed has no stand-in: who names
    it wants this one.

    Raises
    ------
    EncoderError
        When it cannot be loaded for another reason, or is not listed.
    """
    try:
        return load_encoder(name, kind, device=device)
    except HubUnreachableError:
        if name not in encoder_choices(kind):
            raise
        return load_encoder(default_encoder(kind), kind, device=device)


def encoders_told(modalities: list[dict]) -> list[str]:
    """Return in plain words which encoders ran, which should have, and that stronger ones are available online.

    Parameters
    ----------
    modalities : list of dict
        ``name``, ``kind``, ``encoder`` and, where it differs, ``asked`` of both sides, as in the summary of a run.

    Returns
    -------
    list of str
        Whole sentences; none where neither side was encoded.
    """
    sides = [side for side in modalities if side["kind"] in STRONGER]
    if not sides:
        return []
    told = [
        f"For the {side['name']}, {side['encoder']} ran in the place of {side['asked']}: the Hugging Face hub was out "
        "of reach. Score again with a connection to use it."
        for side in sides
        if side.get("asked")
    ]
    ran = " and ".join(f"the {side['name']} by {side['encoder']}" for side in sides)
    weak = {side["kind"]: STRONGER[side["kind"]] for side in sides if side["encoder"] == default_encoder(side["kind"])}
    better = " and ".join(f"{name} ({kind})" for kind, name in weak.items())
    online = f" They work offline; stronger ones are available online, such as {better}." if weak else ""
    return [*told, f"Encoded: {ran}.{online}"]


def encoder_choices(kind: str) -> list[str]:
    """Return the names of the encoders for a kind of modality: the default, others offline, those of the hub."""
    default = default_encoder(kind)
    return [default, *(spec.name for spec in list_encoders(kind) if spec.name != default)]


def encoder_label(name: str, kind: str) -> str:
    """Return a name with what choosing it costs: "clip-b32 (download, 605 MB)"."""
    spec = _listed(name, kind)
    return f"{name} (download, {size_told(spec)})" if spec.source == "hub" else f"{name} (offline)"


def encoder_note(name: str, kind: str) -> str:
    """Return when to use an encoder, where it comes from, and on what terms."""
    spec = _listed(name, kind)
    return f"{spec.when_to_use} {_where_from(spec)}"


def size_told(spec: EncoderSpec) -> str:
    """Return the size of the weights in words."""
    return f"{spec.size_mb / 1000:.1f} GB" if spec.size_mb >= 1000 else f"{spec.size_mb:g} MB"


def _listed(name: str, kind: str) -> EncoderSpec:
    return next(spec for spec in list_encoders(kind) if spec.name == name)


def _where_from(spec: EncoderSpec) -> str:
    if spec.source == "hub":
        terms = f"{size_told(spec)}, downloaded once; licence {spec.licence}"
        return f"From the Hugging Face hub, {spec.id}: {terms}."
    return "Works offline." if not spec.size_mb else f"Works offline; licence {spec.licence}."


def encoder_table() -> str:
    """Return all encoders as a plain-text table, the offline ones first."""
    head = ("name", "for", "width", "size", "licence", "revision", "when to use it")
    specs = [spec for spec in list_encoders() if spec.kind != "video"]
    parts = [_lines(head, [s for s in specs if (s.source == "hub") == from_hub]) for from_hub in (False, True)]
    note = (
        "Those for pictures also look at the frames of videos.\n"
        "Any other Hugging Face id (org/name) or model folder works too, for picture, text, sound and video.\n"
        "docs/encoders.md tells more. Without a connection, download a model elsewhere and name its folder."
    )
    return f"Offline\n{parts[0]}\n\nFrom the Hugging Face hub, downloaded once\n{parts[1]}\n\n{note}"


def _lines(head: tuple[str, ...], specs: list[EncoderSpec]) -> str:
    rows = [head, *map(_cells, specs)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head) - 1)]
    told = []
    for row, spec in zip(rows, [None, *specs], strict=True):
        told.append("  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]))
        if spec is not None and spec.id:
            told.append(f"{'':{widths[0]}}  {spec.id}")
    return "\n".join(told)


def _cells(spec: EncoderSpec) -> tuple[str, ...]:
    size = size_told(spec) if spec.size_mb else "-"
    return spec.name, spec.kind, str(spec.width or "-"), size, spec.licence, _short(spec), spec.when_to_use


def _short(spec: EncoderSpec) -> str:
    """The first eight places of a commit, the requirement of a package."""
    return spec.commit[:8] or (spec.revision.split()[0] if spec.source == "package" else "-")
