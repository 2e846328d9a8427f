"""What a version can be found by: its words, its tags and its times, taken from the members of a checked object.

Pure and bounded: however large or odd an object is, its facets are small and hold nothing that a database refuses.
What is asked of them, and who may see what is found, is decided elsewhere.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from exchange.stix.timestamps import ordering_key

MAX_TEXT_CHARS: Final = 16_384
"""Eight pages of text. Every word costs a place in an index; a tsvector may have 16,383 positions."""

MAX_TAG_CHARS: Final = 250
"""A key of an index has 2,704 bytes at most, and a character four; ids and labels are shorter than this."""

MAX_TAGS_OF_A_KIND: Final = 200
"""Nobody gives an object more labels by hand; references have a bound of their own where they are read."""

_TITLES: Final = ("name", "aliases", "pattern", "description", "abstract", "content", "opinion", "explanation")
_DETAILS: Final = ("value", "goals", "roles", "sectors", "objective", "statement")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_BLANKS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_JOINTS: Final = {code: "_" for code in range(33, 128) if not chr(code).isalnum() and chr(code) not in '"-'}


@dataclass(frozen=True, slots=True)
class Facets:
    """text: words and blanks, for the full-text index. tags: `kind:value`, sorted, each once.

    valid_from, valid_until: as `ordering_key`, "" where the object does not say.
    """

    text: str
    tags: tuple[str, ...]
    valid_from: str
    valid_until: str


def facets_of(members: Mapping[str, Any], *, targets: Iterable[str] = (), payload_texts: Sequence[str] = ()) -> Facets:
    """The facets of a checked object.

    targets: ids that it refers to. payload_texts: texts of what it carries encoded (a playbook in base64).
    """
    return Facets(
        text=_text_of(members, payload_texts),
        tags=tuple(sorted({*_tags_of(members), *(tag("refers", each) for each in targets)})),
        valid_from=_instant(members.get("valid_from")),
        valid_until=_instant(members.get("valid_until")),
    )


def tag(kind: str, value: str) -> str:
    """The tag of one value. Kinds: `label`, `external`, `marking`, `pattern`, `refers`."""
    return f"{kind}:{value}"


def is_tag_value(value: str) -> bool:
    """Whether a value is kept as a tag: nothing longer, and nothing with control characters."""
    return 0 < len(value) <= MAX_TAG_CHARS and _CONTROL.search(value) is None


def words_of_query(text: str) -> str:
    """A question in the words of the index: quotes and a leading minus keep their meaning, other signs join.

    `AML.T0024` becomes `AML_T0024`, which PostgreSQL takes as the phrase of its two words.
    """
    return " ".join(_word_of_query(word) for word in text.split())


def _word_of_query(word: str) -> str:
    minus = "-" if word.startswith("-") else ""
    return minus + word.removeprefix("-").translate(_JOINTS).replace("-", "_")


def _text_of(members: Mapping[str, Any], payload_texts: Sequence[str]) -> str:
    """Titles first, so that a long text leaves them in."""
    parts, room = [], MAX_TEXT_CHARS
    for part in _parts_of(members, payload_texts):
        parts.append(part[:room])
        room -= len(part) + 1
        if room <= 0:
            break
    return "\n".join(parts).translate(_BLANKS)


def _parts_of(members: Mapping[str, Any], payload_texts: Sequence[str]) -> Iterator[str]:
    for name in _TITLES:
        yield from _strings(members.get(name))
    yield from _strings(members.get("labels"))
    for reference in _mappings(members.get("external_references")):
        for name in ("external_id", "source_name", "description"):
            yield from _strings(reference.get(name))
    for phase in _mappings(members.get("kill_chain_phases")):
        yield from _strings(phase.get("phase_name"))
    for name in _DETAILS:
        yield from _strings(members.get(name))
    yield from payload_texts


def _tags_of(members: Mapping[str, Any]) -> Iterator[str]:
    externals = [each.get("external_id") for each in _mappings(members.get("external_references"))]
    found = (
        ("label", members.get("labels")),
        ("external", externals),
        ("marking", members.get("object_marking_refs")),
        ("pattern", members.get("pattern_type")),
    )
    for kind, values in found:
        fitting = (each for each in _strings(values) if is_tag_value(each))
        for value in islice(fitting, MAX_TAGS_OF_A_KIND):
            yield tag(kind, value)


def _strings(value: Any) -> Iterator[str]:
    """A string, or the strings of a list; an open collection may hold anything under any name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, str))


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _instant(value: Any) -> str:
    """Times of a checked object are sound where the schema knows them; elsewhere they may be anything."""
    return ordering_key(value) if isinstance(value, str) and _INSTANT.fullmatch(value) else ""
