"""A second exchange, with servers of its own. Code of a test works on one node at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from exchange.models import Collection, Lab, Peer, PeerChannel
from exchange.services.collections import grant_access
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab
from exchange.services.node import NewNode, init_node
from exchange.services.outbound import allow_host
from exchange.services.peers import Credentials, add_channel, create_peer, update_peer
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stack import Stack
from exchange.stix.markings import Tlp
from tests.support.database import TestServices, close_connections, empty_tables, point_django_at
from tests.support.labs import LabHandle, admit_lab
from tests.support.server import WebServer

CROSSING = ("identities", "signatures", "attribution")
"""Collections that cross, by the same name at both ends."""


@dataclass(frozen=True, slots=True)
class OtherNode:
    """The second exchange, `home` being the services of the first. Its lab dorado is known to the first one."""

    services: TestServices
    home: TestServices
    server: WebServer
    node: NewNode
    dorado: LabHandle

    @property
    def root(self) -> str:
        """Thumbprint of its node's root key."""
        if self.node.root_key is None:
            raise AssertionError("the node was set up before")
        return self.node.root_key.kid

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside, models and services are those of this node."""
        with working_on(self.services, home=self.home):
            yield


@contextmanager
def working_on(services: TestServices, *, home: TestServices) -> Iterator[None]:
    """Inside, models and services are those of another database."""
    close_connections()
    point_django_at(services)
    try:
        yield
    finally:
        close_connections()
        point_django_at(home)


@contextmanager
def started_node(
    folder: Path, home: TestServices, number: int = 1, *, durable: bool = False
) -> Iterator[tuple[TestServices, WebServer]]:
    """The servers of another exchange, whose tables are still empty.

    Its databases are on the stack of the first one; where that has none it has a stack of its own.
    """
    with ExitStack() as opened:
        stack = home.stack or opened.enter_context(Stack(folder / "data", durable=durable))
        services = TestServices.of(stack, number)
        server = WebServer(services, folder / "web.log", workers=1)
        yield services, server
        server.stop()


def set_up(
    services: TestServices, server: WebServer, home: TestServices, *, name: str = "harbour", lab: str = "dorado"
) -> tuple[NewNode, LabHandle]:
    """A fresh exchange with one lab."""
    with working_on(services, home=home):
        empty_tables()
        node = init_node(name=name, title=name.title())
        handle = admit_lab(lab)
    if server.process is None:
        server.start()
    return node, handle


def register(slug: str, root: str, *, community: bool = True) -> str:
    """Register another exchange here, which may pull what crosses; answers its token."""
    create_peer(
        actor=OPERATOR,
        slug=slug,
        name=slug.title(),
        url=f"https://{slug}.example/exchange/",
        root=root,
        community=community,
        highest_label=Tlp.AMBER_STRICT,
    )
    lab = Lab.objects.get(slug=slug)
    for alias in CROSSING:
        grant_access(actor=OPERATOR, collection=home_of(alias), lab=lab, can_read=True, can_write=False)
    return issue_token(actor=OPERATOR, lab=lab, scopes=["read"]).secret


def add_way(slug: str, url: str, token: str) -> None:
    """Tell how a registered exchange is reached, and pull from it what crosses."""
    allow_host(actor=OPERATOR, host="localhost")
    credentials = Credentials(kind=Peer.Credentials.BEARER, token=token)
    update_peer(actor=OPERATOR, slug=slug, url=f"{url}/exchange/", credentials=credentials)
    for alias in CROSSING:
        add_channel(
            actor=OPERATOR,
            slug=slug,
            direction=PeerChannel.Direction.PULL,
            remote_collection=alias,
            collection=home_of(alias),
        )


def home_of(alias: str) -> Collection:
    return Collection.objects.get(alias=alias, api_root__slug="exchange")


def admit_known(slug: str, root: str) -> Lab:
    """Admit a lab of the other node here: its root is pinned, its identity has yet to come."""
    lab = create_lab(actor=OPERATOR, slug=slug, name=slug.title())
    pin_key(actor=OPERATOR, lab=lab, thumbprint=root)
    return lab
