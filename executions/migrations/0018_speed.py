"""Figures of many windows and agents in one reading, however long the history."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0016_asking")]

    operations = [run("0018_speed")]
