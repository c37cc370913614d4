"""The audit trail, written by triggers."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0002_guards")]

    operations = [run("0003_audit")]
