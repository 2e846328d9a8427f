"""Names of domains and numbers of autonomous systems, each in the one form in which it is kept and compared.

A domain is kept in ASCII (IDNA 2008 after the mapping of UTS 46), lower case, without the root's dot. Tricks are
refused with a reason rather than repaired: whoever asks would else be told about another name than the one they see.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import idna

from exchange.stix.errors import ObjectInvalidError, shown
from exchange.stix.extensions_ranges import MAX_ASN

MAX_DOMAIN_CHARS: Final = 253
"""RFC 1035 section 3.1: 255 octets, two of which the text does not show."""

_ASN: Final = re.compile("(?:[Aa][Ss])?(0|[1-9][0-9]{0,9})")
_PLAIN: Final = re.compile("(?!-)[a-z0-9-]{1,63}(?<!-)")
# UTS 39 section 5.2, "highly restrictive": what one word may mix beside what belongs to every script.
_TOGETHER: Final = tuple(
    frozenset(scripts)
    for scripts in (
        ("LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
        ("LATIN", "CJK", "BOPOMOFO"),
        ("LATIN", "CJK", "HANGUL"),
    )
)


def parse_asn(text: str) -> int:
    """`AS64500` or `64500` (RFC 5396, asplain). Raises: ObjectInvalidError (`asn`)."""
    form = _ASN.fullmatch(text)
    if form is None or int(form[1]) > MAX_ASN:
        raise ObjectInvalidError("asn", f"{shown(text)} is not the number of an autonomous system.")
    return int(form[1])


class DomainError(ValueError):
    """No name of a domain. The message says why and repeats nothing of what was given; `detail` may."""

    def __init__(self, fault: str, detail: str = "") -> None:
        super().__init__(fault)
        self.detail = detail


def parse_domain(text: str) -> str:
    """A name in the form in which names are compared. Raises: ObjectInvalidError (`domain`)."""
    try:
        return domain_in_ascii(text)
    except DomainError as error:
        detail = f": {error.detail}" if error.detail else ""
        raise ObjectInvalidError("domain", f"{shown(text[:MAX_DOMAIN_CHARS])} {error}{detail}.") from None


def domain_in_ascii(text: str) -> str:
    """The same, for who must not repeat the name. Raises: DomainError."""
    if len(text) > 4 * MAX_DOMAIN_CHARS:
        raise DomainError(f"has more than {MAX_DOMAIN_CHARS} characters")
    if any(unicodedata.category(char) in ("Cf", "Cc", "Co", "Cs", "Zl", "Zp") for char in text):
        raise DomainError("holds an invisible character")
    try:
        name = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower().removesuffix(".")
        for label in name.split("."):
            # A label that comes as xn-- is judged by what it shows.
            if label.startswith("xn--"):
                _check_scripts(idna.decode(label))
    except DomainError:
        raise
    except (idna.IDNAError, UnicodeError) as error:
        raise DomainError("is not a name of a domain", str(error)) from None
    if len(name) > MAX_DOMAIN_CHARS or not all(_PLAIN.fullmatch(label) for label in name.split(".")):
        raise DomainError("is not a name of a domain")
    if "." not in name or name.rpartition(".")[2].isdigit():
        raise DomainError("is not a full name of a domain")
    return name


def parents_of(name: str) -> list[str]:
    """The name and those above it that have two labels at least: what is said of them is said of it."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def _check_scripts(label: str) -> None:
    scripts = {unicodedata.name(char, "UNNAMED").split()[0] for char in label if unicodedata.category(char)[0] == "L"}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        raise DomainError(f"mixes {' and '.join(sorted(each.title() for each in scripts))} letters in one word")
