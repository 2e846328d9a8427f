"""Webhooks, and the hosts that operators let the node reach."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0010_staged_envelopes")]

    operations = [
        migrations.CreateModel(
            name="AllowedHost",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=255, unique=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={"db_table": "allowed_host", "ordering": ["host"]},
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "url",
                    models.CharField(help_text="may hold a secret of the receiver's: not for logs", max_length=2000),
                ),
                ("description", models.CharField(blank=True, max_length=200)),
                ("collection", models.CharField(help_text="alias or id, as its maker named it", max_length=100)),
                (
                    "types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=250), blank=True, default=list, size=None
                    ),
                ),
                ("secret", models.BinaryField(help_text="sealed")),
                (
                    "previous_secret",
                    models.BinaryField(blank=True, help_text="sealed; signs too until previous_until", null=True),
                ),
                ("previous_until", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("paused", "Paused"), ("stopped", "Stopped")],
                        default="active",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, help_text="why it is not active", max_length=40)),
                ("created_at", models.DateTimeField()),
                ("watermark", models.BigIntegerField()),
                ("pending_id", models.CharField(blank=True, max_length=40)),
                ("pending_upto", models.BigIntegerField(blank=True, null=True)),
                ("pending_since", models.DateTimeField(blank=True, null=True)),
                ("claim", models.UUIDField(blank=True, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("next_attempt_at", models.DateTimeField()),
                ("failures", models.PositiveIntegerField(default=0, help_text="in a row")),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("last_success_at", models.DateTimeField(blank=True, null=True)),
                ("last_failure_at", models.DateTimeField(blank=True, null=True)),
                (
                    "last_failure",
                    models.CharField(blank=True, help_text="a code; nothing of the answer", max_length=40),
                ),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="webhooks", to="exchange.lab"
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="webhooks", to="exchange.token"
                    ),
                ),
            ],
            options={
                "db_table": "webhook",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "active")), fields=["next_attempt_at"], name="webhook_due"
                    )
                ],
            },
        ),
    ]
