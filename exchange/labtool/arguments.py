"""What the command line of `commonwatch` looks like. It parses; main.py acts.

Global options may stand before or after the command.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from exchange.labtool.feed import DEFAULT_PAGE_OBJECTS
from exchange.labtool.lookups import add_lookup
from exchange.labtool.playbook_arguments import add_playbook
from exchange.labtool.ranges import add_ranges
from exchange.labtool.sampling import add_sample_logs
from exchange.labtool.selector_arguments import add_selectors
from exchange.stix.keys import is_thumbprint

DESCRIPTION = "A lab's own side of a commonwatch exchange: keys, signing, publishing, pulling, verifying."
EXIT_CODES = "exit codes: 0 done; 1 something was found wrong with the data; 2 usage; 3 could not reach or was refused"


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read a command line without the program's name. Ends the process with 2 if it makes no sense."""
    # One thumbprint in 64 begins with a hyphen, and argparse would take it for an option.
    return make_parser().parse_args([f" {text}" if _is_hyphened_thumbprint(text) else text for text in arguments])


def _is_hyphened_thumbprint(text: str) -> bool:
    return text.startswith("-") and is_thumbprint(text.partition(",")[0])


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; each command's name stands in `command`."""
    shared = _shared_options()
    parser = argparse.ArgumentParser(
        prog="commonwatch", description=DESCRIPTION, epilog=EXIT_CODES, parents=[shared], allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[shared], allow_abbrev=False)

    _add_keygen(add("keygen", "make a root key, a signing key and the identity that both sign"))
    _add_trust(add("trust", "pin a root thumbprint that you compared over another channel"))
    _add_sign(add("sign", "sign a list, a bundle or one object; the same comes out signed"))
    _add_publish(add("publish", "publish signed objects at the node"))
    _add_revoke(add("revoke", "publish a revoking version of an object of your own"))
    _add_pull(add("pull", "pull a collection into a folder and verify every object"))
    _add_verify(add("verify", "verify files against pins, without any network"))
    _add_verify_webhook(add("verify-webhook", "verify a message that a node posted to you"))
    add_sample_logs(add("sample-logs", "make a log of invented events with planted campaigns, to try rules on"))
    _add_convert(add("convert", "convert signatures to the query language of a log store"))
    _add_backtest(add("backtest", "run signatures over logs of your own, without any network"))
    add_ranges(add("ranges", "make signed objects of a file of networks, with a report per line"))
    add_selectors(add("selectors", "make selectors of account identifiers, which stay with you"))
    add_lookup(add("lookup", "ask the node what is known of addresses, domains and autonomous systems"))
    add_playbook(add("playbook", "check, sign, verify or draw a playbook, without any network"), shared)
    return parser


def _shared_options() -> argparse.ArgumentParser:
    # SUPPRESS, because the default of a command would overwrite what stood before it.
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    options = shared.add_argument_group("global options")
    options.add_argument("--node", metavar="URL", help="the node: https://host[:port] (COMMONWATCH_NODE)")
    options.add_argument(
        "--token", metavar="TOKEN", help="seen by everybody on this machine: prefer --token-file (COMMONWATCH_TOKEN)"
    )
    options.add_argument("--token-file", metavar="FILE", help="a file with the token (COMMONWATCH_TOKEN_FILE)")
    options.add_argument("--pins", metavar="FILE", help="the pins file (COMMONWATCH_PINS)")
    options.add_argument("--config", metavar="FILE", help="a TOML file with these settings (COMMONWATCH_CONFIG)")
    options.add_argument("--timeout", metavar="SECONDS", help="how long to wait for the node (30)")
    options.add_argument("--json", action="store_true", help="answer for programs, on stdout")
    return shared


def _add_keygen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", required=True, metavar="NAME", help="the lab's name, as others will read it")
    parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="where the files go")
    parser.add_argument("--contact", metavar="TEXT", help="how to reach the lab; published with the identity")
    parser.add_argument("--marking", default="green", choices=("clear", "green"), help="who may read the identity")
    parser.add_argument(
        "--exchange-key",
        type=Path,
        metavar="FILE",
        help="public part of the signing key that the node keeps for the lab: the identity is then a draft",
    )
    parser.add_argument(
        "--home",
        action="append",
        default=[],
        type=str.strip,
        metavar="THUMBPRINT[,exclusive]",
        help="root thumbprint of a node that may receive what is shared with this lab; may be repeated",
    )


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lab", metavar="LAB", help="the name that you give to the lab or node")
    parser.add_argument("thumbprint", type=str.strip, metavar="THUMBPRINT", help="its root thumbprint, 43 characters")


