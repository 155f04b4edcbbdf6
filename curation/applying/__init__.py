"""The scores put to work: ensembles, students of one side and joint representations, measured before kept."""

from curation.applying.found import Applied, read_applied

__all__ = ["Applied", "read_applied"]
