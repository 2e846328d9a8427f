"""What a lab says about its own store: where the events are, what the time is called, whose names the fields have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sigma.processing.conditions import LogsourceCondition
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import AddConditionTransformation

from exchange.stix.errors import shown
from signatures.conversion.constructs import CATEGORIES, Construct
from signatures.conversion.errors import Refusal, RefusedError, UnknownTargetError
from signatures.vocabulary import VOCABULARY

_TABLE: Final = re.compile(r"[A-Za-z_*][A-Za-z0-9_.*:-]{0,199}", re.ASCII)
_COLUMN: Final = re.compile(r"[A-Za-z_@][A-Za-z0-9_.@-]{0,99}", re.ASCII)
CATEGORY_FIELD: Final = "llmx.event.category"
TIME_FIELD: Final = "timestamp"
# OCSF says the kind of event by its class; 6003 is API Activity, the one that the vocabulary maps to.
_OCSF_CLASS_FIELD: Final = "class_uid"
_OCSF_CLASSES: Final[Mapping[str, int]] = {"llm_api": 6003}


class Schema(StrEnum):
    """Whose names the fields have in the store."""

    VOCABULARY = "vocabulary"
    OCSF = "ocsf"


@dataclass(frozen=True, slots=True)
class Options:
    """table: index, table or stream. timestamp: the field with the time of an event."""

    table: str
    timestamp: str
    schema: Schema = Schema.VOCABULARY

    def __post_init__(self) -> None:
        """Refuse what could be more than a name. Raises: UnknownTargetError."""
        if _TABLE.fullmatch(self.table) is None:
            raise UnknownTargetError(f"{shown(self.table)} is no name of a table or an index")
        if _COLUMN.fullmatch(self.timestamp) is None:
            raise UnknownTargetError(f"{shown(self.timestamp)} is no name of a field")

    def column(self, field: str) -> str:
        """What a field of a rule is called in the store. Raises: RefusedError."""
        if field == TIME_FIELD:
            return self.timestamp
        if self.schema is Schema.VOCABULARY or field == _OCSF_CLASS_FIELD:
            return field
        known = VOCABULARY.fields.get(field)
        if known is None or not known.ocsf:
            reason = f"{shown(field)} has no path in OCSF {VOCABULARY.ocsf_version}"
            raise RefusedError(Refusal(Construct.FIELD_NAME, "--schema ocsf", reason))
        return known.ocsf

    def log_source_pipeline(self) -> ProcessingPipeline:
        """Adds to every rule what its log source's category selects."""
        return ProcessingPipeline(
            items=[
                ProcessingItem(
                    AddConditionTransformation(self._category_condition(category), name=f"_{category}"),
                    rule_conditions=[LogsourceCondition(category=category)],
                )
                for category in CATEGORIES
                if self.schema is Schema.VOCABULARY or category in _OCSF_CLASSES
            ]
        )

    def _category_condition(self, category: str) -> dict[str, int | str | list[str]]:
        if self.schema is Schema.OCSF:
            return {_OCSF_CLASS_FIELD: _OCSF_CLASSES[category]}
        return {f"{CATEGORY_FIELD}|cased": category}

    def knows_category(self, category: str) -> bool:
        """Whether the schema says this kind of event at all."""
        return self.schema is Schema.VOCABULARY or category in _OCSF_CLASSES
