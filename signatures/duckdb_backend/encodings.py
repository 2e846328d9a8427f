"""Values that pySigma encodes wrongly, refused before they become a query that looks for the wrong bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sigma.modifiers import SigmaBase64Modifier, SigmaBase64OffsetModifier, SigmaUTF16Modifier
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem
from sigma.types import SigmaString

from signatures.duckdb_backend.refusals import RefusedError

_BASE64: Final = frozenset({SigmaBase64Modifier, SigmaBase64OffsetModifier})


def check_encodings(detections: Any) -> None:
    """Check every value of a rule's detections that is encoded.

    Raises: RefusedError.
    """
    for detection in detections.detections.values():
        for item in _items(detection):
            if _BASE64 & set(item.modifiers):
                _check(item)


def _check(item: SigmaDetectionItem) -> None:
    field = item.field or ""
    if SigmaUTF16Modifier in item.modifiers:
        raise RefusedError("utf16 before base64", "pySigma writes another byte order mark; use wide", field)
    for value in item.original_value or ():
        if not isinstance(value, SigmaString):
            continue
        pieces = [part for part in value.s if isinstance(part, str)]
        if any("*" in piece or "?" in piece for piece in pieces):
            raise RefusedError("base64 of an escaped wildcard", "pySigma encodes the backslash too", field)
        if SigmaBase64OffsetModifier in item.modifiers and not all(piece.isascii() for piece in pieces):
            raise RefusedError("base64offset beyond ASCII", "pySigma cuts it in the wrong place", field)


def _items(detection: SigmaDetection) -> Iterator[SigmaDetectionItem]:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            yield from _items(item)
        else:
            yield item
