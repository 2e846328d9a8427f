"""The pins file: which root keys this lab trusts, by the name that it gave them.

`{"aurora": ["<root thumbprint>", ...], ...}`. A thumbprint comes from another channel than the exchange;
nothing here fetches one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.labtool.errors import DataError, UsageError
from exchange.labtool.files import PUBLIC_FILE, read_file, write_file
from exchange.stix.errors import shown
from exchange.stix.keys import is_thumbprint

MAX_PINS_BYTES: Final = 4 * 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Pins:
    """Root thumbprints by lab or node name."""

    by_name: Mapping[str, tuple[str, ...]]

    def name_of(self, thumbprint: str) -> str | None:
        """The name under which this root is pinned, None if it is not."""
        return next((name for name, roots in self.by_name.items() if thumbprint in roots), None)

    @property
    def roots(self) -> frozenset[str]:
        """All pinned thumbprints."""
        return frozenset(root for roots in self.by_name.values() for root in roots)

    def with_root(self, name: str, thumbprint: str) -> "Pins":
        """The same and one root more.

        Raises: UsageError for a name or thumbprint of the wrong form, or a root pinned under another name.
        """
        if _NAME.fullmatch(name) is None:
            raise UsageError(f"not a name for a lab: {shown(name)}")
        if not is_thumbprint(thumbprint):
            raise UsageError("not a root thumbprint: 43 characters of base64url are expected")
        other = self.name_of(thumbprint)
        if other not in (None, name):
            raise UsageError(f"this root is already pinned as {shown(other)}")
        before = self.by_name.get(name, ())
        return self if thumbprint in before else Pins({**self.by_name, name: (*before, thumbprint)})

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)


NO_PINS: Final = Pins({})


def read_pins(path: Path, *, missing_ok: bool = False) -> Pins:
    """Read a pins file. Raises: DataError for a file that is missing, unreadable or of another form."""
    try:
        text = read_file(path, max_bytes=MAX_PINS_BYTES)
    except FileNotFoundError:
        if missing_ok:
            return NO_PINS
        raise DataError(f"no pins file at {path}: `commonwatch trust LAB THUMBPRINT` makes one") from None
    try:
        return _pins_of(json.loads(text))
    except (ValueError, RecursionError):
        raise DataError(f"{path} is not a pins file") from None


def write_pins(path: Path, pins: Pins) -> None:
    """Replace a pins file as a whole, so that a crash leaves the old one or the new one."""
    ordered = {name: list(pins.by_name[name]) for name in sorted(pins.by_name)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, (json.dumps(ordered, indent=1) + "\n").encode(), mode=PUBLIC_FILE)


def _pins_of(value: object) -> Pins:
    if not isinstance(value, dict):
        raise ValueError
    for roots in value.values():
        if not isinstance(roots, list) or not all(is_thumbprint(root) for root in roots):
            raise ValueError
    return Pins({name: tuple(roots) for name, roots in value.items()})
