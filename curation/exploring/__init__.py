"""What is on show: views that can be undone and linked to, selections that can be combined, and their samples."""

from curation.exploring.groups import GROUPS, Group, group_of, groups
from curation.exploring.partition import HARDEST, Partition, PartitionRecipe
from curation.exploring.samples import Samples
from curation.exploring.selection import checked, mask, split
from curation.exploring.sentences import sentence
from curation.exploring.view import View

__all__ = [
    "GROUPS", "HARDEST", "Group", "Partition", "PartitionRecipe", "Samples", "View", "checked", "group_of", "groups",
    "mask", "sentence", "split",
]  # fmt: skip
