"""Sets all nodes up at once, and then makes two of them peers: each says what the other has to know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from exchange.quickstart.accounts import PINS_FILE, write_private_json
from exchange.quickstart.nodes import RunningNode
from exchange.quickstart.provisioners import Provisioner

Pins = Mapping[str, Sequence[str]]


class Setup:
    """The processes that set the nodes up, one each; use it as a context."""

    def __init__(self, nodes: Sequence[RunningNode]) -> None:
        self._nodes = nodes
        self._opened = ExitStack()
        self._provisioners: list[Provisioner] = []

    def provision(self, data_dir: Path) -> dict[str, str]:
        """Provision every node, write whom to trust, and peer them; answers the identities of the labs' persons.

        Raises:
            QuickstartError: one of them could not be set up.
        """
        answers = self._ask_all("provision")
        pins: Pins = {name: roots for each in answers for name, roots in each["pins"].items()}
        _keep_pins(data_dir / PINS_FILE, pins)
        if len(self._nodes) > 1:
            # Each is told of the other, and gets the token that the other one issued. The second one pushes to the
            # first what the first would pull, as one that nobody reaches from outside would do.
            facts = [_facts_of(other, pins) for other in self._others]
            tokens = self._ask_all("admit", *({**each, "posts": not place} for place, each in enumerate(facts)))
            ways = zip(self._others, reversed(tokens), strict=True)
            self._ask_all(
                "reach",
                *(
                    {"name": other.demo.name, "url": other.root_url, "pushes": bool(place), **token}
                    for place, (other, token) in enumerate(ways)
                ),
            )
        return {lab: identity for each in answers for lab, identity in each["persons"].items()}

    def exchange_identities(self) -> list[str]:
        """Have each node take the identities that the other has; answers a line for each that could not.

        Raises:
            QuickstartError: a process has ended.
        """
        if len(self._nodes) < 2:
            return []
        answers = self._ask_all("pull-identities", *({"name": other.demo.name} for other in self._others))
        return [
            f"{node.demo.name} could not pull identities: {answer['failure']}; list_peers shows more"
            for node, answer in zip(self._nodes, answers, strict=True)
            if answer["failure"]
        ]

    @property
    def _others(self) -> list[RunningNode]:
        return list(reversed(self._nodes))

    def _ask_all(self, act: str, *arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Have all nodes do something at once; arguments: those of each, or none."""
        for provisioner, own in zip(self._provisioners, arguments or [{}] * len(self._provisioners), strict=True):
            provisioner.ask(act, **own)
        return [provisioner.answer() for provisioner in self._provisioners]

    def __enter__(self) -> Self:
        with self._opened as opening:
            self._provisioners = [opening.enter_context(node.provisioner()) for node in self._nodes]
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, value, trace)


def _facts_of(node: RunningNode, pins: Pins) -> dict[str, Any]:
    """What another exchange has to know of a node and of the labs that live there."""
    return {
        "name": node.demo.name,
        "title": node.demo.title,
        "url": node.root_url,
        "root": pins[node.demo.name][0],
        "labs": {lab.slug: {"name": lab.name, "root": pins[lab.slug][0]} for lab in node.demo.labs},
    }


def _keep_pins(path: Path, pins: Pins) -> None:
    """Those of a node that is not started now stay as they are."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write_private_json(path, {**known, **pins})
