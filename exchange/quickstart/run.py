"""Starts everything, in order, and keeps it running until a signal comes. Runs outside Django.

What needs the database through Django is done by provision.py in a process of its own; everything else goes by the
same doors as a lab's own tools.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from exchange.quickstart.accounts import CREDENTIALS_FILE, operator_file, read_accounts
from exchange.quickstart.crossing import altered_objects
from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.labs import LABS, DemoNode, labs_of, nodes_in
from exchange.quickstart.nodes import RunningNode, create_nodes
from exchange.quickstart.options import DEFAULT_PEER_PORT, DEFAULT_PORT, Options, choose_port
from exchange.quickstart.setting_up import Setup
from exchange.quickstart.showing import Showing
from exchange.quickstart.telling import (
    address_lines,
    crossing_lines,
    facts_of,
    lookup_lines,
    sign_in_lines,
    view_lines,
    watching_lines,
)
from exchange.stack import Stack, StackError, Supervisor
from exchange.stack.locks import try_lock

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
    ports = _choose_ports(options, say)
    say(f"starting PostgreSQL and Valkey in {options.data_dir}")
    stack = Stack(options.data_dir)
    supervisor.start(stack)
    nodes = create_nodes(stack, ports)
    data_dir = stack.data_dir

    say(f"setting up {' and '.join(demo.name for demo in ports)}, the labs and their keys")
    with Setup(nodes) as setup:
        persons = setup.provision(data_dir)
        say("starting the web servers, the workers and beat")
        for node in nodes:
            node.start_web(supervisor)
        for node in nodes:
            node.wait(supervisor.look)
        show = Showing(nodes, read_accounts(data_dir / CREDENTIALS_FILE), persons)
        show.publish_identities()
        for line in setup.exchange_identities():
            say(line)
    # Workers come last: from their first moment on they pull from the other exchange.
    for node in nodes:
        node.start_tasks(supervisor)
    _publish_and_show(show, options, supervisor, say)
    supervisor.look()
    tell(facts_of(nodes, data_dir, show))
    for line in _how_to_go_on(nodes, data_dir):
        say(line)
    say("ready")
    supervisor.wait()
    say("stopping")


def _choose_ports(options: Options, say: Say) -> dict[DemoNode, int]:
    """A port of loopback for each exchange that is to run."""
    demos = nodes_in(options.data_dir, with_peer=options.with_peer)
    asked = ((options.port, DEFAULT_PORT, "--port"), (options.peer_port, DEFAULT_PEER_PORT, "--peer-port"))
    ports: dict[DemoNode, int] = {}
    for demo, (wanted, default, option) in zip(demos, asked, strict=False):
        port = choose_port(wanted, default, option=option, chosen=ports.values())
        if port.instead_of is not None:
            say(f"port {port.instead_of} is taken, using {port.number}")
        ports[demo] = port.number
    if options.with_peer and len(demos) == 1:
        say("this data directory began with one exchange and keeps it; another one shows two")
    away = [lab.slug for lab in LABS if lab not in labs_of(demos)]
    if away:
        say(f"{', '.join(away)} lives at the other exchange of this data directory, which is not started")
    return ports


def _publish_and_show(show: Showing, options: Options, supervisor: Supervisor, say: Say) -> None:
    published = 0 if options.empty else show.publish_samples()
    if published:
        say(f"published {published} objects of sample intelligence")
    selectors = 0 if options.empty else show.publish_selectors()
    if selectors:
        say(f"published {selectors} accounts as selectors, without their identifiers")
    if published and len(show.nodes) > 1:
        say("waiting until what may cross has crossed, and has been verified there")
    # Later a lab may have withdrawn a sample; on the first day the table of the policy holds to the letter.
    show.look(supervisor.look, wait=bool(published))
    for demo, view in zip(show.labs, show.views, strict=True):
        say("")
        for line in view_lines(view, demo.custody):
            say(line)
    if show.crossings:
        say("")
        for line in crossing_lines(show.crossings, show.nodes):
            say(line)
    if selectors:
        show.look_up(supervisor.look)
        say("")
        for line in lookup_lines(show.addresses, show.accounts):
            say(line)
    say("")
    wrong = [view.lab for view in show.views if view.leaked or (published and not view.is_as_promised)]
    if wrong:
        raise QuickstartError(f"what {', '.join(wrong)} pulled is not what the sharing policy promises")
    if published and (misled := show.wrong_lookups):
        raise QuickstartError(f"what {', '.join(misled)} found by lookup is not what the sharing policy promises")
    if altered := altered_objects(show.views):
        raise QuickstartError(f"the bytes of {', '.join(altered)} are not the same for everybody")


def _how_to_go_on(nodes: Sequence[RunningNode], data_dir: Path) -> Iterator[str]:
    for node in nodes:
        yield from address_lines(node)
    if len(nodes) > 1:
        yield from watching_lines(nodes, data_dir)
    yield from sign_in_lines(data_dir, [operator_file(data_dir, node.demo) for node in nodes])
