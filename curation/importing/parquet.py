"""Parquet into a table, with the column types that cannot be shown refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.errors import DataError
from curation.importing.headers import check_headers
from curation.importing.limits import MAX_ROWS
from curation.importing.report import Problems

__all__ = ["parse_parquet"]

MAX_BYTES = 16 * 2**30
_RATIO, _RATIO_FREE = 200, 256 * 2**20  # as of archives; what repeats is stored once, however often it occurs
_FEW_ROWS = 64


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
            _check(file, path)
        table = _read(path)
        table.validate(full=True)  # text that is not UTF-8 would otherwise fail much later
        frame = _to_frame(table)
    except DataError:
        raise
    except Exception as error:  # a damaged file can fail anywhere in the decoder
        raise DataError(f"'{path.name}' cannot be read as Parquet; it may be damaged: export it again.") from error
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame, Problems(n_total=len(frame))


def _read(path: Path) -> pa.Table:
    """Read all columns, texts as they are stored: a megabyte of file can repeat one of them into terabytes."""
    with pq.ParquetFile(path) as file:
        meta = file.metadata
        chunks = [meta.row_group(i).column(j) for i in range(meta.num_row_groups) for j in range(meta.num_columns)]
        texts = [chunk for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"]
        if any(encoding.startswith("DELTA") for chunk in texts for encoding in chunk.encodings):
            return _read_slowly(file, path)
    with pq.ParquetFile(path, read_dictionary=sorted({chunk.path_in_schema for chunk in texts})) as file:
        table = file.read()
    _check_room(sum(_unpacked_size(column) for column in table.columns), path)
    return table


def _read_slowly(file: pq.ParquetFile, path: Path) -> pa.Table:
    """Read what stores texts as differences, which cannot be kept so: a few rows at a time, with an eye on the sum."""
    parts, size = [], 0
    for batch in file.iter_batches(batch_size=_FEW_ROWS):
        parts.append(batch)
        size += batch.nbytes
        _check_room(size, path)
    return pa.Table.from_batches(parts, file.schema_arrow)


def _check(file: pq.ParquetFile, path: Path) -> None:
    # A few kilobytes can declare billions of values; the footer says so before anything is unpacked.
    meta = file.metadata
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    if meta.num_rows > MAX_ROWS:
        raise DataError(f"'{path.name}' holds {meta.num_rows:,} rows, more than {MAX_ROWS:,}; split it.")
    if meta.num_rows != sum(group.num_rows for group in groups):
        raise DataError(f"'{path.name}' cannot be read as Parquet: its numbers of rows differ; export it again.")
    schema = file.schema_arrow
    check_headers(schema.names, path.name)
    for column in schema:
        _check_type(column, path.name)
    stored = sum(group.total_byte_size for group in groups)
    values = sum(group.column(i).num_values for group in groups for i in range(meta.num_columns))
    _check_room(max(stored, 4 * values), path)


def _check_room(size: int, path: Path) -> None:
    if size > MAX_BYTES or (size > _RATIO_FREE and size > _RATIO * path.stat().st_size):
        raise DataError(
            f"'{path.name}' unpacks to {size:,} bytes, far more than its own size; split it, or save it without "
            "such compression."
        )


def _unpacked_size(column: pa.ChunkedArray) -> int:
    """Return the bytes of a column once every text stands where it occurs."""
    size = 0
    for chunk in column.chunks:
        while pa.types.is_list(chunk.type) or pa.types.is_large_list(chunk.type):
            chunk = chunk.flatten()
        if pa.types.is_dictionary(chunk.type) and len(chunk.dictionary):
            chunk.validate(full=True)
            lengths = pc.binary_length(chunk.dictionary).to_numpy(zero_copy_only=False)
            indices = chunk.indices.drop_null().to_numpy()
            size += int(lengths[indices].sum(dtype=np.int64))
        else:
            size += chunk.nbytes
    return size


def _check_type(column: pa.Field, name: str) -> None:
    kind = column.type
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise DataError(
            f"The column '{column.name}' of '{name}' holds whole files or structures; save the files to a "
            "folder and write their names in the column."
        )
    if pa.types.is_map(kind) or pa.types.is_fixed_size_binary(kind) or isinstance(kind, pa.BaseExtensionType):
        raise DataError(f"The column '{column.name}' of '{name}' is of the type {kind}; save it as text or numbers.")


def _to_frame(table: pa.Table) -> pd.DataFrame:
    # pandas' own notes in the file would turn columns into an index; every column is wanted as a column.
    table = pa.table([_written_out(column) for column in table.columns], names=table.column_names)
    frame = table.to_pandas(ignore_metadata=True)
    frame.columns = [str(column) for column in frame.columns]
    for column, kind in zip(frame.columns, table.schema.types, strict=True):
        if pa.types.is_decimal(kind):
            frame[column] = frame[column].astype(float)
    return frame


def _written_out(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(column.type):
        return column
    values = column.type.value_type
    return column.cast(pa.large_string() if pa.types.is_string(values) else values)
