"""The nodes that labs call their homes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from exchange.models.lab import Lab


class LabHome(models.Model):
    """A node that the newest identity of a lab names as its home (docs/wire-format.md, "Keys").

    A copy of what the identity says, made with it in one transaction, so that what may cross to a peer is known without
    opening identities. The node is known by the thumbprint of a root key: the lab may name one that is no peer here.
    """

    id = models.AutoField(primary_key=True)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="homes")
    node_thumbprint = models.CharField(max_length=43, db_index=True)
    exclusive = models.BooleanField(help_text="it serves this lab alone: AMBER+STRICT may cross")

    class Meta:
        db_table = "lab_home"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lab", "node_thumbprint"], name="a_home_is_named_once")
        ]

    def __str__(self) -> str:
        return f"{self.lab_id} {self.node_thumbprint}"
