"""What push peers are still to be told: deletions, and versions that they refused."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0030_hints")]

    operations = [
        # Nothing was ever written to it.
        migrations.DeleteModel(name="PeerFailure"),
        migrations.CreateModel(
            name="PeerErrand",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("delete", "Delete"), ("post", "Post")], max_length=6)),
                ("stix_id", models.CharField(max_length=300)),
                ("version_id", models.BigIntegerField(default=0, help_text="of what is posted; 0 for a deletion")),
                (
                    "reason",
                    models.CharField(blank=True, help_text="what the peer said, printable and bounded", max_length=500),
                ),
                ("tries", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(blank=True, help_text="empty: parked", null=True)),
                ("noted_at", models.DateTimeField()),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="errands",
                        to="exchange.peerchannel",
                    ),
                ),
            ],
            options={
                "db_table": "peer_errand",
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "kind", "stix_id", "version_id"), name="one_errand_each")
                ],
            },
        ),
    ]
