"""Reads the process environment: the only place that does, so that every value has one name and one check.

Each variable may also be given as NAME_FILE, the path of a file that holds the value (container secrets).
This module decides nothing about Django; settings.py does.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from exchange.services.rates import DEFAULT_RATES, Rate, RateSyntaxError, parse_rates

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SEALING_KEY_BYTES = 32
BROKER_SCHEMES = frozenset({"redis", "rediss", "amqp", "amqps"})
CACHE_SCHEMES = frozenset({"redis", "rediss"})
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_DATABASE_FORM = "must be of the form postgresql://user:password@host:port/database"

MIN_SECRET_CHARS = 40
"""Django's own key generator writes 50 characters; 40 leaves room for other generators of 200 bits and more."""


class EnvironmentValueError(SystemExit):
    """A variable that is missing, unreadable or wrong; the message is one line that names it, never its value.

    Settings are read while modules are imported, where nobody can catch an error: uncaught, this one ends the process
    with its line instead of a traceback, which could quote the value.
    """


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The parts of a postgresql:// URL."""

    name: str
    user: str
    password: str
    host: str
    port: int


def read(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Value of NAME, or the stripped contents of the file that NAME_FILE names, or "".

    Raises:
        EnvironmentValueError: both are set, or the file cannot be read.
    """
    value, path = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if value and path:
        raise EnvironmentValueError(f"{name} and {name}_FILE are both set; keep one")
    if not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentValueError(f"{name}_FILE names {path!r}, which cannot be read: {error}") from None


def read_list(name: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Values of NAME, separated by commas or white space."""
    return read(name, environ).replace(",", " ").split()


def read_networks(name: str, environ: Mapping[str, str] = os.environ) -> list[Network]:
    """Values of NAME as networks in CIDR form; an address is a network of one.

    Raises:
        EnvironmentValueError: a value is no network, or has bits beyond its mask.
    """
    try:
        return [ipaddress.ip_network(value) for value in read_list(name, environ)]
    except ValueError as error:
        raise EnvironmentValueError(f"{name} is a list of networks such as 10.0.0.0/8: {error}") from None


def read_flag(name: str, *, default: bool, environ: Mapping[str, str] = os.environ) -> bool:
    """True for 1, true, yes, on; False for 0, false, no, off; `default` when empty.

    Raises:
        EnvironmentValueError: anything else.
    """
    value = read(name, environ).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise EnvironmentValueError(f"{name} must be one of 1, true, yes, on, 0, false, no, off")


def read_count(name: str, *, default: int, environ: Mapping[str, str] = os.environ) -> int:
    """A whole number from 0; `default` when empty.

    Raises:
        EnvironmentValueError: anything else.
    """
    value = read(name, environ)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise EnvironmentValueError(f"{name} must be a whole number from 0")
    return int(value)


def read_rates(name: str, environ: Mapping[str, str] = os.environ) -> dict[str, Rate]:
    """The rate limits of each kind: the defaults, and what NAME says instead; {} for `off`.

    Raises:
        EnvironmentValueError: neither `off` nor a list of rates.
    """
    text = read(name, environ)
    if text == "off":
        return {}
    try:
        return {**DEFAULT_RATES, **parse_rates(text)}
    except RateSyntaxError as error:
        raise EnvironmentValueError(f"{name} is off or a list of rates: {error}") from None


def parse_database_url(name: str, url: str) -> DatabaseAddress:
    """Parts of a postgresql:// or postgres:// URL; `name` is the variable, for the message.

    Raises:
        EnvironmentValueError: another scheme, or no database name.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        # Without the reason: it would quote the part that was taken for the port, and that may be the password.
        raise EnvironmentValueError(f"{name} {_DATABASE_FORM}; percent-encode what stands in it") from None
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise EnvironmentValueError(f"{name} {_DATABASE_FORM}")
    return DatabaseAddress(
        name=unquote(parts.path.strip("/")),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=parts.hostname or "",
        port=port,
    )


def find_faults(environ: Mapping[str, str] = os.environ) -> list[str]:
    """What a web or worker process in production lacks: one line a fault, naming the variable, never its value."""
    faults = [f"{name} is not set" for name in ("DATABASE_URL", "BROKER_URL", "PUBLIC_URL") if not read(name, environ)]
    secret = read("SECRET_KEY", environ)
    if len(secret) < MIN_SECRET_CHARS or len(set(secret)) < 10:
        faults.append(f"SECRET_KEY is missing or weak: give at least {MIN_SECRET_CHARS} random characters")
    sealing = read_list("SEALING_KEYS", environ)
    if not sealing or not all(map(_is_sealing_key, sealing)):
        faults.append("SEALING_KEYS is missing or weak: give keys of 32 random bytes in base64url, the first one seals")
    if (scheme := read("BROKER_URL", environ).partition("://")[0]) and scheme not in BROKER_SCHEMES:
        faults.append(f"BROKER_URL must begin with one of {', '.join(sorted(BROKER_SCHEMES))}")
    if (cache_url := read("CACHE_URL", environ)) and not _is_cache_url(cache_url):
        faults.append("CACHE_URL must be of the form redis://:password@host:port/number")
    return faults + _find_address_faults(environ)


def _find_address_faults(environ: Mapping[str, str]) -> list[str]:
    """Beyond this machine: HTTPS, named hosts, no debugging."""
    public, hosts = urlsplit(read("PUBLIC_URL", environ)), read_list("ALLOWED_HOSTS", environ)
    if not public.scheme:
        return []
    faults = [] if hosts else ["ALLOWED_HOSTS is not set"]
    if public.hostname in LOOPBACK_HOSTS:
        return faults
    if public.scheme != "https":
        faults.append("PUBLIC_URL must be https: plain HTTP is served on this machine only")
    if "*" in hosts:
        faults.append("ALLOWED_HOSTS must name the hosts, not *")
    if read_flag("DEBUG", default=False, environ=environ):
        faults.append("DEBUG shows internals: it must be off")
    return faults


def _is_cache_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in CACHE_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_sealing_key(text: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(text)) == SEALING_KEY_BYTES
    except ValueError:
        return False


def require_production_values() -> None:
    """Stop the process with one clear line when a value is missing or weak.

    Raises:
        SystemExit: with that line.
    """
    faults = find_faults()
    if faults:
        raise SystemExit("commonwatch cannot start: " + "; ".join(faults))
