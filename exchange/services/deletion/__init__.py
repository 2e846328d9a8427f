"""Deletes objects, or single versions of them: bytes and salts go, tombstones refuse their return, readers are told."""

from exchange.services.deletion.delete import delete_object
from exchange.services.deletion.expiring import count_due, expire_objects

__all__ = ["count_due", "delete_object", "expire_objects"]
