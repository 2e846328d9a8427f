"""Domain names as they are compared: A-labels in lower case (IDNA 2008, RFC 5891), as e-mail addresses have them."""

from __future__ import annotations

import idna

from attribution.normalising.characters import refuse_mixed_scripts
from attribution.normalising.errors import IdentifierError


def to_ascii(domain: str) -> str:
    """The domain in ASCII, without a dot at its end. domain: folded already.

    Raises:
        IdentifierError: no domain name by IDNA 2008, of one label, an address in brackets, or of mixed scripts.
    """
    named = domain.removesuffix(".")
    try:
        encoded = idna.encode(named, uts46=True).decode()
        # A label that comes as xn-- is judged by what it shows.
        shown = idna.decode(encoded)
    except idna.IDNAError:
        raise IdentifierError("the domain is no domain name (IDNA 2008)") from None
    if "." not in encoded:
        raise IdentifierError("the domain has one label only")
    for label in shown.split("."):
        refuse_mixed_scripts(label, "a label of the domain")
    return encoded
