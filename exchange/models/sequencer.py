"""The one counter of the node."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Sequencer(models.Model):
    """Last sequence number and `date_added` given out. A single row, updated last in every writing transaction.

    Its row lock is held until commit, so numbers become visible in the order in which they were given: a
    follower that asks for "after N" never misses what commits later with a smaller number.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    last_seq = models.BigIntegerField(default=0)
    last_date_added = models.DateTimeField()

    class Meta:
        db_table = "sequencer"
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="one_sequencer")]

    def __str__(self) -> str:
        return str(self.last_seq)
