"""Looks up account identifiers without telling anybody which: evaluates them blinded, pulls, matches at home.

The issuer learns how many values were asked for, the node that selectors were pulled: docs/selectors.md says what that
gives away. A match is named by its line, never by its value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from attribution.issuing.statements import Epoch, Statement
from exchange.labtool.answers import printable
from exchange.labtool.client import NodeClient
from exchange.labtool.errors import DataError
from exchange.labtool.identifiers_reading import Identifier, read_identifiers
from exchange.labtool.issuer import IssuerError, evaluate, read_statement
from exchange.labtool.judging import Verdict
from exchange.labtool.output import Output
from exchange.labtool.pins import Pins
from exchange.labtool.pulling import pull, utc_now
from exchange.labtool.verifying import verify_paths
from exchange.stix.errors import StixError
from exchange.stix.extensions import Selector, check_extensions
from exchange.stix.fixed import SELECTOR_EXTENSION
from exchange.stix.markings import label_of

COLLECTION: Final = "attribution"


@dataclass(frozen=True, slots=True)
class PrivateLookup:
    """What is asked for. identifiers: by line. folder: where pulled selectors stay for the next time; None: nowhere."""

    identifiers: Mapping[int, Identifier] = field(repr=False)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A line that a lab published a selector of. lab: its pinned name. id: of the account."""

    line: int
    kind: str
    lab: str
    id: str
    epoch: str
    label: str


def run_private_lookup(body: bytes, folder: Path | None, client: NodeClient, pins: Pins, output: Output) -> bool:
    """Look up a list of identifiers and say what was found; whether every line was taken.

    Raises:
        LabToolError: as `look_up_privately`; DataError: no line is an identifier.
    """
    listing = read_identifiers(body)
    for number, fault in listing.faults.items():
        output.note(f"line {number}: {fault}")
    if not listing.identifiers:
        raise DataError("there is no identifier to look up")
    matches = look_up_privately(PrivateLookup(listing.identifiers, folder), client, pins, output)
    lines = [*match_lines(matches), _summary(matches, len(listing.identifiers))]
    output.answer({"matches": [asdict(each) for each in matches], "asked": len(listing.identifiers)}, lines)
    return not listing.faults


def look_up_privately(request: PrivateLookup, client: NodeClient, pins: Pins, output: Output) -> list[Match]:
    """The matches by line. Every open epoch is asked about, so each value counts once for each of them.

    Raises:
        LabToolError: the node cannot be reached, refuses, or cannot be believed.
    """
    statement = read_statement(client, pins, utc_now())
    if not statement.open_epochs():
        raise IssuerError("the issuer has no open epoch: its operator has to begin one")
    wanted = _evaluated(request, client, statement, output)
    if request.folder is not None:
        return _matches(request.folder, wanted, client, pins, statement.issuer, output)
    with TemporaryDirectory(prefix="commonwatch-") as folder:
        return _matches(Path(folder) / "pulled", wanted, client, pins, statement.issuer, output)


def match_lines(matches: Iterable[Match]) -> Iterator[str]:
    """The matches for people."""
    for each in matches:
        yield f"line {each.line}  {each.kind}  {printable(each.lab)}  {each.label}  {each.id}  epoch {each.epoch}"


def _summary(matches: Sequence[Match], asked: int) -> str:
    """How many are shared, and by whom: also the asking lab's own are among them."""
    labs = Counter(lab for _line, lab in {(each.line, each.lab) for each in matches})
    shared = len({each.line for each in matches})
    by_whom = ", ".join(f"{count} by {printable(lab)}" for lab, count in sorted(labs.items()))
    return f"{shared} of {asked} are shared" + (f": {by_whom}" if by_whom else "")


_Wanted = dict[tuple[str, str, str], int]


def _evaluated(request: PrivateLookup, client: NodeClient, statement: Statement, output: Output) -> _Wanted:
    """Line by epoch, kind and selector."""
    inputs = [identifier.input for identifier in request.identifiers.values()]

    def outputs_of(epoch: Epoch) -> list[bytes]:
        return evaluate(
            client,
            epoch,
            inputs,
            on_batch=lambda count: output.progress(f"{count} of {len(inputs)} evaluated in {epoch.name}"),
        )

    return {
        (epoch.name, identifier.kind, selector.hex()): line
        for epoch in statement.open_epochs()
        for (line, identifier), selector in zip(request.identifiers.items(), outputs_of(epoch), strict=True)
    }


def _matches(folder: Path, wanted: _Wanted, client: NodeClient, pins: Pins, issuer: str, output: Output) -> list[Match]:
    report = pull(
        client.feed(),
        folder,
        pins,
        collection=COLLECTION,
        on_page=lambda page: output.progress(f"{page.received} pulled"),
    )
    if report.quarantined:
        output.note(f"{report.quarantined} objects do not follow from your pins and were not matched")
    if report.stopped:
        output.note(f"not everything was pulled: {report.stopped}")
    judged = verify_paths([folder], pins, now=utc_now())
    found = {match for each in judged if (match := _match_of(each.verdict, wanted, issuer)) is not None}
    return sorted(found, key=lambda each: (each.line, each.lab, each.id))


def _match_of(verdict: Verdict, wanted: _Wanted, issuer: str) -> Match | None:
    """What a verified object says of the values, if it is a selector of this issuer and one of them."""
    members = verdict.members
    if not verdict.is_ok or members is None or members.get("type") != "user-account":
        return None
    try:
        selector = check_extensions(members).get(SELECTOR_EXTENSION)
        label = label_of(members)
    except StixError:
        return None
    if not isinstance(selector, Selector) or selector.issuer != issuer:
        return None
    line = wanted.get((selector.epoch, selector.kind, str(members["user_id"])))
    if line is None:
        return None
    shown = "" if label is None else label.label
    return Match(line, selector.kind, verdict.lab or "", str(verdict.id), selector.epoch, shown)
