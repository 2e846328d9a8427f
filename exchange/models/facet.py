"""What versions can be found by."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Facet(models.Model):
    """Words, tags and times of one version, taken from its bytes when it was stored; it goes when the bytes go.

    `readers` and `homes` repeat what a reader needs both of, so that one index finds what matches and may be read.
    Readers see this table through the view `facet_in_sight` alone (docs/adr/0007).
    """

    version_id = models.BigIntegerField(primary_key=True)
    object_id = models.BigIntegerField()
    readers = ArrayField(models.IntegerField(), help_text="the version's audience, alone")
    homes = ArrayField(models.IntegerField(), help_text="collections that it stands in: one, but for fixed objects")
    tags = ArrayField(models.TextField(), help_text="kind:value")
    words = SearchVectorField()
    modified = models.CharField(max_length=64, db_collation="C", help_text="the version's instant as sortable text")
    valid_from = models.CharField(max_length=64, db_collation="C", blank=True)
    valid_until = models.CharField(max_length=64, db_collation="C", blank=True)

    class Meta:
        db_table = "facet"
        indexes: ClassVar = [
            GinIndex(fields=["readers", "homes", "tags", "words"], name="facet_found"),
            models.Index(fields=["modified"], name="facet_modified"),
        ]

    def __str__(self) -> str:
        return str(self.version_id)
