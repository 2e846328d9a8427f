"""One Sigma text, inspected: what it is called, marked, rests on and says.

The first fault ends it. Whether the fields exist at a gateway and whether the content may be published are
questions for others; they get the fields and texts from here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.stix.errors import shown
from exchange.stix.markings import Tlp
from signatures.sigma.correlations import check_correlation, check_references
from signatures.sigma.features import (
    Branch,
    FieldMatch,
    TooManyBranchesError,
    branches_of,
    fields_of,
    literal_fields_of,
)
from signatures.sigma.fields import FieldMention, gateway_fields
from signatures.sigma.parsing import ParsedDocument, parse_documents
from signatures.sigma.remarks import remarks_in
from signatures.sigma.shape import RULE_KEYS, check_shape
from signatures.sigma.yaml_reading import Path, YamlDocument, read_documents

# Sigma specification 2.1.0, appendix tags; `tlp.white` is TLP 1.0.
_TLP_TAGS: Final = {
    "tlp.clear": Tlp.CLEAR,
    "tlp.white": Tlp.CLEAR,
    "tlp.green": Tlp.GREEN,
    "tlp.amber": Tlp.AMBER,
    "tlp.amber-strict": Tlp.AMBER_STRICT,
    "tlp.red": Tlp.RED,
}
# Enough to find the place; the line and column stand beside it.
MAX_SHOWN_PATH_CHARS: Final = 120
_WORD: Final = re.compile(r"[A-Za-z0-9_*-]+")


@dataclass(frozen=True, slots=True)
class RuleFeatures:
    """The alternatives of one rule document, by the fields that each rests on."""

    location: str
    branches: frozenset[Branch]


@dataclass(frozen=True, slots=True)
class SigmaInspection:
    """What one Sigma text holds.

    title: of the outermost document. ids, names: of all documents. label: the strictest `tlp.*` tag.
    fields: every field of conditions, groups and aliases, sorted. matches: fields with a value in the text.
    mentions: where fields of a model gateway are named. outermost: the members of the document that `title` is of.
    texts: (location, text) of everything written in it. remarks: the same of comments and the like.
    unlisted: (location, key) outside the specification.
    """

    title: str
    ids: tuple[str, ...]
    names: tuple[str, ...]
    tags: tuple[str, ...]
    label: Tlp | None
    fields: tuple[str, ...]
    matches: tuple[FieldMatch, ...]
    mentions: tuple[FieldMention, ...]
    outermost: Mapping[str, Any]
    rules: tuple[RuleFeatures, ...]
    texts: tuple[tuple[str, str], ...]
    remarks: tuple[tuple[str, str], ...]
    unlisted: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def inspect_rule(text: str) -> SigmaInspection:
    """Inspect a Sigma text of one or more YAML documents (specification 2.1.0).

    Raises: ObjectInvalidError whose message names the document, line and column.
    """
    parsed, referenced = read_rules(text)
    documents = [item.document for item in parsed]
    outermost = ([document for document in documents if document.number not in referenced] or documents)[-1]
    return SigmaInspection(
        title=outermost.value["title"],
        ids=_gather(documents, "id"),
        names=_gather(documents, "name"),
        tags=tuple(dict.fromkeys(tag for document in documents for tag in document.value.get("tags", ()))),
        label=_label(documents),
        fields=tuple(sorted(set().union(*(named_fields(item) for item in parsed)))),
        matches=tuple(match for document in documents for match in _matches(document)),
        mentions=gateway_fields(documents),
        outermost=outermost.value,
        rules=tuple(_features(item) for item in parsed if item.conditions),
        texts=tuple(text for document in documents for text in _texts(document)),
        remarks=tuple(remarks_in(text)),
        unlisted=tuple(
            (_location(document, (key,)), key)
            for document in documents
            for key in sorted(document.value.keys() - RULE_KEYS)
        ),
        warnings=tuple(warning for document in documents for warning in _warnings(document)),
    )


def read_rules(text: str) -> tuple[tuple[ParsedDocument, ...], frozenset[int]]:
    """Read and check a Sigma text; return its documents, and the numbers of those that correlations refer to.

    Raises: ObjectInvalidError whose message names the document, line and column.
    """
    documents = read_documents(text)
    for document in documents:
        check_shape(document)
        if "correlation" in document.value:
            check_correlation(document)
    referenced = check_references(documents)
    if all("filter" in document.value for document in documents):
        raise documents[0].fault("sigma-no-rule", "the text holds filters but no rule.")
    return parse_documents(documents), referenced


def _gather(documents: Sequence[YamlDocument], key: str) -> tuple[str, ...]:
    return tuple(document.value[key] for document in documents if key in document.value)


def _label(documents: Sequence[YamlDocument]) -> Tlp | None:
    found = []
    for document in documents:
        for position, tag in enumerate(document.value.get("tags", ())):
            if not tag.startswith("tlp."):
                continue
            if tag not in _TLP_TAGS:
                raise document.fault("sigma-tlp-tag", f"{shown(tag)} is no TLP label.", ("tags", position))
            found.append(_TLP_TAGS[tag])
    return max(found) if found else None


def named_fields(item: ParsedDocument) -> set[str]:
    """Return every field that a document names: in conditions, groups, aliases, and as what is measured."""
    fields = {field for condition in item.conditions for field in fields_of(condition)}
    correlation = item.document.value.get("correlation", {})
    aliases = correlation.get("aliases", {})
    fields.update(field for field in correlation.get("group-by", ()) if field not in aliases)
    fields.update(field for mapping in aliases.values() for field in mapping.values())
    condition = correlation.get("condition")
    if isinstance(condition, Mapping) and "field" in condition:
        fields.add(condition["field"])
    return fields


def _matches(document: YamlDocument) -> Iterator[FieldMatch]:
    """Every selection counts, also one that no condition uses."""
    for kind, reserved in (("detection", {"condition"}), ("filter", {"condition", "rules"})):
        selections = [value for name, value in document.value.get(kind, {}).items() if name not in reserved]
        location = _location(document, (kind,))
        fields = {field for selection in selections for field in literal_fields_of(selection)}
        yield from (FieldMatch(location, field) for field in sorted(fields))


def _features(item: ParsedDocument) -> RuleFeatures:
    path = ("detection", "condition")
    try:
        branches = frozenset[Branch]().union(*(branches_of(condition) for condition in item.conditions))
    except TooManyBranchesError:
        raise item.document.fault(
            "sigma-condition-too-complex", "the condition has too many alternatives.", path
        ) from None
    return RuleFeatures(_location(item.document, path), branches)


def _texts(document: YamlDocument) -> Iterator[tuple[str, str]]:
    """Every text, and every key that is not the specification's own."""
    for path, text, is_key, place in document.texts():
        if not is_key or len(path) > 1 or text not in RULE_KEYS:
            yield _located(document, place, path), text


