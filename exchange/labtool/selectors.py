"""Makes selectors of a lab's account identifiers, or makes them again in a new epoch, and signs or publishes them.

The identifiers stay here: they go into the file of values, blinded to the issuer, and nowhere else.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from attribution.issuing.statements import Statement
from exchange.labtool.client import NodeClient
from exchange.labtool.configuration import Configuration
from exchange.labtool.errors import DataError, UsageError
from exchange.labtool.identifiers_reading import Identifier, read_identifiers
from exchange.labtool.inputs import open_key_file, read_input
from exchange.labtool.issuer import IssuerError, evaluate, read_statement
from exchange.labtool.key_files import identity_beside
from exchange.labtool.keygen import to_bytes
from exchange.labtool.output import Output
from exchange.labtool.pins import read_pins
from exchange.labtool.pulling import utc_now
from exchange.labtool.selector_objects import Issuing, objects_for, pool_for
from exchange.labtool.selector_values import FILE_NAME, Values, read_values, write_values
from exchange.labtool.signing import CannotSignError, sign_objects
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp

Chosen = tuple[Identifier, Tlp]
"""An identifier, and the label under which its selector is shared."""


@dataclass(frozen=True, slots=True)
class Book:
    """The file of values of a lab, and what it holds or will hold."""

    path: Path
    values: Values


@dataclass(frozen=True, slots=True)
class Producing:
    """Whose objects are made, and when. lab: identity id. now: aware."""

    lab: str
    now: datetime


def open_book(path: Path) -> Book:
    """Read the file of values, which need not be there yet. Raises: DataError."""
    return Book(path, read_values(path))


def make_selectors(options: Namespace, configuration: Configuration, output: Output) -> bool:
    """Do what the command line says; whether every line was taken and every object accepted.

    Raises:
        LabToolError: nothing was made. Evaluations that the node counted stay counted.
    """
    book = open_book(options.values or configuration.pins.parent / FILE_NAME)
    values, faults = book.values, {}
    if options.reissue:
        chosen = list(values.identifiers.values())
    else:
        label = _label(options)
        listing = read_identifiers(read_input(options.file))
        faults = listing.faults
        chosen = [(identifier, label) for identifier in listing.identifiers.values()]
        values.keep(listing.identifiers.values(), label)
    for number, fault in faults.items():
        output.note(f"line {number}: {fault}")
    if not chosen:
        raise DataError("there is no identifier to make a selector of")
    key_file = open_key_file(options.key, output)
    lab = options.lab_identity or identity_beside(key_file)
    if lab is None:
        raise UsageError("whose key is this? --lab-identity says it where no identity.json is beside the key")
    now = utc_now()
    with NodeClient(configuration.need_node(), configuration.token, configuration.timeout_s) as client:
        made = issue_objects(
            client,
            read_statement(client, read_pins(configuration.pins), now),
            chosen,
            book,
            Producing(lab, now),
            on_batch=lambda count: output.progress(f"{count} of {len(chosen)} evaluated"),
        )
        signed = _sign(made, key_file.key, lab, now, output)
        accepted = _hand_over(client, signed, output, is_published=options.publish)
    return accepted and not faults


def _label(options: Namespace) -> Tlp:
    if options.marking is None or options.file is None:
        raise UsageError("selectors takes FILE and --marking, or --reissue")
    return Tlp.parse(options.marking)


def issue_objects(
    client: NodeClient,
    statement: Statement,
    chosen: Sequence[Chosen],
    book: Book,
    producing: Producing,
    on_batch: Callable[[int], None] = lambda _count: None,
) -> list[dict[str, Any]]:
    """The unsigned objects of these identifiers in the issuer's current epoch; the book of values is written first.

    on_batch: called with how many are evaluated.

    Raises:
        LabToolError: no object was made. Evaluations that the node counted stay counted.
    """
    book.values.remember_keys(statement)
    epoch = statement.current
    if epoch is None:
        raise IssuerError("the issuer has no current epoch: its operator has to begin one")
    outputs = evaluate(client, epoch, [identifier.input for identifier, _ in chosen], on_batch=on_batch)
    # Before anything is published: what others can match, this lab has to be able to make again.
    write_values(book.path, book.values)
    issuing = Issuing(producing.lab, statement.issuer, epoch, producing.now)
    made = [
        members
        for (identifier, label), selector in zip(chosen, outputs, strict=True)
        for members in objects_for(identifier, selector, label, issuing)
    ]
    if any(members["type"] == "relationship" for members in made):
        # What relationships begin at comes before them.
        made = [pool_for(label, issuing) for label in sorted({label for _, label in chosen})] + made
    return made


def _sign(objects: Iterable[dict[str, Any]], key: SigningKey, lab: str, now: datetime, output: Output) -> list[bytes]:
    try:
        return sign_objects([to_bytes(members) for members in objects], key, now=now, lab_identity=lab, fix=True)
    except CannotSignError as error:
        output.faults(error.faults)
        raise


def _hand_over(client: NodeClient, signed: list[bytes], output: Output, *, is_published: bool) -> bool:
    if not is_published:
        output.data(b"[" + b",\n".join(signed) + b"]\n")
        return True
    results = client.publish(signed, on_batch=lambda count: output.progress(f"{count} of {len(signed)} published"))
    output.results(results)
    return all(result.is_accepted for result in results)
