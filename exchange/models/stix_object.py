"""STIX objects as such, apart from their versions: references, tombstones, and versions that are held back."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from exchange.models.collection import Collection
from exchange.models.lab import Lab


class StixObject(models.Model):
    """One object of one producer. Observables have the same id for everybody, so the key is (producer, id)."""

    class State(models.TextChoices):
        CURRENT = "current"
        DISPUTED = "disputed"
        SUSPENDED = "suspended"
        REVOKED = "revoked"
        DELETED = "deleted"
        EXPIRED = "expired"

    id = models.BigAutoField(primary_key=True)
    producer = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="stix_objects")
    stix_id = models.CharField(max_length=300)
    type = models.CharField(max_length=250)
    home_collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="stix_objects")
    created_text = models.CharField(max_length=64, blank=True, help_text="`created` as sent: constant over versions")
    newest_version_id = models.BigIntegerField(null=True, blank=True)
    newest_audience_id = models.IntegerField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.CURRENT)
    state_since = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "object"
        constraints: ClassVar = [models.UniqueConstraint(fields=["producer", "stix_id"], name="object_per_producer")]
        indexes: ClassVar = [models.Index(fields=["stix_id"], name="object_stix_id")]

    def __str__(self) -> str:
        return self.stix_id


class Reference(models.Model):
    """A version names another object: what "not looser than what it refers to" is checked against."""

    id = models.BigAutoField(primary_key=True)
    version_id = models.BigIntegerField()
    property = models.CharField(max_length=250)
    target_stix_id = models.CharField(max_length=300)

    class Meta:
        db_table = "reference"
        indexes: ClassVar = [
            models.Index(fields=["target_stix_id"], name="reference_target"),
            models.Index(fields=["version_id"], name="reference_version"),
        ]

    def __str__(self) -> str:
        return f"{self.property} {self.target_stix_id}"


class HeldVersion(models.Model):
    """A version whose distribution marking is not known here yet: stored, in nobody's view."""

    id = models.BigAutoField(primary_key=True)
    version_id = models.BigIntegerField(unique=True)
    object = models.ForeignKey(StixObject, on_delete=models.CASCADE, related_name="held_versions")
    missing_marking = models.CharField(max_length=64, db_index=True)
    held_since = models.DateTimeField()

    class Meta:
        db_table = "held"

    def __str__(self) -> str:
        return f"{self.version_id} waits for {self.missing_marking}"


class Tombstone(models.Model):
    """What remains of a deleted version: enough to refuse its return, nothing of its content."""

    id = models.BigAutoField(primary_key=True)
    seq = models.BigIntegerField()
    object = models.ForeignKey(StixObject, on_delete=models.PROTECT, related_name="tombstones")
    version_key = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=32)
    audience_id = models.IntegerField()
    deleted_at = models.DateTimeField()

    class Meta:
        db_table = "tombstone"

    def __str__(self) -> str:
        return f"{self.object_id} {self.version_key}"
