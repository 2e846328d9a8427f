"""The sequence that readers follow."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Entry(models.Model):
    """A version's place in its home collection (partitioned by seq, under row-level security).

    `seq` and `date_added` are unique on the node and rise in commit order. `newest_audience` is the audience
    of the object's newest version, repeated here so that "in the audience of both" needs no join.
    """

    pk = models.CompositePrimaryKey("collection_id", "seq")
    seq = models.BigIntegerField()
    collection_id = models.IntegerField()
    date_added = models.DateTimeField()
    version_id = models.BigIntegerField()
    object_id = models.BigIntegerField()
    type = models.CharField(max_length=250)
    audience_id = models.IntegerField()
    newest_audience_id = models.IntegerField()
    is_newest = models.BooleanField()
    is_first = models.BooleanField()
    is_late = models.BooleanField(default=False, help_text="came after a newer version")
    is_shared = models.BooleanField(default=False, help_text="a fixed object outside its home: not in views")

    class Meta:
        db_table = "entry"
        indexes: ClassVar = [
            models.Index(fields=["collection_id", "seq"], name="entry_newest", condition=Q(is_newest=True)),
            models.Index(
                fields=["collection_id", "type", "seq"], name="entry_newest_type", condition=Q(is_newest=True)
            ),
            # Of views alone: on a page of one collection they would lead past the entries of all others.
            models.Index(fields=["seq"], name="entry_newest_all", condition=Q(is_newest=True, is_shared=False)),
            models.Index(fields=["seq"], name="entry_all", condition=Q(is_shared=False)),
            models.Index(fields=["collection_id", "seq"], name="entry_late", condition=Q(is_late=True)),
            models.Index(fields=["object_id"], name="entry_object"),
            models.Index(fields=["date_added"], name="entry_date"),
        ]

    def __str__(self) -> str:
        return str(self.seq)
