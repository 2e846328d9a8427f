"""One exchange of the demonstration as it runs here: its address, its folder, its processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.quickstart.labs import DemoNode
from exchange.quickstart.processes import (
    LOGS,
    SMALL,
    Size,
    process_environment,
    task_processes,
    wait_until_ready,
    web_process,
)
from exchange.quickstart.provisioners import Provisioner
from exchange.stack import Stack, Supervisor
from exchange.stack.nodes import DEFAULT_NODE, create_node, node_environment, set_node_address


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node on the stack, at a port of loopback. Output of the first one's parts is in log/, of another's below."""

    demo: DemoNode
    port: int
    data_dir: Path
    environment: dict[str, str]
    size: Size

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def root_url(self) -> str:
        """Where its peers find it."""
        return f"{self.address}/exchange/"

    @property
    def home(self) -> Path:
        return self.demo.folder(self.data_dir)

    @property
    def log_dir(self) -> Path:
        logs = self.data_dir / LOGS
        return logs if self.demo.name == DEFAULT_NODE else logs / self.demo.name

    def provisioner(self) -> Provisioner:
        """The process that sets it up."""
        self.log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Provisioner(self.demo, self.environment, self.data_dir, self.log_dir / "provision.log")

    def start_web(self, supervisor: Supervisor) -> None:
        """Start its web server, and do not wait for it."""
        supervisor.start(web_process(self.environment, self.home, self.log_dir / "web.log", self.port, self.size))

    def start_tasks(self, supervisor: Supervisor) -> None:
        """Start what works in the background."""
        for process in task_processes(self.environment, self.home, self.log_dir, self.size):
            supervisor.start(process)

    def wait(self, look: Callable[[], None]) -> None:
        """Wait until the web server says that every part is usable.

        Raises:
            QuickstartError: it does not.
        """
        wait_until_ready(self.address, self.log_dir / "web.log", look)


def create_nodes(stack: Stack, ports: Mapping[DemoNode, int]) -> list[RunningNode]:
    """Give each its database and its address; only the first has more processes than it needs.

    Raises:
        StackError: the stack has no room, or is damaged.
    """
    nodes: list[RunningNode] = []
    for demo, port in ports.items():
        create_node(stack, demo.name)
        set_node_address(stack.data_dir, demo.name, f"http://localhost:{port}")
        environment = process_environment(node_environment(stack, demo.name), demo.folder(stack.data_dir))
        nodes.append(RunningNode(demo, port, stack.data_dir, environment, SMALL if nodes else Size()))
    return nodes
