"""Content negotiation of TAXII 2.1 (sections 1.6.8 and 3.1), pure: header text in, yes or no out.

Media ranges are served: `*/*` and `application/*` take everything that the door has. A missing Accept header is not
(section 3.1 wants a TAXII range in each request).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

TAXII: Final = "application/taxii+json;version=2.1"
"""On every answer, exactly so: clients compare it as text."""

STIX: Final = "application/stix+json;version=2.1"

_VERSION: Final = "2.1"
MAX_HEADER_CHARS: Final = 2_048
"""Browsers send about 200 characters; more is nobody's list of what it reads."""

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - RFC 9110's name for a word of a header
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_MEMBER: Final = re.compile(rf"\s*({_TOKEN}/{_TOKEN})((?:\s*;\s*{_TOKEN}\s*=\s*(?:{_TOKEN}|{_QUOTED}))*)\s*")
_PARAMETER: Final = re.compile(rf";\s*({_TOKEN})\s*=\s*({_TOKEN}|{_QUOTED})")
_SPLIT: Final = re.compile(rf'(?:{_QUOTED}|[^,"])+')
_QUALITY: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")

# How exactly a member names what the door has; the most exact decides (RFC 9110 section 12.5.1).
_SPECIFICITY: Final = {"*/*": 0, "application/*": 1, "application/taxii+json": 2}
_WITH_VERSION: Final = 3


@dataclass(frozen=True, slots=True)
class MediaType:
    """One media type or range; names in lower case, quotes taken off the values."""

    name: str
    parameters: dict[str, str]


@lru_cache(maxsize=256)
def is_acceptable(accept: str | None) -> bool:
    """Whether an Accept header takes TAXII 2.1."""
    if accept is None or len(accept) > MAX_HEADER_CHARS:
        return False
    ranked = [rank for text in _SPLIT.findall(accept) if (rank := _rank(text)) is not None]
    best = max((specificity for specificity, _ in ranked), default=None)
    return any(is_wanted for specificity, is_wanted in ranked if specificity == best)


def names_taxii(accept: str | None) -> bool:
    """Whether an Accept header speaks of TAXII by name, in whatever version: no browser does."""
    return accept is not None and "application/taxii+json" in accept[:MAX_HEADER_CHARS].lower()


def is_taxii(content_type: str | None) -> bool:
    """Whether a Content-Type header says TAXII 2.1, with or without the version."""
    if content_type is None or len(content_type) > MAX_HEADER_CHARS:
        return False
    found = parse_media_type(content_type)
    return found is not None and found.name == "application/taxii+json" and _is_our_version(found)


def parse_media_type(text: str) -> MediaType | None:
    """One media type (RFC 9110 section 8.3.1), None if it is malformed."""
    matched = _MEMBER.fullmatch(text)
    if matched is None:
        return None
    parameters = {name.lower(): _unquoted(value) for name, value in _PARAMETER.findall(matched[2])}
    return MediaType(matched[1].lower(), parameters)


def _rank(text: str) -> tuple[int, bool] | None:
    """How exactly a member of Accept names TAXII 2.1, and whether its weight is above 0; None if it does not."""
    found = parse_media_type(text)
    if found is None or found.name not in _SPECIFICITY or not _is_our_version(found):
        return None
    weight = found.parameters.get("q", "1")
    if _QUALITY.fullmatch(weight) is None:
        return None
    specificity = _WITH_VERSION if "version" in found.parameters else _SPECIFICITY[found.name]
    return specificity, float(weight) > 0


def _is_our_version(found: MediaType) -> bool:
    return found.parameters.get("version", _VERSION) == _VERSION


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