def _add_sign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", default=["-"], metavar="FILE", help="files; - or none is stdin")
    parser.add_argument("--key", required=True, type=Path, metavar="FILE", help="your signing key")
    parser.add_argument("--normalise", action="store_true", help="write objects as stix2 does before signing")
    _add_lab_identity(parser)


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="files with signed objects; - is stdin")
    parser.add_argument("--dry-run", action="store_true", help="check everything, store nothing")
    parser.add_argument("--sign", action="store_true", help="let the node sign with the key that it keeps for you")
    parser.add_argument("--collection", metavar="ALIAS", help="default: the node chooses by type")


def _add_revoke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the object")
    signer = parser.add_mutually_exclusive_group(required=True)
    signer.add_argument("--key", type=Path, metavar="FILE", help="your signing key")
    signer.add_argument("--sign", action="store_true", help="let the node sign with the key that it keeps for you")
    _add_lab_identity(parser)


def _add_pull(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--collection", required=True, metavar="ALIAS", help="the collection, by alias or id")
    parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="the folder; one for each node")
    parser.add_argument("--from-start", action="store_true", help="read anew instead of going on")
    parser.add_argument(
        "--page-objects", type=int, default=DEFAULT_PAGE_OBJECTS, metavar="N", help="objects asked for at a time"
    )


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, or folders of *.json")
    parser.add_argument(
        "--seen-at",
        metavar="TIMESTAMP",
        help="when files without a record were first seen, if you can vouch for it; default: now",
    )


def _add_verify_webhook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("body", nargs="?", default="-", metavar="FILE", help="the body as it came; - or none is stdin")
    parser.add_argument(
        "--secret-file",
        action="append",
        required=True,
        type=Path,
        metavar="FILE",
        help="the webhook's secret; repeat it while a secret changes",
    )
    for name in ("id", "timestamp", "signature"):
        parser.add_argument(f"--{name}", required=True, metavar="VALUE", help=f"the header webhook-{name}")


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="Sigma in YAML, STIX in JSON, or folders of these"
    )
    parser.add_argument("--target", metavar="NAME", help="the log store, one of --list")
    parser.add_argument("--list", action="store_true", help="print the targets and end")
    parser.add_argument("--table", metavar="NAME", help="index, table or stream with the events; default: see --list")
    parser.add_argument("--timestamp", metavar="FIELD", help="the field with the time of an event; default: see --list")
    parser.add_argument(
        "--schema",
        default="vocabulary",
        choices=("vocabulary", "ocsf"),
        help="whose names the fields have there",
    )
    parser.add_argument(
        "--revoked",
        "--include-revoked",
        dest="include_revoked",
        action="store_true",
        help="convert revoked, withdrawn and expired signatures too, marked as such",
    )


def _add_backtest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--signatures",
        required=True,
        nargs="+",
        type=Path,
        metavar="PATH",
        help="Sigma files, STIX files, or folders of them such as `pull` fills",
    )
    parser.add_argument(
        "--logs",
        required=True,
        nargs="+",
        metavar="FILE",
        help="Parquet, JSON lines or CSV, by name or pattern",
    )
    parser.add_argument(
        "--revoked", action="store_true", help="run revoked and withdrawn signatures too, marked as such"
    )
    parser.add_argument("--label", metavar="COLUMN", help="the column that names an event's campaign, empty if benign")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as one page")
    parser.add_argument(
        "--memory", default="3GB", metavar="SIZE", help="what the engine may take; more goes to disk (3GB)"
    )
    parser.add_argument("--temporary", type=Path, metavar="DIR", help="where what does not fit is put")
    parser.add_argument("--threads", type=int, metavar="N", help="processors to use; default: all")


def _add_lab_identity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lab-identity",
        metavar="ID|FILE",
        help="your identity; default: what identity.json beside the key says",
    )
