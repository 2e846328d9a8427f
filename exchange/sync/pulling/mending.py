"""One known error of a server that many run: OpenTAXII up to 0.9.3 answers an object's type as its `spec_version`.

What was posted to it as 2.1 comes back as no STIX at all, the same on every object of every collection, and neither
readers nor signatures could make anything of it. The member is put back, which is all that this does: what is signed is
then verified as ever, so that a wrong guess fails there.
"""

from __future__ import annotations

import re
from typing import Final

from exchange.stix.canonical import canonicalize
from exchange.stix.errors import StixError
from exchange.stix.reading import read_object

SPEC_VERSION: Final = "2.1"

# Quickly told from what is sound, which is nearly everything.
_SUSPECT: Final = re.compile(rb'"spec_version"\s*:\s*"[a-z]')


def mended(body: bytes) -> bytes:
    """The object in canonical form with its `spec_version` put back, if that was its type; else the bytes as they
    came, sound or not."""
    if _SUSPECT.search(body) is None:
        return body
    try:
        members = read_object(body).members
    except StixError:
        return body  # who reads the object says what is wrong with it
    if "type" not in members or members.get("spec_version") != members["type"]:
        return body
    return canonicalize({**members, "spec_version": SPEC_VERSION})
