"""Where the settings of a call come from: options, then environment, then a TOML file.

A token is best given by file; it is never printed, and its dataclass field does not show in a repr.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from exchange.labtool.errors import UsageError
from exchange.labtool.transport import DEFAULT_TIMEOUT_S
from exchange.stix.errors import shown

SETTINGS: Final = frozenset({"node", "token", "token_file", "pins", "timeout"})
MAX_TIMEOUT_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a call knows of its surroundings; None where nothing was said."""

    node: str | None
    token: str | None = field(repr=False)
    pins: Path
    timeout_s: float

    def need_node(self) -> str:
        """The node's address. Raises: UsageError when nobody named one."""
        if self.node is None:
            raise UsageError("no node named: use --node, COMMONWATCH_NODE or the configuration file")
        return self.node


def configuration_folder(environ: Mapping[str, str]) -> Path:
    """The folder of this user's settings (XDG base directories)."""
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".config")
    return Path(base) / "commonwatch"


def read_configuration(options: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Configuration:
    """Merge options (`node`, `token`, `token_file`, `pins`, `timeout`, `config`), environment and file.

    Raises: UsageError for a file that cannot be read, an unknown setting or a value of the wrong kind.
    """
    file_settings = _read_file(options, environ)
    # A token and a file with one are two ways to say the same: the nearer source wins as a whole.
    token = _read_token([_of_options(options), _of_environment(environ), file_settings])
    merged = {**file_settings, **_of_environment(environ), **_of_options(options)}
    pins = merged.get("pins")
    return Configuration(
        node=merged.get("node"),
        token=token,
        pins=Path(pins) if pins else configuration_folder(environ) / "pins.json",
        timeout_s=_timeout_s(merged.get("timeout", DEFAULT_TIMEOUT_S)),
    )


def _of_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in SETTINGS if options.get(name) is not None}


def _of_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {name: environ.get(f"COMMONWATCH_{name.upper()}") for name in SETTINGS}
    return {name: value for name, value in found.items() if value}


def _read_file(options: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    named = options.get("config") or environ.get("COMMONWATCH_CONFIG")
    path = Path(named) if named else configuration_folder(environ) / "config.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise UsageError(f"no such configuration file: {path}") from None
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The parser's own message may carry a piece of the file, and with it of a token.
        raise UsageError(f"{path} is not valid TOML") from None
    for name, value in settings.items():
        if name not in SETTINGS:
            raise UsageError(f"{path}: unknown setting {shown(name)}")
        if not isinstance(value, str) and name != "timeout":
            raise UsageError(f"{path}: {name} must be text")
    return settings


def _read_token(sources: list[dict[str, Any]]) -> str | None:
    for source in sources:
        if "token_file" in source:
            return _token_of_file(Path(source["token_file"]))
        if "token" in source:
            return _checked_token(source["token"], "the token")
    return None


def _token_of_file(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the token file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        text = ""
    return _checked_token(text.strip(), f"the token in {path}")


def _checked_token(token: str, what: str) -> str:
    # Anything else would let a header be smuggled in, and be printed by the library that refuses it.
    if not token or not token.isascii() or any(character <= " " or character == "\x7f" for character in token):
        raise UsageError(f"{what} is empty or holds characters that no token has")
    return token


def _timeout_s(value: Any) -> float:
    try:
        timeout_s = float(value)
    except (TypeError, ValueError):
        timeout_s = 0.0
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        raise UsageError(f"the timeout must be a number of seconds up to {MAX_TIMEOUT_S:.0f}")
    return timeout_s
