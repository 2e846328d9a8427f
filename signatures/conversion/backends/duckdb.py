"""DuckDB: the backend that backtests run with, told where the events are and what their fields are called there."""

from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldMappingTransformation

from signatures.conversion.errors import Refusal, RefusedError
from signatures.conversion.options import CATEGORY_FIELD, Options, Schema
from signatures.duckdb_backend import DuckDbBackend
from signatures.duckdb_backend import RefusedError as RefusedByDuckDbError
from signatures.vocabulary import VOCABULARY


class DuckDbTarget:
    """Converts as pySigma's backends do."""

    def __init__(self, options: Options) -> None:
        is_ocsf = options.schema is Schema.OCSF
        self._backend = DuckDbBackend(
            _renaming(options) if is_ocsf else None,
            table=options.table,
            time_field=options.timestamp,
            category_field=None if is_ocsf else CATEGORY_FIELD,
            # As every target answers: each window by itself.
            merges=False,
        )

    def convert(self, collection: SigmaCollection) -> list[str]:
        """A query for each rule that is to be output. Raises: RefusedError: naming rule and construct."""
        try:
            return self._backend.convert(collection)
        except RefusedByDuckDbError as error:
            raise RefusedError(Refusal(error.construct, error.field or error.rule, error.reason)) from None


def _renaming(options: Options) -> ProcessingPipeline:
    """The kind of event, and then the names of fields, as OCSF has them."""
    paths: dict[str | None, str | list[str]] = {
        field.name: options.column(field.name) for field in VOCABULARY.fields.values() if field.ocsf
    }
    renaming = ProcessingPipeline(items=[ProcessingItem(FieldMappingTransformation(paths))])
    return options.log_source_pipeline() + renaming
