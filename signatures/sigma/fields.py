"""Where a rule names fields, each with its place: in selections, groups, aliases, and as what is measured.

Only rules over the gateway's log source are looked at, and what correlates them; which fields a gateway has is decided
elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from signatures.sigma.yaml_reading import Path, YamlDocument

_NUMBER: Final = re.compile("[0-9]+")
_PRODUCT: Final = "llm_gateway"
_CATEGORY: Final = "llm_"
"""Log sources of model gateways: requests are `llm_api`, events of accounts `llm_account`."""


@dataclass(frozen=True, slots=True)
class FieldMention:
    """The first place of a field in a document. document: its number, from 1. place: "line 3, column 5"."""

    field: str
    document: int
    place: str


def gateway_fields(documents: Sequence[YamlDocument]) -> tuple[FieldMention, ...]:
    """The fields of rules over a gateway's log source, in their order, each once for a document."""
    rules = [document for document in documents if "logsource" in document.value]
    over = [document for document in rules if _is_gateway(document.value["logsource"])]
    correlations = [document for document in documents if "correlation" in document.value]
    # What correlates rules over different sources may name fields of either.
    looked_at = over + (correlations if over and len(over) == len(rules) else [])
    return tuple(sorted((mention for document in looked_at for mention in _mentions(document)), key=_where))


def _is_gateway(source: Any) -> bool:
    return source.get("product") == _PRODUCT or str(source.get("category", "")).startswith(_CATEGORY)


def _where(mention: FieldMention) -> tuple[int, list[int]]:
    return mention.document, [int(number) for number in _NUMBER.findall(mention.place)]


def _mentions(document: YamlDocument) -> Iterator[FieldMention]:
    aliases = document.value.get("correlation", {}).get("aliases", {})
    seen = set[str]()
    for path, text, is_key, place in document.texts():
        field = _field_at(path, text, is_key=is_key)
        if field and field not in seen and field not in aliases:
            seen.add(field)
            yield FieldMention(field, document.number, place)


def _field_at(path: Path, text: str, *, is_key: bool) -> str:
    """The field that the text at this path names, "" if it names none."""
    match path:
        case ["detection" | "filter", str(selection), *_, str()] if is_key and selection not in ("condition", "rules"):
            # The name stands before the modifiers; the empty one is the whole event.
            return text.partition("|")[0]
        case ["correlation", "group-by", int()] | ["correlation", "condition", "field"] if not is_key:
            return text
        case ["correlation", "aliases", str(), str()] if not is_key:
            return text
    return ""