def _location(document: YamlDocument, path: Path) -> str:
    return _located(document, document.place(path), path)


def _located(document: YamlDocument, place: str, path: Path) -> str:
    # Each step is cut first: a long key stands above many values.
    steps = "/".join(str(step)[:MAX_SHOWN_PATH_CHARS] for step in path)
    return f"document {document.number}, {place} ({steps[:MAX_SHOWN_PATH_CHARS]})"


def _warnings(document: YamlDocument) -> Iterator[str]:
    value = document.value
    place = f"document {document.number}: "
    if "id" not in value:
        yield place + "no `id`, so nobody can refer to this rule."
    logsource = value.get("logsource", {})
    if any(text != text.lower() for key, text in logsource.items() if key != "definition"):
        yield place + "log source values are lower case by convention."
    if "filter" not in value and not value.get("falsepositives") and "level" in value:
        yield place + "no `falsepositives`: which benign use does it confuse?"
    yield from (place + warning for warning in _unused_selections(value))


def _unused_selections(value: Mapping[str, Any]) -> Iterator[str]:
    detection = value.get("detection", {})
    conditions = detection.get("condition", [])
    words = {
        word
        for condition in (conditions if isinstance(conditions, list) else [conditions])
        for word in _WORD.findall(condition)
    }
    if "them" in words:
        return
    prefixes = tuple(word.split("*", 1)[0] for word in words if "*" in word)
    for name in detection:
        if name != "condition" and name not in words and not (prefixes and name.startswith(prefixes)):
            yield f"the selection {shown(name)} is not used by the condition."
