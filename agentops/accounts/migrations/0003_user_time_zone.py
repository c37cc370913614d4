"""The zone in which a person reads times."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_system_user")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        )
    ]
