"""Puts versions into the database in one transaction: the storage half of publishing.

Knows no signatures and no policy: what comes here was decided elsewhere. A transaction that stores in one step uses
`store_versions`; one with several steps, or several producers, uses a `Batch`.
"""

from exchange.services.storing.batch import Batch
from exchange.services.storing.prepared import AudienceChange, PreparedVersion, StoreResult, StoreStatus
from exchange.services.storing.store import retrying, store_versions

__all__ = [
    "AudienceChange",
    "Batch",
    "PreparedVersion",
    "StoreResult",
    "StoreStatus",
    "retrying",
    "store_versions",
]
