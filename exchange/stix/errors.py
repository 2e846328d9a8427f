"""The errors of everything that reads bytes from outside: what is wrong, and where.

They know no HTTP and no database. A message is safe to show and to log: hostile text goes through `shown`.
"""

from collections.abc import Iterable
from typing import Self

# Enough to recognise a value, too little to flood a log line.
MAX_SHOWN_CHARS = 80
# STIX 2.1 section 3.1: names have at most 250 characters; a longer one is shortened in a pointer.
MAX_POINTER_TOKEN_CHARS = 250
MAX_POINTER_TOKENS = 64


def shown(value: object) -> str:
    """Return `value` as printable ASCII for a message, cut to `MAX_SHOWN_CHARS` characters."""
    if isinstance(value, str | bytes):
        # A whole megabyte need not be escaped to show eighty characters of it.
        value = value[: MAX_SHOWN_CHARS + 1]
    elif isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = ascii(value)
    return text if len(text) <= MAX_SHOWN_CHARS else text[: MAX_SHOWN_CHARS - 3] + "..."


def pointer_to(path: Iterable[str | int]) -> str:
    """Return the JSON pointer (RFC 6901) of a path of names and list positions; `""` is the whole.

    Lone surrogates and control characters become U+FFFD, so that a pointer can always be encoded and printed.
    """
    tokens = []
    for step in path:
        token = "".join(
            "\ufffd" if character < " " or "\ud800" <= character <= "\udfff" else character
            for character in str(step)[:MAX_POINTER_TOKEN_CHARS]
        )
        tokens.append("/" + token.replace("~", "~0").replace("/", "~1"))
    return "".join(tokens[:MAX_POINTER_TOKENS])


class StixError(Exception):
    """Bytes from outside are wrong.

    code: stable slug, for programs. message: one sentence, for a person.
    pointer: RFC 6901 pointer into the object (or the body), `""` for the whole.
    """

    def __init__(self, code: str, message: str, pointer: str = "") -> None:
        super().__init__(code, message, pointer)
        self.code = code
        self.message = message
        self.pointer = pointer

    def __str__(self) -> str:
        return f"{self.pointer or '(whole)'}: {self.message} [{self.code}]"

    def within(self, prefix: str) -> Self:
        """Return the same error as seen from a container that holds the object at pointer `prefix`."""
        return type(self)(self.code, self.message, prefix + self.pointer)


class MalformedJsonError(StixError):
    """The bytes are not one I-JSON (RFC 7493) text within our limits."""


class ObjectInvalidError(StixError):
    """The JSON is sound, but it is not a valid STIX 2.1 object."""


class MarkingError(StixError):
    """The markings of an object are missing, unknown or contradict each other."""


class SignatureError(StixError):
    """The signature of an object is missing, malformed or does not verify."""


class KeyChainError(StixError):
    """The keys of an identity do not follow from the version before it."""
