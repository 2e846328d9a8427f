"""Names deliveries in the plural on operators' pages. Changes no table."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0006_token_issuers")]

    operations = [
        migrations.AlterModelOptions(name="delivery", options={"verbose_name_plural": "deliveries"}),
    ]
