"""What versions can be found by."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

PLACE_BITS = 32
"""Room for the audience in a place; the collection stands above it."""


def place_of(collection_id: int, audience_id: int) -> int:
    """What `facet_place` in SQL answers."""
    return collection_id << PLACE_BITS | audience_id


class Facet(models.Model):
    """Words, tags and times of one version, taken from its bytes when it was stored; it goes when the bytes go.

    A place is a collection in which the version stands together with its audience, in one number: what a reader needs
    both of, so that one index finds what matches and may be read (`place_of`).
    Readers see this table through the view `facet_in_sight` alone (docs/adr/0007).
    """

    version_id = models.BigIntegerField(primary_key=True)
    object_id = models.BigIntegerField()
    audience_id = models.IntegerField()
    places = ArrayField(models.BigIntegerField(), help_text="one, but for fixed objects")
    tags = ArrayField(models.TextField(), help_text="kind:value")
    words = SearchVectorField()
    modified = models.CharField(max_length=64, db_collation="C", help_text="the version's instant as sortable text")
    valid_from = models.CharField(max_length=64, db_collation="C", blank=True)
    valid_until = models.CharField(max_length=64, db_collation="C", blank=True)

    class Meta:
        db_table = "facet"
        indexes: ClassVar = [
            GinIndex(fields=["places", "tags", "words"], name="facet_found"),
            models.Index(fields=["modified"], name="facet_modified"),
        ]

    def __str__(self) -> str:
        return str(self.version_id)
