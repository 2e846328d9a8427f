"""Leaves of the transparency log, written with each operation and integrated into the tree later."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Leaf(models.Model):
    """One operation: a salted commitment, or a record in clear for keys and membership.

    `salt` and `record` go to whoever may read the object; a deletion empties them and the leaf stays as a
    commitment to nothing that can be found. `log_index` is given when the log integrates the leaf.
    """

    seq = models.BigIntegerField(primary_key=True)
    operation = models.CharField(max_length=20)
    lab_id = models.IntegerField()
    version_id = models.BigIntegerField(null=True, blank=True)
    salt = models.BinaryField(max_length=32, null=True, blank=True)
    record = models.BinaryField(null=True, blank=True)
    data = models.BinaryField(help_text="the leaf's bytes: JCS of the commitment or of the clear record")
    log_index = models.BigIntegerField(null=True, blank=True, unique=True)

    class Meta:
        db_table = "leaf"
        indexes: ClassVar = [models.Index(fields=["version_id"], name="leaf_version")]

    def __str__(self) -> str:
        return f"{self.seq} {self.operation}"
