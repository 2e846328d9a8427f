"""The command `ranges`: a file of networks to signed objects, with a report per line, and on to the node if asked.

The reading and the objects are attribution's; here are options, files, signing and words.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from exchange.labtool.answers import Result
from exchange.labtool.client import NodeClient
from exchange.labtool.errors import DataError, UsageError
from exchange.labtool.files import write_file
from exchange.labtool.key_files import KeyFile
from exchange.labtool.keygen import to_bytes
from exchange.labtool.normalise import changes_by_stix2
from exchange.labtool.output import Output
from exchange.labtool.pulling import utc_now
from exchange.stix.checks import check_object
from exchange.stix.errors import ObjectInvalidError
from exchange.stix.identifiers import is_identifier
from exchange.stix.keys import SigningKey, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from exchange.stix.signature import sign
from exchange.stix.timestamps import format_stix

if TYPE_CHECKING:
    from attribution.addresses import Net
    from attribution.ranges.range_files import Line, Remark

MAX_REMARKS: Final = 1_000
"""Shown; all of them are counted."""

MAX_OVERLAPS: Final = 20
PROGRESS_LINES: Final = 50_000


@dataclass(slots=True)
class Imported:
    """What a file held. refused: lines that were left out. overlaps: networks within others, counted and some shown."""

    lines: list[Line] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    refused: int = 0
    changed: int = 0
    overlapping: int = 0
    overlaps: list[tuple[Net, Net]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "taken": len(self.lines),
            "refused": self.refused,
            "changed": self.changed,
            "lines": [{"line": each.number, "refused": each.is_refused, "detail": each.text} for each in self.remarks],
            "overlapping": self.overlapping,
            "overlaps": [{"net": str(net), "within": str(around)} for net, around in self.overlaps],
        }

    def to_lines(self) -> Iterator[str]:
        """The report for people."""
        for each in self.remarks:
            yield f"line {each.number}: {'refused: ' if each.is_refused else ''}{each.text}"
        rest = self.refused + self.changed - len(self.remarks)
        if rest:
            yield f"and {rest} lines more"
        for net, around in self.overlaps:
            yield f"overlap: {net} is listed twice" if net == around else f"overlap: {net} lies within {around}"
        if self.overlapping > len(self.overlaps):
            yield f"and {self.overlapping - len(self.overlaps)} overlaps more"
        yield f"{len(self.lines)} networks taken, {self.refused} lines refused, {self.changed} with a remark"


def add_ranges(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("file", metavar="FILE", help="CSV with a head, or one network a line; - is stdin")
    parser.add_argument("--marking", required=True, metavar="LABEL", help="TLP label of the objects, such as green")
    parser.add_argument("--distribution", metavar="ID", help="id of your distribution marking, for AMBER and stricter")
    parser.add_argument("--key", required=True, type=Path, metavar="FILE", help="your signing key")
    parser.add_argument("--name", metavar="TEXT", help="name of the objects; default: the file's. The same name again "
                        "makes new versions of the same objects")  # fmt: skip
    parser.add_argument("--kind", default="other", metavar="KIND", help="of lines that name none (other)")
    parser.add_argument("--max-width", type=int, metavar="BITS", help="the shortest IPv4 prefix that is taken (8)")
    parser.add_argument("--max-width-ipv6", type=int, metavar="BITS", help="the same for IPv6 (19)")
    parser.add_argument("--parts", type=int, default=1, metavar="N", help="as many objects at least, a power of two; "
                        "--publish asks the node how many there are")  # fmt: skip
    parser.add_argument("--to", type=Path, metavar="FILE", help="where the signed objects go; default: stdout")
    parser.add_argument("--publish", action="store_true", help="publish them at the node instead")
    parser.add_argument(
        "--lab-identity", metavar="ID|FILE", help="your identity; default: identity.json beside the key"
    )


def import_ranges(
    options: Namespace, key_file: KeyFile, lab: str | None, client: NodeClient | None, output: Output
) -> bool:
    """Do what the command says; whether every line was taken and every object accepted.

    client: the node to publish at, None for a file.

    Raises: UsageError, DataError, and what the client raises.
    """
    _check(options, lab)
    imported = read_file_of_ranges(options, output)
    if not imported.lines:
        output.answer(imported.to_json(), imported.to_lines())
        raise DataError("there is no network in this file")
    signed = _signed(imported, options, key_file, lab or "", client, output)
    if client is not None:
        results = client.publish(signed, on_batch=lambda count: output.progress(f"{count} of {len(signed)} published"))
        _say(imported, output, results)
        return not imported.refused and all(result.is_accepted for result in results)
    body = b"[" + b",\n".join(signed) + b"]\n"
    if options.to is not None:
        write_file(options.to, body)
        _say(imported, output, [])
    else:
        for line in imported.to_lines():
            output.note(line)
        output.data(body)
    return not imported.refused


def read_file_of_ranges(options: Namespace, output: Output) -> Imported:
    """Read the file, with progress. Raises: DataError, UsageError."""
    from attribution.ranges.overlaps import overlaps_in
    from attribution.ranges.range_files import Line, Rules, read_ranges

    imported = Imported()
    try:
        with opened(options.file) as file:
            for found in read_ranges(bounded_lines(file), Rules(options.kind, _widths(options))):
                if isinstance(found, Line):
                    imported.lines.append(found)
                    if len(imported.lines) % PROGRESS_LINES == 0:
                        output.progress(f"{len(imported.lines):,} networks read")
                    continue
                imported.refused += found.is_refused
                imported.changed += not found.is_refused
                if len(imported.remarks) < MAX_REMARKS:
                    imported.remarks.append(found)
    except ObjectInvalidError as error:
        raise DataError(f"{options.file}: {error.message}") from None
    except OSError as error:
        raise DataError(f"cannot read {options.file}: {error.strerror}") from None
    overlaps = overlaps_in(line.net for line in imported.lines)
    imported.overlaps = list(islice(overlaps, MAX_OVERLAPS))
    imported.overlapping = len(imported.overlaps) + sum(1 for _ in overlaps)
    return imported


def opened(name: str) -> IO[bytes]:
    """A file, or stdin for `-`, as bytes. Raises: OSError."""
    return sys.stdin.buffer if name == "-" else Path(name).open("rb")


def bounded_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file; of one that is too long, so much that whoever reads it sees that."""
    from attribution.ranges.range_files import MAX_LINE_BYTES

    while line := file.readline(MAX_LINE_BYTES + 2):
        yield line
        while len(line) == MAX_LINE_BYTES + 2 and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES + 2)


