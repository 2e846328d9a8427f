"""Versions, entries, deliveries and audit events: partitioned, so their tables are written in SQL."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="AuditEvent",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        (
                            "actor",
                            models.CharField(
                                help_text="token:<prefix>, person:<handle>, operator, or node", max_length=120
                            ),
                        ),
                        ("lab_id", models.IntegerField(blank=True, null=True)),
                        ("action", models.CharField(max_length=60)),
                        ("subject", models.CharField(blank=True, max_length=300)),
                        ("detail", models.JSONField(default=dict)),
                    ],
                    options={
                        "db_table": "audit",
                        "indexes": [models.Index(fields=["action", "at"], name="audit_action")],
                    },
                ),
                migrations.CreateModel(
                    name="Delivery",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("lab_id", models.IntegerField(blank=True, help_text="empty for anonymous readers", null=True)),
                        ("person_id", models.IntegerField(blank=True, null=True)),
                        ("token_id", models.IntegerField(blank=True, null=True)),
                        ("door", models.CharField(max_length=24)),
                        (
                            "collection_ids",
                            django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None),
                        ),
                        ("seq_from", models.BigIntegerField()),
                        ("seq_to", models.BigIntegerField()),
                        ("filter", models.JSONField(default=dict)),
                        (
                            "audience_ids",
                            django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None),
                        ),
                    ],
                    options={
                        "db_table": "delivery",
                        "indexes": [models.Index(fields=["seq_to", "seq_from"], name="delivery_range")],
                    },
                ),
                migrations.CreateModel(
                    name="Entry",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "collection_id", "seq", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("seq", models.BigIntegerField()),
                        ("collection_id", models.IntegerField()),
                        ("date_added", models.DateTimeField()),
                        ("version_id", models.BigIntegerField()),
                        ("object_id", models.BigIntegerField()),
                        ("type", models.CharField(max_length=250)),
                        ("audience_id", models.IntegerField()),
                        ("newest_audience_id", models.IntegerField()),
                        ("is_newest", models.BooleanField()),
                        ("is_first", models.BooleanField()),
                        (
                            "is_shared",
                            models.BooleanField(
                                default=False, help_text="a fixed object outside its home: not in views"
                            ),
                        ),
                    ],
                    options={
                        "db_table": "entry",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("is_newest", True)),
                                fields=["collection_id", "seq"],
                                name="entry_newest",
                            ),
                            models.Index(
                                condition=models.Q(("is_newest", True)),
                                fields=["collection_id", "type", "seq"],
                                name="entry_newest_type",
                            ),
                            models.Index(
                                condition=models.Q(("is_newest", True)), fields=["seq"], name="entry_newest_all"
                            ),
                            models.Index(fields=["object_id"], name="entry_object"),
                            models.Index(fields=["date_added"], name="entry_date"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Version",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "version_text",
                            models.CharField(
                                help_text="`modified`, else `created`, else the signature's iat", max_length=64
                            ),
                        ),
                        ("body", models.BinaryField()),
                        ("digest", models.BinaryField(help_text="SHA-256 of the signature payload", max_length=32)),
                        ("label", models.SmallIntegerField()),
                        ("audience_id", models.IntegerField()),
                        (
                            "distribution",
                            models.CharField(
                                blank=True, help_text="id of the distribution marking, if any", max_length=64
                            ),
                        ),
                        ("kid", models.CharField(blank=True, max_length=43)),
                        ("received_at", models.DateTimeField(help_text="when this node first saw it")),
                        (
                            "object",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="versions",
                                to="exchange.stixobject",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "version",
                    },
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    (SQL / "partitions.sql").read_text(encoding="utf-8"),
                    (SQL / "partitions_reverse.sql").read_text(encoding="utf-8"),
                ),
            ],
        ),
    ]
