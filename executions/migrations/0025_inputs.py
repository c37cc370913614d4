"""An index for the executions that were launched about something."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0024_withdrawals")]

    operations = [run("0025_inputs")]
