"""Peers, the channels to them, and what of theirs waits for a person."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0013_view_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="version",
            name="origin_peer_id",
            field=models.IntegerField(blank=True, help_text="the peer that it came from, if from one", null=True),
        ),
        migrations.AlterField(
            model_name="lab",
            name="kind",
            field=models.CharField(
                choices=[("lab", "Lab"), ("node", "Node"), ("feed", "Feed")], default="lab", max_length=8
            ),
        ),
        migrations.AlterField(
            model_name="version",
            name="kid",
            field=models.CharField(
                blank=True, help_text="empty: unsigned, so fixed or vouched by its peer", max_length=43
            ),
        ),
        migrations.CreateModel(
            name="Peer",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("url", models.CharField(help_text="of its API root", max_length=2000)),
                (
                    "credentials",
                    models.CharField(
                        choices=[
                            ("none", "None"),
                            ("basic", "Basic"),
                            ("bearer", "Bearer"),
                            ("certificate", "Certificate"),
                        ],
                        default="none",
                        max_length=12,
                    ),
                ),
                (
                    "sealed",
                    models.BinaryField(blank=True, help_text="the secrets behind the credentials, sealed", null=True),
                ),
                (
                    "authorities",
                    models.TextField(blank=True, help_text="PEM of the CAs behind its certificate; empty: system"),
                ),
                (
                    "pinned_certificate",
                    models.CharField(blank=True, help_text="SHA-256 of its certificate, in hex", max_length=64),
                ),
                ("community", models.BooleanField(default=False, help_text="of the same community: GREEN may cross")),
                (
                    "accepts_unsigned",
                    models.BooleanField(default=False, help_text="take what nobody signed, shown as vouched by it"),
                ),
                (
                    "default_label",
                    models.SmallIntegerField(default=2, help_text="of what it sends unmarked; 2 is AMBER"),
                ),
                (
                    "highest_label",
                    models.SmallIntegerField(default=1, help_text="the strictest that is sent to it; 1 is GREEN"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("paused", "Paused")], default="active", max_length=8
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "lab",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="peer", to="exchange.lab"
                    ),
                ),
            ],
            options={
                "db_table": "peer",
            },
        ),
        migrations.CreateModel(
            name="PeerChannel",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("direction", models.CharField(choices=[("pull", "Pull"), ("push", "Push")], max_length=4)),
                ("remote_collection", models.CharField(help_text="id or alias at the peer", max_length=100)),
                ("interval_s", models.PositiveIntegerField(default=60)),
                ("created_at", models.DateTimeField()),
                ("added_after", models.CharField(blank=True, max_length=64)),
                ("next", models.TextField(blank=True)),
                ("last_seq", models.BigIntegerField(default=0)),
                ("pending_upto", models.BigIntegerField(blank=True, null=True)),
                (
                    "pending_status",
                    models.CharField(blank=True, help_text="id of the status at the peer", max_length=100),
                ),
                ("pending_since", models.DateTimeField(blank=True, null=True)),
                ("claim", models.UUIDField(blank=True, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("next_attempt_at", models.DateTimeField()),
                ("failures", models.PositiveIntegerField(default=0, help_text="in a row")),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("last_failure_at", models.DateTimeField(blank=True, null=True)),
                ("last_failure", models.CharField(blank=True, help_text="a code", max_length=40)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("last_success_at", models.DateTimeField(blank=True, null=True)),
                (
                    "last_date",
                    models.CharField(blank=True, help_text="date_added of the last object that came", max_length=64),
                ),
                (
                    "behind_since",
                    models.DateTimeField(blank=True, help_text="since when there was more to come", null=True),
                ),
                ("moved", models.BigIntegerField(default=0, help_text="objects taken or given, since the beginning")),
                ("moved_last_run", models.BigIntegerField(default=0)),
                ("seconds_last_run", models.FloatField(default=0.0)),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="channels", to="exchange.collection"
                    ),
                ),
                (
                    "peer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="channels", to="exchange.peer"
                    ),
                ),
            ],
            options={
                "db_table": "peer_channel",
            },
        ),
        migrations.CreateModel(
            name="PeerFailure",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("version_id", models.BigIntegerField()),
                ("stix_id", models.CharField(max_length=300)),
                ("reason", models.CharField(help_text="what the peer said, printable and bounded", max_length=500)),
                ("tries", models.PositiveIntegerField(default=1)),
                ("next_attempt_at", models.DateTimeField(blank=True, help_text="empty: parked", null=True)),
                ("failed_at", models.DateTimeField()),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="refused", to="exchange.peerchannel"
                    ),
                ),
            ],
            options={
                "db_table": "peer_failure",
            },
        ),
        migrations.CreateModel(
            name="QuarantinedObject",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sha256", models.BinaryField(help_text="of the bytes", max_length=32)),
                ("body", models.BinaryField()),
                ("stix_id", models.CharField(blank=True, max_length=300)),
                ("version_text", models.CharField(blank=True, max_length=64)),
                ("creator", models.CharField(blank=True, help_text="created_by_ref", max_length=300)),
                ("kid", models.CharField(blank=True, max_length=43)),
                ("reason", models.CharField(help_text="a code", max_length=60)),
                ("detail", models.CharField(blank=True, max_length=500)),
                ("received_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("released", "Released"), ("dropped", "Dropped")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by", models.CharField(blank=True, max_length=64)),
                (
                    "channel",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="exchange.peerchannel",
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="exchange.collection"
                    ),
                ),
                (
                    "peer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="quarantined", to="exchange.peer"
                    ),
                ),
            ],
            options={
                "db_table": "quarantine",
            },
        ),
        migrations.AddIndex(
            model_name="peerchannel",
            index=models.Index(fields=["next_attempt_at"], name="peer_channel_due"),
        ),
        migrations.AddConstraint(
            model_name="peerchannel",
            constraint=models.UniqueConstraint(
                fields=("peer", "direction", "remote_collection", "collection"), name="one_channel_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="peerfailure",
            constraint=models.UniqueConstraint(fields=("channel", "version_id"), name="one_failure_per_version"),
        ),
        migrations.AddIndex(
            model_name="quarantinedobject",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["kid"], name="quarantine_kid"),
        ),
        migrations.AddIndex(
            model_name="quarantinedobject",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["creator"], name="quarantine_creator"),
        ),
        migrations.AddConstraint(
            model_name="quarantinedobject",
            constraint=models.UniqueConstraint(fields=("peer", "collection", "sha256"), name="quarantined_once"),
        ),
        migrations.RunSQL(
            sql=(SQL / "peers.sql").read_text(encoding="utf-8"),
            reverse_sql=(SQL / "peers_reverse.sql").read_text(encoding="utf-8"),
        ),
    ]
