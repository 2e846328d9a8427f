"""What OpenAPI says of the door's parameters and refusals. Bodies and answers stand in components.json.

Nothing is parsed here: views read their parameters themselves, and tests hold a real node against this.
"""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from exchange.api.filters import MAX_WORDS_CHARS, ORDERS, STATES
from exchange.api.problems import MEDIA_TYPE
from exchange.api.publication import MEDIA_TYPES as PUBLICATION_TYPES
from exchange.api.schemas import answers
from exchange.services.query.history import MAX_VERSIONS
from exchange.stix.facets import MAX_TAG_CHARS

Problems = dict[tuple[int, str], OpenApiResponse]


def _problems(**refusals: str) -> Problems:
    return {(int(status[1:]), MEDIA_TYPE): answers("Problem", text) for status, text in refusals.items()}


PROBLEMS: Final = _problems(
    _400="A parameter is malformed, repeated or unknown.",
    _401="No token, or one that is not valid.",
    _406="The client takes no JSON.",
    _429="Too many requests; come again after Retry-After seconds.",
    _503="A part that the node needs does not answer, or not in time; try again.",
)
"""What every operation may answer."""

NAMED_PROBLEMS: Final = PROBLEMS | _problems(_404="Absent, or not for you: the two look the same.")
READ_PROBLEMS: Final = NAMED_PROBLEMS | _problems(_403="You may know of the collection, and may not read it.")
MEMBER_PROBLEMS: Final = NAMED_PROBLEMS | _problems(_403="The token may not do this.")
DELETE_PROBLEMS: Final = MEMBER_PROBLEMS | _problems(_409="Other things rest on it, or it is settled.")
BODY_PROBLEMS: Final = _problems(
    _408="The body did not arrive in time.",
    _409="In conflict with what is stored, or the first request with this Idempotency-Key is at work.",
    _413="The body, or every object in it, is too large.",
    _415="Another media type or content coding is expected.",
    _422="Refused as a whole, every object was refused, or the Idempotency-Key came with another request.",
)
WRITE_PROBLEMS: Final = MEMBER_PROBLEMS | BODY_PROBLEMS

EVENTS_PROBLEMS: Final = MEMBER_PROBLEMS | _problems(_429="Your lab follows by as many streams as it may.")

_STIX_ID_FORM: Final = "[a-z0-9-]{1,250}--[0-9a-f-]{36}"
_TIME_FORM: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z"
_DATE_FORM: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z"
_LABEL_FORM: Final = "TLP:(CLEAR|GREEN|AMBER|AMBER\\+STRICT|RED)"
_VALUE_FORM: Final = f"[^,\\x00-\\x1f\\x7f]{{1,{MAX_TAG_CHARS}}}"


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _line(most: int) -> dict[str, Any]:
    """A text without control characters."""
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": "^[^\\x00-\\x1f\\x7f]+$"}


def _listed(pattern: str) -> dict[str, Any]:
    """Values separated by commas."""
    return _text(f"{pattern}(,{pattern})*")


def _time(pattern: str) -> dict[str, Any]:
    return {**_text(pattern), "format": "date-time"}


def query(name: str, schema: dict[str, Any], description: str, example: str = "") -> OpenApiParameter:
    """A parameter of the query string."""
    # drf-spectacular makes lists of examples under OpenAPI 3.1, so the example stands in the schema.
    examples = {"examples": [example]} if example else {}
    return OpenApiParameter(name, {**schema, **examples}, description=description)


STIX_ID: Final = OpenApiParameter(
    "stix_id",
    {"type": "string", "minLength": 1, "examples": ["indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"]},
    OpenApiParameter.PATH,
    description="Id of a STIX object.",
)
SLUG: Final = OpenApiParameter(
    "slug",
    {"type": "string", "minLength": 1, "examples": ["aurora"]},
    OpenApiParameter.PATH,
    description="Slug of a lab or node.",
)
PREFIX: Final = OpenApiParameter(
    "prefix",
    {"type": "string", "minLength": 1, "examples": ["cwt_4f1d2a9c"]},
    OpenApiParameter.PATH,
    description="Prefix of a token: its public part.",
)
WEBHOOK_ID: Final = OpenApiParameter(
    "public_id",
    {"type": "string", "minLength": 1, "examples": ["7d3f0f5e-6a4b-4f0e-9d0a-2f6f3c1b8a55"]},
    OpenApiParameter.PATH,
    description="Id of a webhook.",
)
LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
_CURSOR: Final = query(
    "cursor", {"type": "string", "minLength": 1}, "`next` of the page before, with the same filters."
)
_PRODUCER: Final = "[-a-zA-Z0-9_]{1,64}"

