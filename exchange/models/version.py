"""Versions of objects: the bytes that were received, and what was derived from them once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from exchange.models.stix_object import StixObject


class Version(models.Model):
    """One signed version. `body` is served verbatim; it is never re-serialised (partitioned by id)."""

    id = models.BigAutoField(primary_key=True)
    object = models.ForeignKey(StixObject, on_delete=models.PROTECT, related_name="versions", db_index=False)
    version_text = models.CharField(max_length=64, help_text="`modified`, else `created`, else the signature's iat")
    body = models.BinaryField()
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of the signature payload")
    label = models.SmallIntegerField()
    audience_id = models.IntegerField()
    distribution = models.CharField(max_length=64, blank=True, help_text="id of the distribution marking, if any")
    kid = models.CharField(max_length=43, blank=True, help_text="empty: unsigned, so fixed or vouched by its peer")
    origin_peer_id = models.IntegerField(null=True, blank=True, help_text="the peer that it came from, if from one")
    received_at = models.DateTimeField(help_text="when this node first saw it")

    class Meta:
        db_table = "version"

    def __str__(self) -> str:
        return str(self.id)


class VersionKey(models.Model):
    """(object, version) is unique across the partitions of `version`; the digest tells same from conflicting.

    `version_key` is the version's instant as sortable text at full precision (a PostgreSQL timestamp would
    round STIX's fractions to microseconds).
    """

    pk = models.CompositePrimaryKey("object_id", "version_key")
    object = models.ForeignKey(StixObject, on_delete=models.CASCADE, related_name="version_keys", db_index=False)
    version_key = models.CharField(max_length=64, db_collation="C")
    version_id = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        db_table = "version_key"
        indexes: ClassVar = [models.Index(fields=["version_id"], name="version_key_version")]

    def __str__(self) -> str:
        return f"{self.object_id} {self.version_key}"
