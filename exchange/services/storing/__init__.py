"""Puts versions into the database in one transaction: the storage half of publishing.

Knows no signatures and no policy: what comes here was decided elsewhere. `store_versions` is used for what labs
publish, for the node's own notes, and for the fixed objects.
"""

from exchange.services.storing.prepared import AudienceChange, PreparedVersion, StoreResult, StoreStatus
from exchange.services.storing.store import release_versions, retrying, store_versions

__all__ = [
    "AudienceChange",
    "PreparedVersion",
    "StoreResult",
    "StoreStatus",
    "release_versions",
    "retrying",
    "store_versions",
]
