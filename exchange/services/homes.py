"""The homes that labs' newest identities name: kept beside them, and taken from them again.

Which version of an identity is in force is decided by its chain (exchange/stix/chain_state.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from exchange.models import Lab, LabHome
from exchange.stix.chain import KeyState
from exchange.stix.extensions import Home
from exchange.stix.reading import read_object
from exchange.stix.signature import open_signed


def store_homes(lab: Lab, homes: Iterable[Home]) -> bool:
    """Keep the homes of the lab's newest identity and no others; tells whether they are others than before.

    The caller is inside `writing()`. Rows are touched only where they change: each change makes every process forget
    what it remembers of rights.
    """
    wanted = {home.node: home.exclusive for home in homes}
    known = homes_of(lab)
    if wanted == known:
        return False
    LabHome.objects.filter(lab=lab).exclude(node_thumbprint__in=wanted).delete()
    for node, exclusive in wanted.items():
        if known.get(node) is not exclusive:
            LabHome.objects.update_or_create(lab=lab, node_thumbprint=node, defaults={"exclusive": exclusive})
    return True


def homes_of(lab: Lab) -> dict[str, bool]:
    """Root thumbprints of the nodes that the lab calls home, with whether each serves it alone."""
    return dict(LabHome.objects.filter(lab=lab).values_list("node_thumbprint", "exclusive"))


_LABS: Final = "SELECT id, identity_id FROM lab WHERE identity_id IS NOT NULL ORDER BY id"
_VERSIONS: Final = """
SELECT v.body, v.received_at FROM version v JOIN object o ON o.id = v.object_id
WHERE o.producer_id = %(lab)s AND o.stix_id = %(identity)s ORDER BY v.id
"""
_INSERT: Final = """
INSERT INTO lab_home (lab_id, node_thumbprint, exclusive) VALUES (%(lab)s, %(node)s, %(exclusive)s)
"""


def refill_homes(connection: BaseDatabaseWrapper) -> int:
    """Write the homes of all stored identities into the empty table, as the owner of the tables; answers how many.

    For the migration that added the table, so it asks for no column that came later.
    """
    raw: psycopg.Connection = connection.connection
    cursor, written = psycopg.Cursor(raw), 0
    for lab, identity in cursor.execute(_LABS, binary=True).fetchall():
        rows = cursor.execute(_VERSIONS, {"lab": lab, "identity": identity}, binary=True).fetchall()
        stored = [(open_signed(read_object(bytes(body))), received_at) for body, received_at in rows]
        homes = KeyState.recall(identity, stored).homes if stored else ()
        for home in homes:
            cursor.execute(_INSERT, {"lab": lab, "node": home.node, "exclusive": home.exclusive})
        written += len(homes)
    return written
