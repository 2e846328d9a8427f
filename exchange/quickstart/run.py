"""Starts everything, in order, and keeps it running until a signal comes. Runs outside Django.

What needs the database through Django is done by provision.py in a process of its own; everything else goes by the
same doors as a lab's own tools.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from exchange.quickstart.accounts import (
    CREDENTIALS_FILE,
    PINS_FILE,
    Account,
    operator_file,
    read_accounts,
    write_private_json,
)
from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.labs import LABS, find_node, labs_of
from exchange.quickstart.nodes import RunningNode, create_nodes
from exchange.quickstart.options import Options, choose_port
from exchange.quickstart.processes import Size
from exchange.quickstart.publication import PUBLISHED_FILE, publish_identities, publish_samples, sample_identities
from exchange.quickstart.telling import address_lines, facts_of, sign_in_lines, view_lines
from exchange.quickstart.viewing import LabView, view_as
from exchange.stack import Stack, StackError, Supervisor
from exchange.stack.locks import try_lock
from exchange.stack.nodes import DEFAULT_NODE

Say = Callable[[str], None]
Tell = Callable[[Mapping[str, Any]], None]


def run_quickstart(options: Options, say: Say, tell: Tell) -> None:
    """Bring the exchange up, show what each lab sees, say `ready`, and serve until SIGINT or SIGTERM.

    say: takes each line for a person. tell: takes the same as facts, once, before the last line.

    Raises:
        QuickstartError: with one line; everything that was started is stopped by then.
    """
    try:
        lock_fd = _lock(options.data_dir)
        try:
            with Supervisor(say) as supervisor:
                _run(options, supervisor, say, tell)
        finally:
            os.close(lock_fd)
    except StackError as error:
        raise QuickstartError(str(error)) from None


def _lock(data_dir: Path) -> int:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_fd = try_lock(data_dir / "quickstart.lock")
    except OSError as error:
        raise QuickstartError(f"the data directory {data_dir} cannot be used: {error.strerror}") from None
    if lock_fd is None:
        raise QuickstartError(f"quickstart is running in {data_dir} already")
    return lock_fd


def _run(options: Options, supervisor: Supervisor, say: Say, tell: Tell) -> None:
    port = choose_port(options.port)
    if port.instead_of is not None:
        say(f"port {port.instead_of} is taken, using {port.number}")
    if options.with_peer:
        if options.peer_port is not None:
            choose_port(options.peer_port)
        say("one exchange for now; the second one, on the peer port, comes into use with federation")
    ports = {find_node(DEFAULT_NODE, [lab.slug for lab in LABS]): port.number}

    say(f"starting PostgreSQL and Valkey in {options.data_dir}")
    stack = Stack(options.data_dir)
    supervisor.start(stack)
    nodes = create_nodes(stack, ports, Size())
    data_dir = stack.data_dir

    say("setting up the node, its labs and their keys")
    persons = _provision(nodes, data_dir)
    say("starting the web server, the worker and beat")
    for node in nodes:
        node.start_web(supervisor)
        node.start_tasks(supervisor)
    for node in nodes:
        node.wait(supervisor.look)

    accounts = read_accounts(data_dir / CREDENTIALS_FILE)
    views = _publish_and_show(options, nodes, accounts, persons, say)
    supervisor.look()
    tell(facts_of(nodes[0].address, data_dir, views))
    for line in address_lines(nodes[0].address):
        say(line)
    for line in sign_in_lines(data_dir, [operator_file(data_dir, node.demo) for node in nodes]):
        say(line)
    say("ready")
    supervisor.wait()
    say("stopping")


def _provision(nodes: Sequence[RunningNode], data_dir: Path) -> dict[str, str]:
    """Set every node up, all at once, and write whom to trust; answers the identities of the labs' persons."""
    with ExitStack() as opened:
        provisioners = [opened.enter_context(node.provisioner()) for node in nodes]
        for each in provisioners:
            each.ask("provision")
        answers = [each.answer() for each in provisioners]
    write_private_json(data_dir / PINS_FILE, {name: pins for each in answers for name, pins in each["pins"].items()})
    return {lab: identity for each in answers for lab, identity in each["persons"].items()}


def _publish_and_show(
    options: Options,
    nodes: Sequence[RunningNode],
    accounts: Mapping[str, Account],
    persons: Mapping[str, str],
    say: Say,
) -> list[LabView]:
    labs, main = labs_of([node.demo for node in nodes]), nodes[0]
    publish_identities(labs, accounts, main.data_dir)
    marker, identities = main.home / PUBLISHED_FILE, sample_identities(accounts, persons)
    published = 0 if options.empty else publish_samples(labs, accounts, identities, marker)
    if published:
        say(f"published {published} objects of sample intelligence")
    pins = main.data_dir / PINS_FILE
    views = [view_as(accounts[demo.slug], pins, identities, with_samples=marker.exists()) for demo in labs]
    for demo, view in zip(labs, views, strict=True):
        say("")
        for line in view_lines(view, demo.custody):
            say(line)
    say("")
    # Later a lab may have withdrawn a sample; on the first day the table of the policy holds to the letter.
    wrong = [view.lab for view in views if view.leaked or (published and not view.is_as_promised)]
    if wrong:
        raise QuickstartError(f"what {', '.join(wrong)} pulled is not what the sharing policy promises")
    return views
