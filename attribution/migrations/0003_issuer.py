"""The issuer of selectors: keys by epoch, and evaluations by lab and day."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("attribution", "0002_allowed_networks")]

    operations = [
        migrations.CreateModel(
            name="IssuerEpoch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "epoch",
                    models.CharField(help_text="YYYY-MM; later epochs have later names", max_length=7, unique=True),
                ),
                ("public_key", models.BinaryField(max_length=32)),
                ("sealed", models.BinaryField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("current", "Current"), ("accepted", "Accepted"), ("ended", "Ended")], max_length=8
                    ),
                ),
                ("began_at", models.DateTimeField()),
                (
                    "ends_at",
                    models.DateTimeField(blank=True, help_text="set when the next epoch begins", null=True),
                ),
            ],
            options={
                "db_table": "issuer_epoch",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "current")), fields=("state",), name="one_current_epoch"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EvaluationBudget",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("lab_id", models.IntegerField()),
                ("day", models.DateField()),
                ("used", models.PositiveIntegerField()),
            ],
            options={
                "db_table": "evaluation_budget",
                "constraints": [models.UniqueConstraint(fields=("day", "lab_id"), name="one_budget_per_lab_and_day")],
            },
        ),
    ]
