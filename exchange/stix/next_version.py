"""What the next version of an object takes from the one before (STIX 2.1 section 3.6). Pure; nothing is signed here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.timestamps import format_stix, parse_timestamp

ONE_STEP: Final = timedelta(milliseconds=1)
"""What `modified` shows."""


def unsigned(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members without our signature, and without `extensions` where nothing else stands in it."""
    bare = dict(members)
    extensions = bare.get("extensions")
    if isinstance(extensions, dict):
        bare["extensions"] = {name: value for name, value in extensions.items() if name != SIGNATURE_EXTENSION}
        if not bare["extensions"]:
            del bare["extensions"]
    return bare


def later_than(modified: str, moment: datetime) -> str:
    """The `modified` of a version that is made at `moment` (aware): later, also where our clock is behind.

    Raises:
        ObjectInvalidError: the version before has no time of STIX.
    """
    return format_stix(max(moment, parse_timestamp(modified, "/modified") + ONE_STEP))
