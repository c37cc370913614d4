"""Whether single keys do something for a person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_user_time_zone")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="shortcuts",
            field=models.BooleanField(
                db_default=True, default=True, verbose_name="keyboard shortcuts"
            ),
        )
    ]
