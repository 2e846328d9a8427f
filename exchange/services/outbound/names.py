"""Names of hosts in one canonical form, so that what an operator allows and what a member asks for compare."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

MAX_HOST_CHARS: Final = 253
"""RFC 1035 section 2.3.4, without the root."""

_LABEL: Final = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def canonical_host(text: str) -> str | None:
    """Lower case, without the final dot; an address as Python writes it. None for what is neither.

    Names beyond ASCII come in their IDNA form (`xn--`).
    """
    name = text.strip("[]").lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name if len(name) <= MAX_HOST_CHARS and _NAME.fullmatch(name) else None
    return str(address) if getattr(address, "scope_id", None) is None else None
