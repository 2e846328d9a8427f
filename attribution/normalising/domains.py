"""Domains of e-mail addresses, in the one form that all names of domains have here (attribution/names.py)."""

from __future__ import annotations

from attribution.names import DomainError, domain_in_ascii
from attribution.normalising.errors import IdentifierError


def to_ascii(domain: str) -> str:
    """The domain in ASCII, without a dot at its end. domain: folded already.

    Raises:
        IdentifierError: no full name of a domain by IDNA 2008, an address in brackets, or a word of mixed scripts.
    """
    try:
        return domain_in_ascii(domain)
    except DomainError as error:
        raise IdentifierError(f"the domain {error}") from None
