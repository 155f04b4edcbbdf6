"""Figures of the encoders and of the cache of their features.

``python -m benchmarks.encoders`` writes every section of ``benchmarks/encoders.md``;
``python -m benchmarks.encoders cache`` writes that one again and leaves the others.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import encoders_cache, encoders_quality, encoders_speed
from benchmarks.report import write_sections

REPORT = Path(__file__).with_name("encoders.md")
INTRO = """
# The encoders, measured

All figures by `make bench-encoders`; each section names its own command.
"""
SECTIONS = {
    "quality": ("What the defaults are worth", encoders_quality.quality),
    "speed": ("The speed", encoders_speed.speed),
    "cache": ("The cache", encoders_cache.cache),
}

if __name__ == "__main__":
    write_sections(REPORT, INTRO, SECTIONS, "benchmarks.encoders", __doc__)
