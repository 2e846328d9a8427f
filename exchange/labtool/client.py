"""The REST face of one node (`/api/v1/`) for a lab: publish, read single objects, ask who we are.

Objects go out as the bytes that were given and come back as the bytes that the node kept. Reading whole
collections is `feed.py`; judging what comes is `pulling.py`.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Final
from urllib.parse import quote, urlencode

import requests

from exchange.labtool.address import NodeAddress, parse_node_address
from exchange.labtool.answers import (
    Collection,
    Entry,
    Identity,
    Lab,
    ListedFault,
    Problem,
    Result,
    collections_of,
    entries_of,
    identity_of,
    labs_of,
    problem_of,
    results_of,
)
from exchange.labtool.errors import DataError, RefusedError, UnreachableError
from exchange.labtool.feed import Feed
from exchange.labtool.transport import DEFAULT_TIMEOUT_S, BoundedSession, Limits

# One request is one transaction on the node; a larger publication goes in several.
MAX_BATCH_OBJECTS: Final = 500
MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
# What HTTP says about the bodies we sent, not about us (RFC 9110 section 15.5).
_ABOUT_THE_DATA: Final = frozenset({400, 409, 413, 415, 422})


class NodeClient(AbstractContextManager["NodeClient"]):
    """One node, as one token's owner sees it.

    Raises from every call: UnreachableError when the node cannot be reached or is none, RefusedError when it
    refuses the request, DataError when it refuses the body as a whole.
    """

    def __init__(self, node_url: str, token: str | None = None, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self.address: NodeAddress = parse_node_address(node_url)
        self._session = BoundedSession(
            token=token, limits=Limits(timeout_s=timeout_s), is_loopback=self.address.is_loopback
        )

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def feed(self) -> Feed:
        """The node's TAXII face, over the same connections."""
        return Feed(self.address, self._session)

    def whoami(self) -> Identity:
        """Whom the token speaks for."""
        return identity_of(self._read("whoami/"))

    def collections(self) -> list[Collection]:
        """The collections that we may see."""
        return collections_of(self._read("collections/"))

    def labs(self) -> list[Lab]:
        """The members of this node."""
        return labs_of(self._read("labs/"))

    def selector_epochs(self) -> bytes:
        """The issuer's answer about its epochs; `issuer.py` reads it and decides whether to believe it."""
        return self._read("selectors/epochs/")

    def evaluate_blinded(self, epoch: str, blinded: Sequence[str]) -> bytes:
        """The issuer's answer to blinded values, each in hexadecimal; `issuer.py` reads it and verifies the proof."""
        body = json.dumps({"epoch": epoch, "blinded": list(blinded)}).encode()
        headers = {"Content-Type": "application/json"}
        response = self._session.post(self.address.rest_url("selectors/evaluate/"), data=body, headers=headers)
        return _accepted(response).content

    def get_object(self, stix_id: str) -> list[Entry]:
        """The newest version by each producer that we may see; none looks like "not allowed"."""
        response = self._session.get(self.address.rest_url(f"objects/{quote(stix_id, safe='')}/"))
        if response.status_code == requests.codes.not_found:
            return []
        return entries_of(_accepted(response).content)

    def delete_object(self, stix_id: str) -> None:
        """Delete all versions of our own object; a tombstone stays."""
        _accepted(self._session.delete(self.address.rest_url(f"objects/{quote(stix_id, safe='')}/")))

    def look_up(self, body: bytes, *, include_stale: bool = False) -> bytes:
        """Ask about JSON lines; the answers, a line for each in the same order."""
        url = self.address.rest_url("attribution/lookup/") + ("?include=stale" if include_stale else "")
        headers = {"Content-Type": "application/x-ndjson"}
        return _accepted(self._session.post(url, data=body, headers=headers)).content

    def publish(
        self,
        objects: Iterable[bytes],
        *,
        sign: bool = False,
        dry_run: bool = False,
        collection: str | None = None,
        on_batch: Callable[[int], None] = lambda _count: None,
    ) -> list[Result]:
        """Post objects, in batches, in the order given; one result each, in that order.

        sign: the node signs unsigned objects with our exchange-held key. dry_run: check, store nothing.
        collection: an alias; without it the node chooses by type. on_batch: called with the number of objects
        answered for so far. When a later batch is refused as a whole, earlier ones stand; publishing again is
        harmless.
        """
        options = {"sign": "true" if sign else None, "dry_run": "true" if dry_run else None, "collection": collection}
        query = urlencode({name: value for name, value in options.items() if value is not None})
        url = self.address.rest_url("objects/") + (f"?{query}" if query else "")
        results: list[Result] = []
        for batch in batches(objects):
            results += self._publish_batch(url, batch)
            on_batch(len(results))
        return results

    def _publish_batch(self, url: str, batch: Sequence[bytes]) -> list[Result]:
        body = b"[" + b",".join(batch) + b"]"
        # Our own retry must not count as a second publication, which matters where the node signs.
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        response = self._session.post(url, data=body, headers=headers)
        if response.ok:
            results = results_of(response.content)
            if len(results) != len(batch):
                raise UnreachableError("the node's answer does not fit the objects sent")
            return results
        problem = problem_of(response)
        if not problem.errors:
            raise _error_of(response, problem)
        by_index = {fault.index: fault for fault in problem.errors}
        return [_failed(by_index.get(index), problem) for index in range(len(batch))]

    def _read(self, path: str) -> bytes:
        return _accepted(self._session.get(self.address.rest_url(path))).content


def batches(objects: Iterable[bytes]) -> Iterable[list[bytes]]:
    """Cut a publication into requests of bounded count and size, keeping the order."""
    batch: list[bytes] = []
    size_bytes = 0
    for item in objects:
        if batch and (len(batch) >= MAX_BATCH_OBJECTS or size_bytes + len(item) > MAX_BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(item)
        size_bytes += len(item)
    if batch:
        yield batch


def _failed(listed: ListedFault | None, problem: Problem) -> Result:
    """What a refusal of the whole request says of one of its objects."""
    if listed is None:
        return Result(id=None, version=None, status="failed", error=problem.as_fault())
    return Result(id=listed.id, version=None, status="failed", error=listed.fault)


def _accepted(response: requests.Response) -> requests.Response:
    if not response.ok:
        raise _error_of(response, problem_of(response))
    return response


def _error_of(response: requests.Response, problem: Problem) -> DataError | RefusedError:
    status = response.status_code
    if status in _ABOUT_THE_DATA and response.request.method == "POST":
        return DataError(f"the node refused the data: {problem.in_one_line()}")
    return RefusedError(f"the node refused: HTTP {status}: {problem.in_one_line()}", status)
