"""Which token issued another, so that both can be stopped at once."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0005_late_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="issued_by",
            field=models.ForeignKey(
                blank=True,
                help_text="empty: an operator",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="issued",
                to="exchange.token",
            ),
        ),
    ]
