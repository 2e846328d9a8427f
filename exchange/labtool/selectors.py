"""Makes selectors of a lab's account identifiers, or makes them again in a new epoch, and signs or publishes them.

The identifiers stay here: they go into the file of values, blinded to the issuer, and nowhere else.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

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


def make_selectors(options: Namespace, configuration: Configuration, output: Output) -> bool:
    """Do what the command line says; whether every line was taken and every object accepted.

    Raises:
        LabToolError: nothing was made. Evaluations that the node counted stay counted.
    """
    path = options.values or configuration.pins.parent / FILE_NAME
    values, faults = read_values(path), {}
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
    with NodeClient(configuration.need_node(), configuration.token, configuration.timeout_s) as client:
        signed = _signed(client, chosen, values, path, configuration, key_file.key, lab, output)
        accepted = _hand_over(client, signed, output, is_published=options.publish)
    return accepted and not faults


def _label(options: Namespace) -> Tlp:
    if options.marking is None or options.file is None:
        raise UsageError("selectors takes FILE and --marking, or --reissue")
    return Tlp.parse(options.marking)


def _signed(
    client: NodeClient,
    chosen: list[tuple[Identifier, Tlp]],
    values: Values,
    path: Path,
    configuration: Configuration,
    key: SigningKey,
    lab: str,
    output: Output,
) -> list[bytes]:
    now = utc_now()
    statement = read_statement(client, read_pins(configuration.pins), now)
    values.remember_keys(statement)
    epoch = statement.current
    if epoch is None:
        raise IssuerError("the issuer has no current epoch: its operator has to begin one")
    outputs = evaluate(
        client,
        epoch,
        [identifier.input for identifier, _ in chosen],
        on_batch=lambda count: output.progress(f"{count} of {len(chosen)} evaluated"),
    )
    # Before anything is published: what others can match, this lab has to be able to make again.
    write_values(path, values)
    issuing = Issuing(lab, statement.issuer, epoch, now)
    made = [
        members
        for (identifier, label), selector in zip(chosen, outputs, strict=True)
        for members in objects_for(identifier, selector, label, issuing)
    ]
    if any(members["type"] == "relationship" for members in made):
        # What relationships begin at comes before them.
        made = [pool_for(label, issuing) for label in sorted({label for _, label in chosen})] + made
    try:
        return sign_objects([to_bytes(members) for members in made], key, now=now, lab_identity=lab, fix=True)
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
