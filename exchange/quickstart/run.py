"""Starts everything, in order, and keeps it running until a signal comes. Runs outside Django.

What needs the database through Django is done by provision.py in a process of its own; everything else goes by the
same doors as a lab's own tools.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from exchange.quickstart.accounts import CREDENTIALS_FILE, OPERATOR_FILE, PINS_FILE, Account, read_accounts
from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.labs import LABS, NODE
from exchange.quickstart.options import Options, choose_port
from exchange.quickstart.processes import CODE_DIR, node_processes, process_environment, wait_until_ready
from exchange.quickstart.publication import PUBLISHED_FILE, publish_identities, publish_samples, sample_identities
from exchange.quickstart.telling import address_lines, facts_of, sign_in_lines, view_lines
from exchange.quickstart.viewing import LabView, view_as
from exchange.stack import Stack, StackError, Supervisor
from exchange.stack.locks import try_lock
from exchange.stack.nodes import create_node, node_environment, node_home, set_node_address

PROVISION_TIMEOUT_S = 180.0

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
    address = f"http://localhost:{port.number}"

    say(f"starting PostgreSQL and Valkey in {options.data_dir}")
    stack = Stack(options.data_dir)
    supervisor.start(stack)
    create_node(stack, NODE)
    set_node_address(stack.data_dir, NODE, address)
    home, log_dir = node_home(stack.data_dir, NODE), stack.data_dir / "log"
    environment = process_environment(node_environment(stack, NODE), home)

    say("setting up the node, its labs and their keys")
    provisioned = _provision(environment, stack.data_dir, log_dir / "provision.log")
    say("starting the web server, the worker and beat")
    for process in node_processes(environment, home, log_dir, port.number):
        supervisor.start(process)
    wait_until_ready(address, log_dir / "web.log", supervisor.look)

    accounts = read_accounts(stack.data_dir / CREDENTIALS_FILE)
    views = _publish_and_show(options, stack.data_dir, home, accounts, provisioned["persons"], say)
    supervisor.look()
    tell(facts_of(address, stack.data_dir, views))
    for line in address_lines(address):
        say(line)
    data_dir = stack.data_dir
    for line in sign_in_lines(*(str(data_dir / name) for name in (CREDENTIALS_FILE, OPERATOR_FILE, PINS_FILE, "labs"))):
        say(line)
    say("ready")
    supervisor.wait()
    say("stopping")


def _provision(environment: Mapping[str, str], data_dir: Path, log_path: Path) -> dict[str, Any]:
    argv = [sys.executable, "-m", "exchange.quickstart.provision", str(data_dir)]
    fd = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w+b") as log:
        done = subprocess.run(
            argv,
            # Set but empty, it would mean the current folder.
            env={name: value for name, value in environment.items() if name != "PROMETHEUS_MULTIPROC_DIR"},
            cwd=CODE_DIR,
            stdout=subprocess.PIPE,
            stderr=log,
            timeout=PROVISION_TIMEOUT_S,
            check=False,
        )
    if done.returncode != 0:
        lines = log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise QuickstartError(f"the node could not be set up: {lines[-1] if lines else 'no reason given'} ({log_path})")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _publish_and_show(
    options: Options,
    data_dir: Path,
    home: Path,
    accounts: Mapping[str, Account],
    persons: Mapping[str, str],
    say: Say,
) -> list[LabView]:
    publish_identities(accounts, data_dir)
    marker = home / PUBLISHED_FILE
    published = 0 if options.empty else publish_samples(accounts, persons, marker)
    if published:
        say(f"published {published} objects of sample intelligence")
    identities = sample_identities(accounts, persons)
    views = [
        view_as(accounts[demo.slug], data_dir / PINS_FILE, identities, with_samples=marker.exists()) for demo in LABS
    ]
    for demo, view in zip(LABS, views, strict=True):
        say("")
        for line in view_lines(view, demo.custody):
            say(line)
    say("")
    # Later a lab may have withdrawn a sample; on the first day the table of the policy holds to the letter.
    wrong = [view.lab for view in views if view.leaked or (published and not view.is_as_promised)]
    if wrong:
        raise QuickstartError(f"what {', '.join(wrong)} pulled is not what the sharing policy promises")
    return views
