"""The audit trail names who did it, and by what a review was opened or closed."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0022_mails")]

    operations = [run("0023_actors")]
