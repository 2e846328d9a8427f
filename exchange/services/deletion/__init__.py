"""Deletes objects, or single versions of them: bytes and salts go, tombstones refuse their return, readers are told."""

from exchange.services.deletion.delete import check_deletable, delete_object, remove_taken_back
from exchange.services.deletion.expiring import count_due, expire_objects

__all__ = ["check_deletable", "count_due", "delete_object", "expire_objects", "remove_taken_back"]
