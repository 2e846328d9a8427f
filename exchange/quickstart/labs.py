"""The invented labs of quickstart: who they are, where their keys are kept, and at which exchange they live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange.stack.nodes import node_home, node_names
from exchange.stix.keys import Custody

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class DemoLab:
    """A lab of the demonstration. `person` is the handle of its one person."""

    slug: str
    name: str
    custody: Custody

    @property
    def person(self) -> str:
        return f"{self.slug}-analyst"

    @property
    def scopes(self) -> list[str]:
        """A lab that holds its key has no use for the exchange's signature."""
        return ["read", "publish", "feedback", *(["sign"] if self.custody == "exchange" else [])]

    def folder(self, data_dir: Path) -> Path:
        """Where the lab's own files are: in earnest, a machine of the lab."""
        return data_dir / "labs" / self.slug


@dataclass(frozen=True, slots=True)
class DemoNode:
    """An exchange of the demonstration. Its labs have their accounts there, and their identities call it home."""

    name: str
    title: str
    labs: tuple[DemoLab, ...]

    def folder(self, data_dir: Path) -> Path:
        """Where the node's own files are."""
        return node_home(data_dir, self.name)


LABS = (
    DemoLab("aurora", "Aurora", "lab"),
    DemoLab("borealis", "Borealis", "exchange"),
    DemoLab("cobalt", "Cobalt", "lab"),
)
TITLES = {"main": "Commonwatch demonstration exchange", "cobalt-node": "Cobalt's own exchange"}
MAIN, PEER = TITLES


def find_node(name: str, labs: Sequence[str]) -> DemoNode:
    """The exchange of this name, with these labs living there."""
    return DemoNode(name, TITLES[name], tuple(lab for lab in LABS if lab.slug in labs))


def nodes_in(data_dir: Path, *, with_peer: bool) -> tuple[DemoNode, ...]:
    """The exchanges to start in a data directory.

    Where a lab lives is settled when its keys are made, for its identity names its home: in a directory that began with
    one exchange Cobalt stays there, and in one that began with two it is away while the second is not wanted.
    """
    is_settled = LABS[-1].folder(data_dir).exists()
    if not (PEER in node_names(data_dir) if is_settled else with_peer):
        return (find_node(MAIN, [lab.slug for lab in LABS]),)
    main, peer = find_node(MAIN, ["aurora", "borealis"]), find_node(PEER, ["cobalt"])
    return (main, peer) if with_peer else (main,)


def labs_of(nodes: Sequence[DemoNode]) -> list[DemoLab]:
    """Everybody who lives at one of these exchanges, in the order of `LABS`."""
    return [lab for lab in LABS if any(lab in node.labs for node in nodes)]
