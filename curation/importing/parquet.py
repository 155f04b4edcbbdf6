"""Parquet into a table, with the column types that cannot be shown refused by name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from curation.errors import DataError
from curation.importing.delimited import check_headers
from curation.importing.report import Problems

__all__ = ["parse_parquet"]

MAX_ROWS = 20_000_000
MAX_BYTES = 16 * 2**30


def parse_parquet(path: Path) -> tuple[pd.DataFrame, Problems]:
    """Read a Parquet file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    (pandas.DataFrame indexed by data row, Problems)

    Raises
    ------
    DataError
        When the file is damaged or too large, headers repeat, or a column holds files, structures or maps.
    """
    try:
        with pq.ParquetFile(path) as file:
            _check(file, path.name)
            table = file.read()
            table.validate(full=True)  # text that is not UTF-8 would otherwise fail much later
            frame = _to_frame(table)
    except DataError:
        raise
    except Exception as error:  # a damaged file can fail anywhere in the decoder
        raise DataError(f"'{path.name}' cannot be read as Parquet; it may be damaged: export it again.") from error
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame, Problems(n_total=len(frame))


def _check(file: pq.ParquetFile, name: str) -> None:
    # A few kilobytes can declare billions of rows; the footer says so before anything is unpacked.
    meta = file.metadata
    size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    if meta.num_rows > MAX_ROWS or size > MAX_BYTES:
        raise DataError(f"'{name}' holds {meta.num_rows:,} rows, {size:,} bytes; split it into smaller files.")
    schema = file.schema_arrow
    check_headers(schema.names, name)
    for column in schema:
        _check_type(column, name)


def _check_type(column: pa.Field, name: str) -> None:
    kind = column.type
    if pa.types.is_struct(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise DataError(
            f"The column '{column.name}' of '{name}' holds whole files or structures; save the files to a "
            "folder "
            "and write their names in the column."
        )
    if pa.types.is_map(kind) or pa.types.is_union(kind) or pa.types.is_fixed_size_binary(kind):
        raise DataError(f"The column '{column.name}' of '{name}' is of the type {kind}; save it as text or numbers.")


def _to_frame(table: pa.Table) -> pd.DataFrame:
    # pandas' own notes in the file would turn columns into an index; every column is wanted as a column.
    frame = table.replace_schema_metadata(None).to_pandas(ignore_metadata=True)
    frame.columns = [str(column) for column in frame.columns]
    for column in frame.columns:
        kind = table.schema.field(column).type
        if pa.types.is_dictionary(kind):
            frame[column] = frame[column].astype(frame[column].cat.categories.dtype)
        elif pa.types.is_decimal(kind):
            frame[column] = frame[column].astype(float)
    return frame
