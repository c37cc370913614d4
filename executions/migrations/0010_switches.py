"""A switch is pulled alone, and heard at once."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0009_desk")]

    operations = [run("0010_switches")]
