"""Networks that are not to be blocked: operators' data that every reader may know of."""

from __future__ import annotations

from pathlib import Path

import django.contrib.postgres.indexes
from django.db import migrations, models

import attribution.models.networks

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("attribution", "0001_ranges")]

    operations = [
        migrations.CreateModel(
            name="AllowedNetwork",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("net", attribution.models.networks.CidrField(unique=True)),
                ("title", models.CharField(help_text="whose it is, as answers show it", max_length=200)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("lab-egress", "Lab Egress"),
                            ("cloud-front-door", "Cloud Front Door"),
                            ("university-evaluation", "University Evaluation"),
                            ("other", "Other"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "source",
                    models.CharField(help_text="where that can be looked up: a link or a document", max_length=500),
                ),
                ("expires_at", models.DateTimeField(help_text="from then on it counts no longer")),
                ("added_at", models.DateTimeField()),
                ("added_by", models.CharField(max_length=120)),
            ],
            options={
                "db_table": "allowed_network",
                "ordering": ["net"],
                "indexes": [
                    django.contrib.postgres.indexes.GistIndex(
                        django.contrib.postgres.indexes.OpClass("net", name="inet_ops"), name="allowed_network_net"
                    )
                ],
            },
        ),
        migrations.RunSQL(
            (SQL / "allowed_networks.sql").read_text(encoding="utf-8"),
            (SQL / "allowed_networks_reverse.sql").read_text(encoding="utf-8"),
        ),
    ]
