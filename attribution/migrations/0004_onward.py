"""Requests for onward sharing: seen by the two labs that they are between."""

from __future__ import annotations

import uuid
from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0003_issuer"),
        ("exchange", "0031_errands"),
    ]

    operations = [
        migrations.CreateModel(
            name="OnwardRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("object_id", models.BigIntegerField()),
                ("stix_id", models.CharField(max_length=300)),
                ("version_text", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=500)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("granted", "Granted"),
                            ("refused", "Refused"),
                            ("expired", "Expired"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="asked",
                        max_length=12,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decision",
                    models.CharField(blank=True, choices=[("grant", "Grant"), ("refuse", "Refuse")], max_length=8),
                ),
                ("decision_reason", models.CharField(blank=True, max_length=500)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.CharField(blank=True, help_text="as in the audit log; for its own lab", max_length=120),
                ),
                ("granting_version", models.CharField(blank=True, max_length=64)),
                (
                    "asker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="onward_asked",
                        to="exchange.lab",
                    ),
                ),
                (
                    "for_lab",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="onward_for",
                        to="exchange.lab",
                    ),
                ),
                (
                    "producer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="onward_received",
                        to="exchange.lab",
                    ),
                ),
            ],
            options={
                "db_table": "onward_request",
                "indexes": [
                    models.Index(fields=["asker", "asked_at"], name="onward_asker"),
                    models.Index(fields=["producer", "asked_at"], name="onward_producer"),
                    models.Index(condition=models.Q(("state", "asked")), fields=["object_id"], name="onward_open"),
                ],
            },
        ),
        migrations.RunSQL(
            (SQL / "onward.sql").read_text(encoding="utf-8"),
            (SQL / "onward_reverse.sql").read_text(encoding="utf-8"),
        ),
    ]
