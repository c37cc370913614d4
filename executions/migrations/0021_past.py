"""An index for what happened to a customer before."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0020_reminders")]

    operations = [run("0021_past")]
