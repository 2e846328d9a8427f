"""Two operators' word for an identity version outside its chain."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0003_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdentityApproval",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("payload_sha256", models.CharField(max_length=64)),
                ("approved_at", models.DateTimeField()),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_approvals",
                        to="exchange.lab",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_approvals",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "identity_approval",
                "constraints": [
                    models.UniqueConstraint(fields=("lab", "payload_sha256", "operator"), name="one_word_per_operator")
                ],
            },
        ),
    ]
