"""What objects say about networks, domains and autonomous systems, in rows that lookups find."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from attribution.models.networks import CidrField


class NamedRange(models.Model):
    """One network of the newest version of an object; the rows go when that version is the newest no longer.

    Who may read it is decided by the version's entry: readers see this table through the views `range_in_sight`
    and `range_found` alone.
    kind: place in `attribution.claims.kinds.KINDS`. seen_at: what the claim decays from.
    """

    version_id = models.BigIntegerField()
    object_id = models.BigIntegerField()
    net = CidrField()
    kind = models.SmallIntegerField()
    asn = models.BigIntegerField(null=True)
    confidence = models.SmallIntegerField(null=True)
    first_seen = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "attribution_range"
        indexes: ClassVar = [
            models.Index(fields=["net"], name="attribution_range_net"),
            models.Index(fields=["asn"], name="attribution_range_asn", condition=models.Q(asn__isnull=False)),
            models.Index(fields=["object_id"], name="attribution_range_object"),
        ]

    def __str__(self) -> str:
        return str(self.net)


class NamedName(models.Model):
    """One domain or autonomous system that the newest version of an object names. Readers: `name_found`."""

    version_id = models.BigIntegerField()
    object_id = models.BigIntegerField()
    kind = models.CharField(max_length=8, help_text="domain or asn")
    value = models.CharField(max_length=253, db_collation="C", help_text="IDNA in lower case, or decimal digits")
    confidence = models.SmallIntegerField(null=True)
    seen_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "attribution_name"
        indexes: ClassVar = [
            models.Index(fields=["value", "kind"], name="attribution_name_value"),
            models.Index(fields=["object_id"], name="attribution_name_object"),
        ]

    def __str__(self) -> str:
        return self.value
