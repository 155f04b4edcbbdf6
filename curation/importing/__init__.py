"""Importing: tables, folders, archives and ready-made features into a paired data set."""

from curation.importing.building import build_dataset
from curation.importing.columns import ColumnDescription, describe_columns
from curation.importing.feature_files import is_features_file
from curation.importing.features import read_features
from curation.importing.media import Media, open_media
from curation.importing.report import ImportResult, Problems
from curation.importing.roles import ModalityRole, Roles, parse_modality, suggest_roles
from curation.importing.tables import TableRead, read_table

__all__ = [
    "ColumnDescription",
    "ImportResult",
    "Media",
    "ModalityRole",
    "Problems",
    "Roles",
    "TableRead",
    "build_dataset",
    "describe_columns",
    "is_features_file",
    "open_media",
    "parse_modality",
    "read_features",
    "read_table",
    "suggest_roles",
]
