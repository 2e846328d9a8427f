"""Labs, the node itself and its peers: everybody who signs, and feeds that do not."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Lab(models.Model):
    """A signer with an identity and keys: a member lab, or an exchange node; or a feed that signs nothing.

    A node is a row of its own kind because it signs like a lab (withdrawals). Nodes and feeds have no persons; those of
    peers have tokens and grants by which they pull. `identity_id` is empty until the first identity under a pinned root
    key has arrived.
    """

    class Kind(models.TextChoices):
        LAB = "lab"
        NODE = "node"
        FEED = "feed"

    class Status(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"

    id = models.AutoField(primary_key=True)
    slug = models.SlugField(unique=True, max_length=64)
    name = models.CharField(max_length=200)
    contact = models.CharField(max_length=500, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.LAB)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    status_since = models.DateTimeField()
    identity_id = models.CharField(max_length=64, unique=True, null=True, blank=True)
    is_self = models.BooleanField(default=False, help_text="this node's own row")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "lab"
        ordering: ClassVar = ["slug"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["is_self"], condition=models.Q(is_self=True), name="one_self_node"),
            models.CheckConstraint(
                condition=models.Q(is_self=False) | models.Q(kind="node"), name="only_a_node_is_self"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE
