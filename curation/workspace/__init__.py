"""Workspaces: the folder that is a project, its catalogue, data sets, runs and notes."""

from curation.workspace.checking import check_workspace, repair_catalogue
from curation.workspace.files import write_atomically, write_frame, write_json
from curation.workspace.folder import Entry, Workspace
from curation.workspace.notes import (
    drop_selection,
    note_export,
    save_selection,
    saved_selection,
    selection_names,
    tag_samples,
    tags_of,
    untag_samples,
    with_tags,
)
from curation.workspace.opening import is_workspace, make_workspace, open_run, open_workspace
from curation.workspace.runs import ScoredRun, add_later, add_run, load_run
from curation.workspace.samples import add_dataset, carry_features, load_dataset
from curation.workspace.views import KeptView, keep_view, last_view, view_of, view_tagging, view_undone

__all__ = [
    "Entry",
    "KeptView",
    "ScoredRun",
    "Workspace",
    "add_dataset",
    "add_later",
    "add_run",
    "carry_features",
    "check_workspace",
    "drop_selection",
    "is_workspace",
    "keep_view",
    "last_view",
    "load_dataset",
    "load_run",
    "make_workspace",
    "note_export",
    "open_run",
    "open_workspace",
    "repair_catalogue",
    "save_selection",
    "saved_selection",
    "selection_names",
    "tag_samples",
    "tags_of",
    "untag_samples",
    "view_of",
    "view_tagging",
    "view_undone",
    "with_tags",
    "write_atomically",
    "write_frame",
    "write_json",
]
