"""What the publishing service asks attribution about an object (settings.CONTENT_INSPECTORS).

A selector of this node's own issuer has to be of an epoch that is open: nobody can compute one of another epoch, and so
nobody could ever match it. Selectors of other issuers are their nodes' affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exchange.services.clock import now
from exchange.services.database import execute
from exchange.services.scope_payloads import Notice, Payload
from exchange.stix.errors import pointer_to
from exchange.stix.extension_ids import SELECTOR_EXTENSION

_POINTER: Final = pointer_to(("extensions", SELECTOR_EXTENSION, "epoch"))
_OWN_EPOCH: Final = """
SELECT e.id IS NOT NULL, e.state = 'ended' OR coalesce(e.ends_at <= %(now)s, false)
FROM lab node LEFT JOIN issuer_epoch e ON e.epoch = %(epoch)s WHERE node.is_self AND node.identity_id = %(issuer)s
"""


def inspect_object(members: Mapping[str, Any]) -> tuple[Payload, ...]:
    """Nothing is carried inside a selector; of a user-account that is one, this says whether its epoch is open.

    What is stored already stays when its epoch ends: the notice refuses what is published from then on.
    """
    if members.get("type") != "user-account":
        return ()
    selector = members.get("extensions", {}).get(SELECTOR_EXTENSION)
    if not isinstance(selector, dict):
        return ()
    epoch, issuer = str(selector.get("epoch")), str(selector.get("issuer"))
    row = execute(_OWN_EPOCH, {"now": now(), "epoch": epoch, "issuer": issuer}).fetchone()
    if row is None:
        return ()
    is_known, is_over = row
    if is_known and not is_over:
        return ()
    fault = "has ended" if is_known else "never was one of this node's issuer"
    notice = Notice("selector-epoch", f"The epoch {epoch} {fault}.", refuses=True)
    return (Payload(pointer=_POINTER, kind="selector", label=None, texts=(), notices=(notice,)),)
