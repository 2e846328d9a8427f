"""taxii2-client over our transport: it builds the requests of TAXII 2.1, and the bytes of the answers are ours.

What the client would make of an answer is of no use here: it parses without bounds, follows `more` for ever and refuses
peers that leave out a title. So a hook takes each answer as it came, and the client is given an empty object instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from taxii2client.common import _HTTPConnection
from taxii2client.v21 import Collection

from exchange.sync.peers.errors import PeerError, PeerFault
from exchange.sync.peers.lines import Call
from exchange.sync.peers.reading import CODING
from exchange.sync.peers.transport import Transport

TAXII: Final = "application/taxii+json;version=2.1"
USER_AGENT: Final = "commonwatch-peer"

MAX_CONTENT_TYPE_CHARS: Final = 256
_MEDIA_TYPE: Final = "application/taxii+json"
_VERSION: Final = "2.1"

_SENT_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What of a prepared request is sent; the transport says the rest."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came: headers by names in lower case, and the body byte for byte."""

    headers: Mapping[str, str]
    body: bytes


class TaxiiClient:
    """Requests to one peer. Raises: PeerError, from each of its methods."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._taken: list[Taken] = []
        self._connection = _Connection(version="2.1", user_agent=USER_AGENT)
        self._connection.session.close()
        self._connection.session = self._session()

    def get(self, url: str) -> Taken:
        """Any TAXII resource."""
        return self._ask(lambda: self._connection.get(url))

    def get_objects(self, url: str, filters: Mapping[str, Any]) -> Taken:
        """GET objects (section 5.4) of the collection at this URL; filters as taxii2-client names them."""
        return self._ask(lambda: self._collection(url).get_objects(**filters))

    def get_manifest(self, url: str, filters: Mapping[str, Any]) -> Taken:
        """GET manifest (section 5.3) of the collection at this URL; filters as taxii2-client names them."""
        return self._ask(lambda: self._collection(url).get_manifest(**filters))

    def post(self, url: str, envelope: bytes) -> Taken:
        """POST objects (section 5.5) to the collection at this URL."""
        headers = {"Accept": TAXII, "Content-Type": TAXII}
        return self._ask(lambda: self._connection.post(f"{url}objects/", headers=headers, data=envelope))

    def delete(self, url: str, object_id: str, filters: Mapping[str, Any]) -> None:
        """DELETE an object (section 5.7) of the collection at this URL."""
        self._ask(lambda: self._collection(url).delete_object(object_id, **filters))

    def close(self) -> None:
        self._connection.close()

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers = CaseInsensitiveDict({"User-Agent": USER_AGENT, "Accept-Encoding": CODING})
        session.hooks["response"] = [self._take]
        session.mount("https://", _Adapter(self._transport))
        session.mount("http://", _Adapter(self._transport))
        return session

    def _collection(self, url: str) -> Collection:
        """Made by hand: the client would ask for the collection first, and refuse one without a title."""
        known = {"id": url.rstrip("/").rpartition("/")[2], "title": "-", "can_read": True, "can_write": True}
        return Collection(url, conn=self._connection, collection_info=known)

    def _take(self, response: requests.Response, **_options: object) -> None:
        """The response hook: keep the answer, if it is TAXII or need not be."""
        assert isinstance(response, _Response)
        # A DELETE has no body (section 5.7), and so servers leave its type out.
        if response.request.method != "DELETE" and not _is_taxii(response.headers.get("Content-Type", "")):
            raise PeerError(PeerFault.MALFORMED, f"the answer is not {TAXII}")
        self._taken.append(Taken({name.lower(): value for name, value in response.headers.items()}, response.body))

    def _ask(self, request: Callable[[], object]) -> Taken:
        self._taken.clear()
        try:
            request()
        except requests.RequestException:
            # The transport raises errors of ours; requests stumbles over URLs alone.
            raise PeerError(PeerFault.TARGET_REFUSED, "this is no URL of a peer") from None
        return self._taken.pop()


class _Connection(_HTTPConnection):  # type: ignore[misc]  # taxii2-client has no types
    def valid_content_type(self, content_type: str, accept: str) -> bool:  # noqa: ARG002 - the client names them
        """The hook has judged it, and compares no text."""
        return True


class _Response(requests.Response):
    """What the client sees: the status and headers of the answer, and `{}`. `body` is what came."""

    def __init__(self, request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__()
        self.request = request
        self.url = request.url or ""
        self.status_code = status
        self.headers = CaseInsensitiveDict(headers)
        self.raw = BytesIO(b"{}")
        self.body = body


class _Adapter(BaseAdapter):
    """Hands prepared requests to the transport. Timeouts, TLS, proxies and redirects are the transport's own."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

    def send(self, request: requests.PreparedRequest, *_arguments: Any, **_options: Any) -> requests.Response:
        headers = {name: request.headers[name] for name in _SENT_HEADERS if name in request.headers}
        body = request.body or b""
        assert isinstance(body, bytes)
        answer = self._transport.ask(Call(request.method or "", request.url or "", headers, body))
        return _Response(request, answer.status, answer.headers, answer.body)

    def close(self) -> None:
        self._transport.close()


def _is_taxii(content_type: str) -> bool:
    """Whether this is TAXII 2.1, with or without the version (section 1.6.8): there is one that this node asks for."""
    message = Message()
    message["Content-Type"] = content_type[:MAX_CONTENT_TYPE_CHARS]
    return message.get_content_type() == _MEDIA_TYPE and message.get_param("version", _VERSION) == _VERSION
