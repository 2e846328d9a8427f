"""What waits in quarantine is judged in turns, knows what notes are about, and may be let in by two operators."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0015_lab_homes"),
    ]

    operations = [
        migrations.CreateModel(
            name="OverrideApproval",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("approved_at", models.DateTimeField()),
            ],
            options={
                "db_table": "override_approval",
            },
        ),
        migrations.AddField(
            model_name="quarantinedobject",
            name="about",
            field=models.CharField(blank=True, help_text="of a note of withdrawal: the object's id", max_length=300),
        ),
        migrations.AddField(
            model_name="quarantinedobject",
            name="about_producer",
            field=models.CharField(blank=True, help_text="of such a note: the producer's identity", max_length=300),
        ),
        migrations.AddField(
            model_name="quarantinedobject",
            name="judged_at",
            field=models.DateTimeField(blank=True, help_text="again, the last time; empty: never", null=True),
        ),
        migrations.AddField(
            model_name="quarantinedobject",
            name="judgings",
            field=models.PositiveSmallIntegerField(default=0, help_text="how often it was judged again, and waits on"),
        ),
        migrations.AddIndex(
            model_name="quarantinedobject",
            index=models.Index(
                condition=models.Q(("state", "waiting"), models.Q(("about", ""), _negated=True)),
                fields=["peer", "about"],
                name="quarantine_about",
            ),
        ),
        migrations.AddIndex(
            model_name="quarantinedobject",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["peer", "judged_at", "id"], name="quarantine_turn"
            ),
        ),
        migrations.AddField(
            model_name="overrideapproval",
            name="operator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="overrideapproval",
            name="quarantined",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="approvals", to="exchange.quarantinedobject"
            ),
        ),
        migrations.AddConstraint(
            model_name="overrideapproval",
            constraint=models.UniqueConstraint(fields=("quarantined", "operator"), name="one_word_of_each_operator"),
        ),
    ]
