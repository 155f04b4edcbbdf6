"""Who may import whom. Parsed, not imported, so that a lazy import inside a function counts as well."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("app", "pages", "ui", "cli", "commands", "curation", "lsmi_core", "feature_extractors")
EDGES = {
    "app": {"ui", "curation"},
    "pages": {"ui", "curation"},
    "ui": {"ui", "curation"},
    "cli": {"commands", "curation"},
    "commands": {"commands", "curation"},
    "curation": {"curation", "lsmi_core", "feature_extractors"},
    "lsmi_core": {"lsmi_core"},
    "feature_extractors": {"feature_extractors"},
}
SCREEN = {"streamlit"}
TABLES = {"pandas", "plotly", "ray"}
FORBIDDEN = {
    "curation": SCREEN,
    "cli": SCREEN,
    "commands": SCREEN,
    "lsmi_core": SCREEN | TABLES,
    "feature_extractors": SCREEN | TABLES,
}
LONGEST_PAGE, LONGEST_FILE = 150, 400


def sources(root: Path) -> list[Path]:
    """Every Python file of the rooms; tests and benchmarks stand outside."""
    return [p for room in ROOMS for p in (*root.glob(f"{room}.py"), *sorted(root.glob(f"{room}/**/*.py")))]


def room_of(path: Path, root: Path) -> str:
    return path.relative_to(root).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Top-level names of all that a file imports, wherever in the file, `import_module("...")` included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module if not node.level else path.parent.name)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    return {name.split(".")[0] for name in found}


def broken_rules(root: Path) -> list[str]:
    told, with_ray = [], []
    for path in sources(root):
        room, where = room_of(path, root), path.relative_to(root).as_posix()
        names = imported(path)
        told += [f"{where} imports {n}" for n in sorted(names & set(ROOMS) - EDGES[room])]
        told += [f"{where} imports {n}" for n in sorted(names & FORBIDDEN.get(room, set()))]
        with_ray += [where] if "ray" in names else []
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if room == "pages" and lines >= LONGEST_PAGE:
            told.append(f"{where} has {lines} lines: a page has fewer than {LONGEST_PAGE}")
        if lines > LONGEST_FILE:
            told.append(f"{where} has {lines} lines: split it at {LONGEST_FILE}")
    if len(with_ray) > 1:
        told.append(f"more than one file imports ray: {', '.join(with_ray)}")
    return told


def test_the_rooms_keep_their_doors():
    found = sources(ROOT)
    assert {room_of(p, ROOT) for p in found} == set(ROOMS), "a room is missing, or the checker no longer sees it"
    assert len(found) > 60
    assert broken_rules(ROOT) == []


def test_the_checker_sees_real_edges():
    assert {"curation", "lsmi_core", "feature_extractors"} <= imported(ROOT / "curation" / "pipeline.py")
    assert "umap" in imported(ROOT / "curation" / "mapping.py"), "imports inside functions count"


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("pages/bad.py", "import lsmi_core.heads", "pages/bad.py imports lsmi_core"),
        ("app.py", "from feature_extractors import load_encoder", "app.py imports feature_extractors"),
        ("cli.py", "from ui import state", "cli.py imports ui"),
        ("ui/bad.py", "from lsmi_core import FIELDS", "ui/bad.py imports lsmi_core"),
        ("curation/bad.py", "def f():\n    import streamlit as st", "curation/bad.py imports streamlit"),
        ("curation/deep/bad.py", "import ui.state", "curation/deep/bad.py imports ui"),
        ("lsmi_core/bad.py", "import pandas as pd", "lsmi_core/bad.py imports pandas"),
        ("lsmi_core/bad.py", "import feature_extractors", "lsmi_core/bad.py imports feature_extractors"),
        ("feature_extractors/bad.py", "from plotly import graph_objects", "feature_extractors/bad.py imports plotly"),
        ("feature_extractors/bad.py", "import_module('curation.words')", "feature_extractors/bad.py imports curation"),
        ("pages/bad.py", "x = 1\n" * 150, "pages/bad.py has 150 lines: a page has fewer than 150"),
        ("ui/bad.py", "x = 1\n" * 401, "ui/bad.py has 401 lines: split it at 400"),
    ],
)
def test_the_checker_can_fail(tmp_path, path, text, told):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    assert broken_rules(tmp_path) == [told]


def test_only_one_file_may_import_ray(tmp_path):
    for name in ("one", "two"):
        (tmp_path / "curation").mkdir(exist_ok=True)
        (tmp_path / f"curation/{name}.py").write_text("import ray", encoding="utf-8")
    assert broken_rules(tmp_path) == ["more than one file imports ray: curation/one.py, curation/two.py"]
    (tmp_path / "curation/two.py").unlink()
    assert broken_rules(tmp_path) == []
