"""What a webhook posts: one JSON body with a batch of entries, in REST's form, and the headers that sign it."""

from __future__ import annotations

import time
from typing import Final

import orjson

from exchange.http.entries import entry_bytes
from exchange.services.clock import now
from exchange.services.webhooks import Attempt
from exchange.services.webhooks.signing import signed_headers
from exchange.stix.timestamps import format_taxii

KIND: Final = "objects.added"
USER_AGENT: Final = "commonwatch-webhook"


def message_body(attempt: Attempt) -> bytes:
    """`{"type","timestamp","data":{"webhook","collection","objects":[…]}}`: objects as in a page of REST."""
    head = orjson.dumps({"type": KIND, "timestamp": format_taxii(now())})[:-1]
    data = orjson.dumps({"webhook": str(attempt.hook_id), "collection": attempt.collection})[:-1]
    return head + b',"data":' + data + b',"objects":[' + b",".join(map(entry_bytes, attempt.entries)) + b"]}}"


def message_headers(attempt: Attempt, body: bytes) -> dict[str, str]:
    """The headers of one attempt: its time is new each time, its id is not."""
    signed = signed_headers(attempt.secrets, attempt.message_id, int(time.time()), body)
    return {"Content-Type": "application/json", "User-Agent": USER_AGENT, **signed}
