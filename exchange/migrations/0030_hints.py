"""How far exchanges were told of what is new for them, and channels that were told of something."""

from __future__ import annotations

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0020_quarantine_in_turn")]

    operations = [
        migrations.AddField(
            model_name="peer",
            name="told_seq",
            field=models.BigIntegerField(default=0, help_text="an exchange was told of what is new for it up to here"),
        ),
        migrations.AddField(
            model_name="peer",
            name="tell_failures",
            field=models.PositiveIntegerField(default=0, help_text="in a row"),
        ),
        migrations.AddField(
            model_name="peer",
            name="tell_after",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), help_text="it is told nothing before"
            ),
        ),
        migrations.AddField(
            model_name="peerchannel",
            name="hinted",
            field=models.BooleanField(
                default=False, help_text="the peer said since the claim that it has something new"
            ),
        ),
    ]