def _signed(
    imported: Imported, options: Namespace, key_file: KeyFile, lab: str, client: NodeClient | None, output: Output
) -> list[bytes]:
    from attribution.ranges.importing import Wanted, objects_of

    name = options.name or Path(options.file).stem
    marking_refs = [Tlp.parse(options.marking).marking_id] + ([options.distribution] if options.distribution else [])
    parts = max(options.parts, 1 if client is None else _parts_at_node(client, lab, name))
    moment = utc_now()
    objects = objects_of(imported.lines, Wanted(lab, name, tuple(marking_refs), parts), modified=format_stix(moment))
    signed = []
    for number, members in enumerate(objects):
        signed.append(_sign(members, key_file.key, moment))
        output.progress(f"{number + 1} of {len(objects)} objects signed")
    return signed


def _sign(members: dict[str, Any], key: SigningKey, moment: datetime) -> bytes:
    """Check and sign one object as `sign` does, but for the time that stix2 takes to copy ten thousand networks.

    stix2 passes what stands in extensions on as it is, so one network shows as much as all of them.
    """
    if key.use != "sig":
        raise DataError("a root key signs identities only; use the signing key")
    changes = changes_by_stix2({**members, "extensions": _with_one_range(members.get("extensions", {}))})
    if changes:
        raise DataError(f"{changes[0]} in stix2, which would break the signature")
    check_object(read_object(to_bytes(members)))
    return to_bytes(sign(members, key, unix_seconds(moment)))


def _with_one_range(extensions: dict[str, Any]) -> dict[str, Any]:
    return {id_: {**each, "ranges": each["ranges"][:1]} for id_, each in extensions.items()}


def _parts_at_node(client: NodeClient, lab: str, name: str) -> int:
    """As many objects of this name as the node has: the last of them is there if there are as many."""
    from attribution.ranges.importing import MAX_PARTS, id_of

    parts = 1
    while parts < MAX_PARTS and client.get_object(id_of(lab, name, 2 * parts - 1)):
        parts *= 2
    return parts


def _say(imported: Imported, output: Output, results: list[Result]) -> None:
    statuses = Counter(result.status for result in results)
    failed = [result for result in results if not result.is_accepted]
    lines = [*imported.to_lines(), *(f"{count} objects {status}" for status, count in sorted(statuses.items()))]
    for result in failed:
        detail = "" if result.error is None else f"{result.error.pointer} {result.error.detail}"
        lines.append(f"failed {result.id}: {detail}")
    answer = imported.to_json() | {
        "objects": [{"id": result.id, "version": result.version, "status": result.status} for result in results]
    }
    output.answer(answer, lines)


def _check(options: Namespace, lab: str | None) -> None:
    """Refuse what makes no sense. Raises: UsageError."""
    from attribution.ranges.importing import MAX_PARTS

    if lab is None:
        raise UsageError("whose networks are these? keep identity.json beside the key, or give --lab-identity")
    if options.distribution is not None and not is_identifier(options.distribution):
        raise UsageError("--distribution takes the id of a marking-definition")
    if not 1 <= options.parts <= MAX_PARTS or options.parts & (options.parts - 1):
        raise UsageError(f"--parts takes a power of two up to {MAX_PARTS}")
    if options.name is None and options.file == "-":
        raise UsageError("--name is needed where the file has none")
    if getattr(options, "json", False) and not options.publish and options.to is None:
        raise UsageError("--json needs --to FILE or --publish: stdout is for the objects else")


def _widths(options: Namespace) -> dict[int, int]:
    from attribution.ranges.range_files import DEFAULT_MAX_WIDTH

    widths = dict(DEFAULT_MAX_WIDTH)
    for version, bits, most in ((4, options.max_width, 32), (6, options.max_width_ipv6, 128)):
        if bits is not None:
            if not 0 <= bits <= most:
                raise UsageError(f"a prefix of IPv{version} has from 0 to {most} bits")
            widths[version] = bits
    return widths
