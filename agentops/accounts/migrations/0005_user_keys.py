"""Which single keys a person has put elsewhere."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_user_shortcuts")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="keys",
            field=models.JSONField(
                blank=True, db_default=models.Value({}, models.JSONField()), default=dict
            ),
        )
    ]
