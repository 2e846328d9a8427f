"""The kinds of identifiers and what each becomes (docs/wire-format.md, "Selector")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import phonenumbers

from attribution.normalising.characters import fold, refuse_mixed_scripts
from attribution.normalising.domains import to_ascii
from attribution.normalising.errors import IdentifierError

MAX_VALUE_CHARS: Final = 1_024
"""Four times the longest e-mail address (RFC 5321 section 4.5.3.1), so that any identifier fits."""

MAX_LOCAL_BYTES: Final = 64
"""RFC 5321 section 4.5.3.1.1: before the @."""

PAYMENT_DIGITS: Final = range(8, 20)
"""ISO/IEC 7812-1: 8 to 19 digits of a card."""

_LOCAL_REFUSED: Final = re.compile(r'[\s"(),:;<>@\[\\\]]')
_PAYMENT_SEPARATORS: Final = re.compile(r"[ \-]")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_PHONE_FORM: Final = re.compile(r"\+[0-9 ()./\-]+")


def normalise(kind: str, text: str) -> str:
    """The identifier as every lab writes it.

    Raises:
        IdentifierError: an unknown kind, or a text that is no identifier of it.
    """
    if kind not in _NORMALISERS:
        raise IdentifierError(f"the kind is none of {', '.join(sorted(_NORMALISERS))}")
    if len(text) > MAX_VALUE_CHARS:
        raise IdentifierError(f"the value has more than {MAX_VALUE_CHARS} characters")
    return _NORMALISERS[kind](fold(text))


def selector_input(kind: str, text: str) -> bytes:
    """What the function is evaluated on: the kind, a zero byte, the normalised identifier in UTF-8.

    Raises:
        IdentifierError: as `normalise`.
    """
    return kind.encode() + b"\0" + normalise(kind, text).encode()


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise IdentifierError("an e-mail address has something on both sides of an @")
    if _LOCAL_REFUSED.search(local):
        raise IdentifierError("before the @ stands a character that only quoted addresses have")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise IdentifierError("before the @ a dot stands at an end, or beside another dot")
    if len(local.encode()) > MAX_LOCAL_BYTES:
        raise IdentifierError(f"before the @ stand more than {MAX_LOCAL_BYTES} bytes")
    refuse_mixed_scripts(local, "the part before the @")
    # The local part stays as it is: dots and +tags mean the same account at some providers only.
    return f"{local}@{to_ascii(domain)}"


def _phone(text: str) -> str:
    if _PHONE_FORM.fullmatch(text) is None:
        raise IdentifierError("a phone number begins with + and its country code, then has digits")
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise IdentifierError("the phone number has no known country code, or too few digits") from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_possible_number(number) or _E164.fullmatch(written) is None:
        raise IdentifierError("no phone number of this country has so many digits")
    return written


def _payment_instrument(text: str) -> str:
    digits = _PAYMENT_SEPARATORS.sub("", text)
    if not (digits.isascii() and digits.isdigit()):
        raise IdentifierError("a payment instrument has digits, spaces and hyphens only")
    if len(digits) not in PAYMENT_DIGITS:
        raise IdentifierError(f"a payment instrument has {PAYMENT_DIGITS[0]} to {PAYMENT_DIGITS[-1]} digits")
    return digits


def passes_luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1 annex B). Cards do; other instruments need not."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _account_login(text: str) -> str:
    if any(character.isspace() for character in text):
        raise IdentifierError("a login has no space inside")
    refuse_mixed_scripts(text, "the login")
    return text


def _device(text: str) -> str:
    if any(character.isspace() for character in text):
        raise IdentifierError("a device identifier has no space inside")
    return text


_NORMALISERS: Final[Mapping[str, Callable[[str], str]]] = {
    "email": _email,
    "phone": _phone,
    "payment-instrument": _payment_instrument,
    "account-login": _account_login,
    "device": _device,
}
KINDS: Final = frozenset(_NORMALISERS)
