"""Collections bound the size of objects and how long they stay; what left by age is a state of its own."""

from django.db import migrations, models

from exchange.stix.limits import MAX_OBJECT_BYTES


class Migration(migrations.Migration):
    dependencies = [("exchange", "0011_webhooks")]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="max_object_bytes",
            field=models.PositiveIntegerField(default=MAX_OBJECT_BYTES),
        ),
        migrations.AddField(
            model_name="collection",
            name="retention_days",
            field=models.PositiveIntegerField(blank=True, help_text="empty: for ever", null=True),
        ),
        migrations.AlterField(
            model_name="stixobject",
            name="state",
            field=models.CharField(
                choices=[
                    ("current", "Current"),
                    ("disputed", "Disputed"),
                    ("suspended", "Suspended"),
                    ("revoked", "Revoked"),
                    ("deleted", "Deleted"),
                    ("expired", "Expired"),
                ],
                default="current",
                max_length=12,
            ),
        ),
    ]
