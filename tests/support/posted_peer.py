"""A peer that is pushed to: what it holds, and the ways in which it answers a post that is not simply taken."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.bad_peer import ROOT, Answering, Exchange

REQUESTED = "2026-01-01T00:00:00.000000Z"


@dataclass(slots=True)
class Shelf:
    """What the peer has taken, by id: the bytes of each version, in order.

    poison: ids that it refuses, with a message. pending_looks: how often a status is asked for before it is final.
    most_objects: envelopes beyond are 413. rejects: answers 422 to an envelope that holds poison, instead of a status.
    forgets: knows no status again. jealous: calls it a failure to be posted what it holds.
    """

    held: dict[str, list[bytes]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    poison: dict[str, str] = field(default_factory=dict)
    pending_looks: int = 0
    most_objects: int = 1_000
    rejects: bool = False
    forgets: bool = False
    jealous: bool = False
    looks: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, envelope: bytes) -> dict[str, Any]:
        """Take what is not poisoned, once; the final status."""
        successes, failures = [], []
        for each in json.loads(envelope)["objects"]:
            named = {"id": each["id"], "version": each.get("modified", REQUESTED)}
            body = json.dumps(each, sort_keys=True).encode()
            is_held = body in self.held.get(each["id"], [])
            if each["id"] in self.poison or (self.jealous and is_held):
                failures.append(named | {"message": self.poison.get(each["id"], "unable to process")})
                continue
            successes.append(named)
            versions = self.held.setdefault(each["id"], [])
            if not is_held:
                versions.append(body)
                self.order.append(each["id"])
        status = {
            "id": str(uuid.uuid4()),
            "status": "complete",
            "request_timestamp": REQUESTED,
            "total_count": len(successes) + len(failures),
            "success_count": len(successes),
            "failure_count": len(failures),
            "pending_count": 0,
            "successes": successes,
            "failures": failures,
        }
        self.statuses[str(status["id"])] = status
        return status

    def delete(self, stix_id: str) -> bool:
        self.order.append(f"-{stix_id}")
        return self.held.pop(stix_id, None) is not None


def shelving(shelf: Shelf) -> Answering:
    """How such a peer answers; for `BadPeer.always`."""

    def answer(exchange: Exchange) -> None:
        asked = exchange.asked
        steps = [unquote(step) for step in asked.path.removeprefix(ROOT).split("/") if step]
        match asked.method, steps:
            case "GET", []:
                exchange.send_json(exchange.peer.dials.root)
            case "POST", ["collections", _, "objects"]:
                _post(exchange, shelf)
            case "GET", ["status", status_id]:
                _show(exchange, shelf, status_id)
            case "GET", ["collections", _, "objects", stix_id, "versions"] if stix_id in shelf.held:
                exchange.send_json({"versions": [json.loads(each)["modified"] for each in shelf.held[stix_id]]})
            case "DELETE", ["collections", _, "objects", stix_id]:
                exchange.send(*((200, b"") if shelf.delete(stix_id) else (404, b'{"title":"not here"}')))
            case _:
                exchange.send(404, b'{"title":"there is no such thing"}')

    return answer


def _post(exchange: Exchange, shelf: Shelf) -> None:
    objects = json.loads(exchange.asked.body)["objects"]
    exchange.peer.posted.append(exchange.asked.body)
    if len(objects) > shelf.most_objects:
        exchange.send(413, b'{"title":"too much"}')
    elif shelf.rejects and any(each["id"] in shelf.poison for each in objects):
        exchange.send(422, b'{"title":"one of them is bad"}')
    else:
        status = shelf.take(exchange.asked.body)
        exchange.send(202, json.dumps(_as_seen(shelf, status)).encode())


def _show(exchange: Exchange, shelf: Shelf, status_id: str) -> None:
    status = shelf.statuses.get(status_id)
    if status is None or shelf.forgets:
        exchange.send(404, b'{"title":"no such status"}')
        return
    shelf.looks[status_id] += 1
    exchange.send_json(_as_seen(shelf, status))


def _as_seen(shelf: Shelf, status: dict[str, Any]) -> dict[str, Any]:
    """The status, pending for as many looks as the peer takes to decide."""
    if shelf.looks[status["id"]] >= shelf.pending_looks:
        return status
    counted = {"success_count": 0, "failure_count": 0, "pending_count": status["total_count"]}
    return status | {"status": "pending", "successes": [], "failures": []} | counted


def take_and_hang_up(shelf: Shelf) -> Answering:
    """The envelope is taken and the answer never comes: for `BadPeer.script`."""

    def answer(exchange: Exchange) -> None:
        shelf.take(exchange.asked.body)
        exchange.close_connection = True

    return answer