LIST_PARAMETERS: Final = [
    query(
        "collection",
        {"type": "string", "minLength": 1},
        "Id or alias, `root/alias` in another API root; the view `all` if left out.",
        "signatures",
    ),
    query(
        "q",
        {"type": "string", "minLength": 1, "maxLength": MAX_WORDS_CHARS},
        "Words in names, descriptions, patterns, labels, external ids and playbooks, in English: all of them; "
        "`or` between alternatives, `-` before what must not be there, quotes around a phrase.",
        '"template family" -relay',
    ),
    query("type", _listed("[a-z0-9-]{1,250}"), "Types of STIX objects.", "indicator"),
    query("id", _listed(_STIX_ID_FORM), "Ids of STIX objects.", "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"),
    query("producer", _listed(_PRODUCER), "Slugs of labs and nodes.", "aurora"),
    query("label", _listed(_LABEL_FORM), "TLP labels; `+` is `%2B` in a query.", "TLP:GREEN"),
    query("marking", _listed(_STIX_ID_FORM), "Ids of marking definitions that the object carries."),
    query("state", _listed(f"({'|'.join(STATES)})"), "States of objects.", "current,disputed"),
    query("revoked", {"type": "boolean"}, "Only what is revoked, or only what is not."),
    query("pattern_type", _listed(_VALUE_FORM), "Types of patterns of indicators.", "sigma"),
    query("labels", _listed(_VALUE_FORM), "Labels of STIX objects."),
    query("external_id", _listed(_VALUE_FORM), "Ids in external references, as written there.", "AML.T0024"),
    query("refers_to", _listed(_STIX_ID_FORM), "Ids of objects that the object names, in any property."),
    query("valid_at", _time(_TIME_FORM), "Indicators that are valid then.", "2026-11-24T12:00:00Z"),
    query("modified_after", _time(_TIME_FORM), "Versions strictly later than this.", "2026-11-01T00:00:00Z"),
    query("modified_before", _time(_TIME_FORM), "Versions strictly earlier than this."),
    query("added_after", _time(_DATE_FORM), "Added here strictly later than this.", "2026-11-01T00:00:00Z"),
    query("added_before", _time(_DATE_FORM), "Added here strictly earlier than this."),
    query("order", {"type": "string", "enum": list(ORDERS)}, "By date_added: `oldest` first, if left out."),
    query("limit", LIMIT, "Objects a page; that of the collection at most."),
    _CURSOR,
]
_LAST_EVENT: Final = {"type": "string", "minLength": 1, "maxLength": 1_024}
EVENTS_PARAMETERS: Final = [
    *(each for each in LIST_PARAMETERS if each.name in {"collection", "type", "added_after"}),
    query("last_event_id", _LAST_EVENT, "`id` of the last event, for clients that cannot set the header."),
    OpenApiParameter("Last-Event-ID", _LAST_EVENT, OpenApiParameter.HEADER, description="`id` of the last event."),
]
VERSIONS_PARAMETERS: Final = [
    STIX_ID,
    query("producer", _text(_PRODUCER), "Slug of a lab or node; all that have an object of this id if left out."),
    query("limit", LIMIT, f"Versions a page; {MAX_VERSIONS} at most."),
    _CURSOR,
]
DIFFERENCE_PARAMETERS: Final = [
    STIX_ID,
    query("from", _time(_TIME_FORM), "A version; the one before `to` if left out.", "2026-11-01T00:00:00.000Z"),
    query("to", _time(_TIME_FORM), "A version; the latest if left out.", "2026-11-02T00:00:00.000Z"),
    query("producer", _text(_PRODUCER), "Slug of a lab or node; needed where several have an object of this id."),
]
IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$", "examples": ["a-name-of-your-own"]},
    OpenApiParameter.HEADER,
    description="Keeps the answer for 24 h: the same request with the same key is answered the same.",
)
_DRY_RUN: Final = query("dry_run", {"type": "boolean"}, "Check everything, store nothing.")
SIGN: Final = query("sign", {"type": "boolean"}, "Have the node sign with the key that it holds for you.")
PUBLISH_PARAMETERS: Final = [
    _DRY_RUN,
    SIGN,
    query(
        "collection",
        {"type": "string", "minLength": 1},
        "Id or alias, `root/alias` in another API root; by type if left out.",
    ),
    IDEMPOTENCY_KEY,
]
_UUID_FORM: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MARKING: Final = query(
    "marking", _text(_LABEL_FORM), "TLP label of the objects; that of what they carry if left out.", "TLP:GREEN"
)
_DISTRIBUTIONS: Final = query(
    "distribution", _listed(f"marking-definition--{_UUID_FORM}"), "Ids of your distribution markings."
)
PLAYBOOK_PARAMETERS: Final = [
    _MARKING,
    _DISTRIBUTIONS,
    query(
        "mitigates",
        _listed(f"(attack-pattern|indicator)--{_UUID_FORM}"),
        "Ids of what the playbook mitigates; a relationship is made for each.",
        "attack-pattern--3f567912-629a-5e0b-ab0c-0102977c2d6c",
    ),
    query(
        "abstraction",
        {"type": "string", "enum": ["template", "executable"]},
        "Whether it has to be adapted before it can run; `template` if left out.",
    ),
    query(
        "modified",
        _time(_TIME_FORM),
        "Version of the course-of-action; that of the playbook if left out. A signature more is no new version of it.",
    ),
    _DRY_RUN,
    SIGN,
    IDEMPOTENCY_KEY,
]
_WORDS: Final = _listed("[a-z0-9-]{1,100}")
SIGNATURE_PARAMETERS: Final = [
    _MARKING,
    _DISTRIBUTIONS,
    query(
        "id",
        _text(f"indicator--{_UUID_FORM}"),
        "Your indicator of which this is the next version; left out, a Sigma rule goes by its own `id`.",
    ),
    query("name", _line(300), "Name of the indicator; the title of the rule if left out. A STIX pattern needs one."),
    query("description", _line(4_000), "What it is for; that of the rule and its false positives if left out."),
    query("indicator_types", _WORDS, "Of indicator-type-ov; `anomalous-activity` if left out.", "anomalous-activity"),
    query("confidence", {"type": "integer", "minimum": 0, "maximum": 100}, "On the scale of STIX.", "60"),
    query("phases", _WORDS, "Of the kill chain of ATLAS; those of the techniques if left out.", "exfiltration"),
    query(
        "techniques",
        _listed("AML\\.T[0-9]{4}(\\.[0-9]{3})?"),
        "Of ATLAS, beside those that tags of the rule name, such as `atlas.aml-t0024-002`.",
        "AML.T0024.002",
    ),
    query("valid_from", _time(_TIME_FORM), "Now, or that of the version before, if left out."),
    query("valid_until", _time(_TIME_FORM), "After 90 days if left out."),
    query(
        "indicates",
        _listed(f"(attack-pattern|campaign|infrastructure|intrusion-set|threat-actor|tool)--{_UUID_FORM}"),
        "Ids of what it indicates beside its techniques; a relationship is made for each.",
    ),
    _DRY_RUN,
    SIGN,
    IDEMPOTENCY_KEY,
]
ONE_CARRIER_PARAMETERS: Final = [
    STIX_ID,
    query("producer", _text(_PRODUCER), "Slug of a lab or node; needed where several have an object of this id."),
]

__all__ = [
    "BODY_PROBLEMS",
    "DELETE_PROBLEMS",
    "DIFFERENCE_PARAMETERS",
    "IDEMPOTENCY_KEY",
    "LIMIT",
    "LIST_PARAMETERS",
    "MEMBER_PROBLEMS",
    "NAMED_PROBLEMS",
    "ONE_CARRIER_PARAMETERS",
    "PLAYBOOK_PARAMETERS",
    "PREFIX",
    "PROBLEMS",
    "PUBLICATION_TYPES",
    "PUBLISH_PARAMETERS",
    "READ_PROBLEMS",
    "SIGN",
    "SIGNATURE_PARAMETERS",
    "SLUG",
    "STIX_ID",
    "VERSIONS_PARAMETERS",
    "WRITE_PROBLEMS",
    "query",
]
