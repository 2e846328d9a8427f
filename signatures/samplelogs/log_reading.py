"""Reads a few columns of a log of any of the three formats, batch by batch, so that logs may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from signatures.samplelogs.columns import ARROW_TYPES
from signatures.samplelogs.errors import WrongLogError
from signatures.vocabulary import VOCABULARY

_TIME: Final = pa.timestamp("ms", tz="UTC")
_BLOCK_BYTES: Final = 1 << 23
TIMESTAMP: Final = "timestamp"


def read_columns(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Batches with `timestamp` as a time in UTC, to the millisecond, and all other names as text.

    A value that an event does not have is null. Raises: WrongLogError, naming the file.
    """
    wanted = pa.schema([(name, _TIME if name == TIMESTAMP else pa.string()) for name in names])
    try:
        for batch in _batches(path, wanted):
            missing = [name for name in names if name not in batch.schema.names]
            if missing:
                raise WrongLogError(f"{path} has no column {missing[0]}")
            yield pa.record_batch([batch.column(name).cast(wanted.field(name).type) for name in names], names=names)
    except FileNotFoundError:
        raise WrongLogError(f"no such file: {path}") from None
    except (pa.ArrowException, OSError) as error:
        raise WrongLogError(f"cannot read {path}: {str(error).splitlines()[0]}") from None


def _as_written(wanted: pa.Schema) -> pa.Schema:
    """JSON tells numbers from texts, so it is read with the vocabulary's types."""
    known = {name: ARROW_TYPES[field.type] for name, field in VOCABULARY.fields.items()}
    return pa.schema([(field.name, known.get(field.name, field.type)) for field in wanted])


def _batches(path: Path, wanted: pa.Schema) -> Iterator[pa.RecordBatch]:
    match path.suffix.lower():
        case ".parquet":
            with pq.ParquetFile(path) as file:
                known = [name for name in wanted.names if name in file.schema_arrow.names]
                yield from file.iter_batches(columns=known)
        case ".csv":
            yield from pyarrow.csv.open_csv(
                path,
                read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=wanted.names,
                    column_types={field.name: field.type for field in wanted},
                    strings_can_be_null=True,
                ),
            )
        case ".jsonl" | ".ndjson" | ".json":
            yield from pyarrow.json.open_json(
                path,
                read_options=pyarrow.json.ReadOptions(block_size=_BLOCK_BYTES),
                parse_options=pyarrow.json.ParseOptions(
                    explicit_schema=_as_written(wanted), unexpected_field_behavior="ignore"
                ),
            )
        case _:
            raise WrongLogError(f"{path.name} is no log: it ends in none of .parquet, .jsonl, .csv")
