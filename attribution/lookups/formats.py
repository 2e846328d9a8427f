"""Lists of networks as other software reads them: JSON lines, nginx, Envoy, nftables. Pure.

Each list says in its head who may have it, and beside each network who claims it, in which state, and until when. What
is disputed is listed apart: nothing may be blocked because of it alone (docs/sharing.md). So is what operators protect:
it is not to be blocked at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from attribution.addresses import Net
from attribution.lookups.matches import DO_NOT_BLOCK
from attribution.protection.shield import Mark, Shield
from exchange.stix.timestamps import format_stix

DISPUTED: Final = "disputed"
LISTED: Final = "listed"
PROTECTED: Final = "protected"

MAX_SHOWN_CLAIMS: Final = 5
"""Beside one network; the JSON lines have all of them."""

Names = Iterable[Mapping[str, Any]]
Entry = tuple[Net, list[dict[str, Any]]]
"""A network and its matches, one at least; entries come in ascending order, wide before narrow."""


@dataclass(frozen=True, slots=True)
class Head:
    """label: the strictest of what is listed. lab: of the reader that it is for."""

    label: str
    lab: str
    made: datetime

    @property
    def words(self) -> str:
        """One line for a comment."""
        return f"{self.label} - commonwatch, networks in sight of {self.lab} at {format_stix(self.made)}"


def state_of(matches: Iterable[Mapping[str, Any]]) -> str:
    """`disputed` where every claim about a network is."""
    return DISPUTED if all(each["state"] == DISPUTED for each in matches) else LISTED


def as_jsonl(head: Head, entries: Iterable[Entry], names: Names, shield: Shield) -> Iterator[str]:
    """The head, what is protected, each claim about a network, then each about a name, in a line each."""
    yield _line({"tlp": head.label, "lab": head.lab, "made": format_stix(head.made)})
    for net, mark in shield:
        yield _line({"net": str(net), DO_NOT_BLOCK: mark.to_json()})
    for _, matches in entries:
        for match in matches:
            yield _line(match)
    for name in names:
        yield _line(name)


def as_nginx(head: Head, entries: Iterable[Entry], _names: Names, shield: Shield) -> Iterator[str]:
    """For `include` in a `geo` block, where the narrowest network counts: `listed`, `disputed` or `protected`."""
    yield f"# {head.words}\n"
    protected = dict(shield)
    for net, mark in protected.items():
        yield f"{net} {PROTECTED}; # {_reason(mark)}\n"
    for net, matches in entries:
        # nginx takes a network once.
        value = f"# {net} {PROTECTED};" if net in protected else f"{net} {_value(net, matches, shield)};"
        yield f"{value} # {_words(matches)}\n"


def as_nft(head: Head, entries: Iterable[Entry], _names: Names, shield: Shield) -> Iterator[str]:
    """A table of six sets for `nft -f`. A network within another of its set is left out, as the set has it already.

    A rule asks `protected` first: networks of the others may contain what is protected.
    """
    yield f"# {head.words}\ntable inet commonwatch {{\n"
    by_state: dict[str, list[tuple[Net, str]]] = {PROTECTED: [(net, _reason(mark)) for net, mark in shield]}
    for net, matches in entries:
        value = _value(net, matches, shield)
        if value != PROTECTED:
            by_state.setdefault(value, []).append((net, _words(matches)))
    for version, type_ in ((4, "ipv4_addr"), (6, "ipv6_addr")):
        for state in (PROTECTED, LISTED, DISPUTED):
            yield f"  set {state}{version} {{\n    type {type_}\n    flags interval\n"
            chosen = _outermost(each for each in by_state.get(state, ()) if each[0].version == version)
            lines = [f"      {net}, # {words}\n" for net, words in chosen]
            yield "    elements = {\n" + "".join(lines) + "    }\n" if lines else ""
            yield "  }\n"
    yield "}\n"


def as_envoy(head: Head, entries: Iterable[Entry], _names: Names, shield: Shield) -> Iterator[str]:
    """The IP tagging filter (its v3 API) and metadata, as one JSON document: Envoy's JSON has no comments.

    A tag is the state and the kind, such as `listed-proxy`; an address may have several, and `protected` beside them.
    `metadata` is for the route or listener that the filter stands in.
    """
    tags: dict[str, list[dict[str, Any]]] = {}
    claims: dict[str, str] = {}
    for net, mark in shield:
        tags.setdefault(PROTECTED, []).append(_prefix(net))
        claims[str(net)] = _reason(mark)
    for net, matches in entries:
        prefix = _prefix(net)
        for kind in sorted({each["kind"] or "unnamed" for each in matches}):
            tags.setdefault(f"{state_of(matches)}-{kind}", []).append(prefix)
        claims[str(net)] = " | ".join(filter(None, [claims.get(str(net)), _words(matches)]))
    yield _line(
        {
            "metadata": {"filter_metadata": {"commonwatch": {"head": head.words, "claims": claims}}},
            "http_filter": {
                "name": "envoy.filters.http.ip_tagging",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.ip_tagging.v3.IPTagging",
                    "request_type": "BOTH",
                    "ip_tags": [{"ip_tag_name": tag, "ip_list": nets} for tag, nets in sorted(tags.items())],
                },
            },
        }
    )


FORMATS: Final[Mapping[str, Callable[[Head, Iterable[Entry], Names, Shield], Iterator[str]]]] = {
    "jsonl": as_jsonl,
    "nginx": as_nginx,
    "envoy": as_envoy,
    "nft": as_nft,
}


def _value(net: Net, matches: Iterable[Mapping[str, Any]], shield: Shield) -> str:
    return PROTECTED if shield.covers(net) else state_of(matches)


def _prefix(net: Net) -> dict[str, Any]:
    return {"address_prefix": str(net).partition("/")[0], "prefix_len": net.length}


def _outermost(entries: Iterable[tuple[Net, str]]) -> Iterator[tuple[Net, str]]:
    last = -1
    for net, words in entries:
        if net.last > last:
            last = net.last
            yield net, words


def _reason(mark: Mark) -> str:
    return f"not to be blocked: {mark.reason} until={format_stix(mark.until)}"


def _words(matches: list[dict[str, Any]]) -> str:
    """Claims as a comment. Every part is of a form that has no line break and no brace."""
    shown = [
        f"{each['id']} by {each['lab']} {each['state']} kind={each['kind'] or '-'} weight={each['weight']}"
        f" until={each['valid_until'] or '-'}"
        for each in matches[:MAX_SHOWN_CLAIMS]
    ]
    more = len(matches) - MAX_SHOWN_CLAIMS
    return " | ".join(shown) + (f" | and {more} more" if more > 0 else "")


def _line(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE).decode()
