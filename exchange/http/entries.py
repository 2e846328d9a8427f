"""An entry of a collection as JSON: facts of the node around the bytes that the producer signed.

One form for all that show entries beyond TAXII: REST's lists, the event stream, webhooks. The object is put in as it is
stored; it is never parsed here.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from exchange.services.query import PageEntry
from exchange.stix.timestamps import format_taxii


def entry_bytes(entry: PageEntry) -> bytes:
    """One entry. `custody` is "" for what nobody signed: fixed objects, and what `vouched_by`, a feed, vouches for."""
    facts = {
        "collection": entry.collection,
        "date_added": format_taxii(entry.date_added),
        "version": entry.version,
        "label": entry.label.label,
        "state": entry.state,
        "producer": entry.producer,
        "producer_status": entry.producer_status,
        "custody": entry.custody,
        "vouched_by": entry.vouched_by,
    }
    return with_object(facts, entry.body)


def with_object(facts: Mapping[str, object], body: bytes) -> bytes:
    """The facts, and the object as their last member."""
    return orjson.dumps(facts)[:-1] + b',"object":' + body + b"}"
