"""Commands about networks, names and accounts: what is imported, and what is known of them.

What they need takes a while to load, so each loads its own when it runs.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Final

from exchange.labtool.client import NodeClient
from exchange.labtool.commands import DONE, WRONG, Command
from exchange.labtool.configuration import Configuration
from exchange.labtool.inputs import lab_identity_of, open_key_file, read_input
from exchange.labtool.output import Output
from exchange.labtool.pins import read_pins


def _ranges(options: Namespace, configuration: Configuration, output: Output) -> int:
    from exchange.labtool.ranges import import_ranges

    key_file = open_key_file(options.key, output)
    lab = lab_identity_of(options.lab_identity, key_file)
    with _client(configuration) if options.publish else nullcontext() as client:
        return DONE if import_ranges(options, key_file, lab, client, output) else WRONG


def _lookup(options: Namespace, configuration: Configuration, output: Output) -> int:
    with _client(configuration) as client:
        if options.private:
            from exchange.labtool.private_matching import run_private_lookup

            body, pins = read_input(options.file), read_pins(configuration.pins)
            return DONE if run_private_lookup(body, options.to, client, pins, output) else WRONG
        from exchange.labtool.lookups import look_up_file

        return DONE if look_up_file(options, client, output) else WRONG


def _selectors(options: Namespace, configuration: Configuration, output: Output) -> int:
    from exchange.labtool.selectors import make_selectors

    return DONE if make_selectors(options, configuration, output) else WRONG


def _client(configuration: Configuration) -> NodeClient:
    return NodeClient(configuration.need_node(), configuration.token, configuration.timeout_s)


COMMANDS: Final[Mapping[str, Command]] = {"ranges": _ranges, "selectors": _selectors, "lookup": _lookup}
