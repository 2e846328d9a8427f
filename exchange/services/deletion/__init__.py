"""Deletes objects, or single versions of them: bytes and salts go, tombstones refuse their return, readers are told."""

from exchange.services.deletion.delete import delete_object

__all__ = ["delete_object"]
