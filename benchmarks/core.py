"""Figures of the estimator: how right, how steady, how sure, how fast.

``python -m benchmarks.core`` writes every section of ``benchmarks/core.md`` (about half an hour);
``python -m benchmarks.core mixtures speed`` writes those two again and leaves the others.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks import core_fast, core_regimes, core_right, core_sure  # noqa: E402
from benchmarks.report import write_sections  # noqa: E402

REPORT = Path(__file__).with_name("core.md")
INTRO = """
# The estimator, measured

All figures by `make bench-core`; each section names its own command. Settings are the defaults unless a line says
otherwise. "Published" is our own re-implementation of the published protocol, `benchmarks/published.py`: one fit,
scored in sample. Formulas are held against dit to 1e-9 by `python -m pytest tests/test_lsmi_core_dit.py`.
AUROC asks how well r finds the redundant samples, u1 and u2 the unique ones, s the synergistic ones, scores blind to
regimes. "Law" is what the exact quantities of the law that drew the samples achieve under the same measure.
"""
SECTIONS = {
    "mixtures": ("Exact mixtures", core_right.mixtures),
    "regimes": ("Planted regimes", core_regimes.regimes),
    "fashion": ("Real pictures with planted regimes", core_regimes.fashion),
    "invariance": ("Invariance", core_right.invariance),
    "nulls": ("Nulls and power", core_right.nulls),
    "uncertainty": ("Uncertainty", core_sure.uncertainty),
    "suspects": ("Suspects", core_sure.suspects),
    "demo": ("The published protocol, mended", core_right.published_demo),
    "speed": ("Speed", core_fast.speed),
    "growth": ("Growth and memory", core_fast.growth),
    "devices": ("Devices", core_fast.devices),
}

if __name__ == "__main__":
    write_sections(REPORT, INTRO, SECTIONS, "benchmarks.core", __doc__)
