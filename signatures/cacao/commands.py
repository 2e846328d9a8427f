"""Commands of action steps: shape, decoded base64, embedded Sigma rules, no literal secrets.

Commands are text to be read by a person. Nothing here, or anywhere in the exchange, executes one.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError, pointer_to, shown
from signatures.cacao.limits import MAX_COMMANDS_PER_STEP
from signatures.cacao.shape import Members, Path, check_shape, fault
from signatures.cacao.vocabulary import COMMANDS
from signatures.sigma import SigmaInspection, inspect_rule

_HTTP_START_LINE: Final = re.compile(r"[A-Z]+ \S+ HTTP/(?:1\.[01]|2|3)")
_SECRET_HEADERS: Final = frozenset(
    ["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"]
)
_SECRET_VALUE: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]* )?__[A-Za-z_][A-Za-z0-9_-]*__:value")
# Shapes that nothing but a credential has: PEM keys, and prefixes that issuers chose to be recognisable.
_SECRET_TEXT: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abpr]-[A-Za-z0-9-]{10,}"
    r"|\bsk-[A-Za-z0-9_-]{20,}|\bglpat-[A-Za-z0-9_-]{20}|://[^/\s:@]+:[^/\s:@]+@"
)


def check_commands(step: Members, path: Path) -> None:
    """Check the commands of one action step.

    Raises: ObjectInvalidError with a pointer.
    """
    commands = step["commands"]
    if len(commands) > MAX_COMMANDS_PER_STEP:
        raise fault("too-many", f"More than {MAX_COMMANDS_PER_STEP} commands.", (*path, "commands"))
    for position, command in enumerate(commands):
        where = (*path, "commands", position)
        shape = COMMANDS.get(command["type"]) if isinstance(command.get("type"), str) else None
        if shape is None:
            raise fault("command-type", f"{shown(command.get('type'))} is no type of command.", where)
        check_shape(command, shape, where)
        if ("command" in command) == ("command_b64" in command):
            raise fault("command", "A command has either `command` or `command_b64`.", where)
        if command["type"] in {"http-api", "openc2-http"}:
            _check_http(command, where)


def _check_http(command: Members, path: Path) -> None:
    if _HTTP_START_LINE.fullmatch(command["command"]) is None:
        raise fault("http", "`command` is an HTTP start line.", (*path, "command"))
    if "content" in command and "content_b64" in command:
        raise fault("http", "Either `content` or `content_b64`.", (*path, "content_b64"))
    for name, values in command.get("headers", {}).items():
        where = (*path, "headers", name)
        if not isinstance(values, list) or not values or not all(isinstance(item, str) for item in values):
            raise fault("http", "A header is a list of texts.", where)
        if name.lower() in _SECRET_HEADERS and not all(_SECRET_VALUE.fullmatch(item) for item in values):
            raise fault("literal-secret", "This header takes its secret from a variable.", where)


def decode_text(encoded: Any, path: Path) -> str:
    """Return the text behind a `*_b64` property.

    Raises: ObjectInvalidError where it is no base64, or does not hold text: bytes that nobody can read are not shared.
    """
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8")
    except (ValueError, TypeError, binascii.Error):
        raise fault("base64", "The value is not the base64 of UTF-8 text.", path) from None


def sigma_rules(playbook: Members) -> Iterator[tuple[str, SigmaInspection]]:
    """Inspect every Sigma rule that a command carries; gives (JSON pointer, inspection).

    Raises: ObjectInvalidError with the pointer of the command.
    """
    for identifier, step in playbook["workflow"].items():
        for position, command in enumerate(step.get("commands", ())):
            if command["type"] != "sigma":
                continue
            path = ("workflow", identifier, "commands", position, "command_b64")
            try:
                yield pointer_to(path), inspect_rule(decode_text(command["command_b64"], path))
            except ObjectInvalidError as error:
                raise error if error.pointer else error.within(pointer_to(path)) from None


def check_no_credentials(text: str, path: Path) -> None:
    """Refuse text that holds what can only be a credential.

    Raises: ObjectInvalidError, which does not repeat it.
    """
    if _SECRET_TEXT.search(text) is not None:
        raise fault("literal-secret", "The text holds what looks like a credential.", path)


def is_encoded(name: str | int, value: Any) -> bool:
    """Tell whether a property holds base64 of text."""
    return isinstance(name, str) and name.endswith("_b64") and isinstance(value, str)


def texts_of(members: Mapping[str, Any], start: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text of a playbook, or of a part that stands at `start`, with its path.

    Base64 is decoded; names of free dictionaries are included.

    Key material and signature values are left out: they are no language. Raises: ObjectInvalidError.
    """
    stack: list[tuple[Path, Any]] = [(start, members)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, str):
            yield path, decode_text(item, path) if is_encoded(path[-1], item) else item
        elif isinstance(item, dict):
            if path[:1] == ("signatures",):
                item = {name: item[name] for name in ("signee", "cert_url", "signature") if name in item}
            for name, value in item.items():
                if len(path) > 1:
                    yield (*path, name), name
                stack.append(((*path, name), value))
        elif isinstance(item, list):
            stack.extend(((*path, position), value) for position, value in enumerate(item))
