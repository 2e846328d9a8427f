"""The file of values that a lab keeps at home, so that it can make its selectors again when an epoch ends.

For its owner alone. It also remembers the public key of each epoch: an issuer that shows another one later is caught.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from attribution.issuing.statements import Statement
from attribution.normalising import IdentifierError
from exchange.labtool.errors import DataError
from exchange.labtool.files import make_private_folder, read_file, write_file
from exchange.labtool.identifiers_reading import Identifier, LineError, identifier_of
from exchange.labtool.issuer import IssuerError
from exchange.stix.errors import StixError
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_stix

FILE_NAME: Final = "selector-values.json"
MAX_VALUES_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Values:
    """What the file holds: identifiers with their label by kind and value, and public keys by issuer and epoch."""

    identifiers: dict[tuple[str, str], tuple[Identifier, Tlp]] = field(default_factory=dict, repr=False)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)

    def keep(self, identifiers: Iterable[Identifier], label: Tlp) -> None:
        """Take identifiers in; what is known of the same one before is replaced."""
        self.identifiers.update({(each.kind, each.value): (each, label) for each in identifiers})

    def remember_keys(self, statement: Statement) -> None:
        """Compare the keys of the epochs with those seen before, and take new ones in.

        Raises:
            IssuerError: an epoch has another key than before.
        """
        known = self.keys.setdefault(statement.issuer, {})
        for epoch in statement.epochs:
            if known.setdefault(epoch.name, epoch.public_key.hex()) != epoch.public_key.hex():
                raise IssuerError(
                    f"the issuer states another key for the epoch {epoch.name} than before: ask its operator, and the"
                    " other labs which they see"
                )


def read_values(path: Path) -> Values:
    """Read the file; nothing there is an empty one. Raises: DataError."""
    try:
        body = read_file(path, max_bytes=MAX_VALUES_BYTES)
    except FileNotFoundError:
        return Values()
    try:
        return _values_of(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, LineError, IdentifierError, StixError):
        pass
    # Raised out here: the errors above may carry a piece of the file.
    raise DataError(f"{path} is not a file of values")


def write_values(path: Path, values: Values) -> None:
    """Replace the file as a whole, for its owner alone. Raises: DataError."""
    kept = [_to_json(identifier, label) for identifier, label in values.identifiers.values()]
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise DataError(f"cannot use {path.parent}: {error.strerror}") from None
    body = json.dumps({"v": 1, "keys": values.keys, "values": kept}, ensure_ascii=False)
    write_file(path, body.encode() + b"\n")


def _values_of(content: Any) -> Values:
    values = Values(keys={str(issuer): dict(epochs) for issuer, epochs in content["keys"].items()})
    for entry in content["values"]:
        label = Tlp.parse(entry.pop("marking"))
        values.keep([identifier_of(entry)], label)
    return values


def _to_json(identifier: Identifier, label: Tlp) -> dict[str, Any]:
    times = {"first_seen": identifier.first_seen, "last_seen": identifier.last_seen}
    said: dict[str, Any] = {"confidence": identifier.confidence}
    said |= {name: None if at is None else format_stix(at) for name, at in times.items()}
    present = {name: value for name, value in said.items() if value is not None}
    return {"kind": identifier.kind, "value": identifier.value, "marking": label.label, **present}
