"""API roots, collections, and who may read or write them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from exchange.models.lab import Lab
from exchange.stix.limits import MAX_OBJECT_BYTES

DEFAULT_MAX_CONTENT_BYTES = 50 * 1024 * 1024
"""Largest request body of an API root: a full envelope of 1,000 objects of 50 kB."""

DEFAULT_PAGE_LIMIT = 1_000


class ApiRoot(models.Model):
    """A TAXII API root: one trust group (TAXII 2.1 section 4.2)."""

    id = models.AutoField(primary_key=True)
    slug = models.SlugField(unique=True, max_length=64)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    max_content_bytes = models.PositiveIntegerField(default=DEFAULT_MAX_CONTENT_BYTES)

    class Meta:
        db_table = "api_root"
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.slug


class Collection(models.Model):
    """A TAXII collection: the home of objects, or a read-only view of all the others of its root.

    `floor` is the loosest label it takes (0 CLEAR to 4 RED). `scope` decides whether the scope guard applies.
    """

    class Scope(models.TextChoices):
        AGREEMENT = "agreement"
        OPEN = "open"

    id = models.AutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    api_root = models.ForeignKey(ApiRoot, on_delete=models.PROTECT, related_name="collections")
    alias = models.SlugField(max_length=64)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    scope = models.CharField(max_length=12, choices=Scope, default=Scope.AGREEMENT)
    floor = models.SmallIntegerField(default=0)
    public = models.BooleanField(default=False, help_text="what is TLP:CLEAR in it is for everybody")
    is_view = models.BooleanField(default=False, help_text="read-only view of the root's other collections")
    page_limit = models.PositiveIntegerField(default=DEFAULT_PAGE_LIMIT)
    max_object_bytes = models.PositiveIntegerField(default=MAX_OBJECT_BYTES)
    retention_days = models.PositiveIntegerField(null=True, blank=True, help_text="empty: for ever")

    class Meta:
        db_table = "collection"
        ordering: ClassVar = ["public_id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["api_root", "alias"], name="alias_unique_in_root")]

    def __str__(self) -> str:
        return self.alias


class Grant(models.Model):
    """What one lab may do with one collection. Acts at the next request."""

    id = models.AutoField(primary_key=True)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="grants")
    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="grants")
    can_read = models.BooleanField(default=True)
    can_write = models.BooleanField(default=False)

    class Meta:
        db_table = "collection_grant"
        constraints: ClassVar = [models.UniqueConstraint(fields=["collection", "lab"], name="one_grant_per_lab")]

    def __str__(self) -> str:
        return f"{self.lab_id} on {self.collection_id}"
