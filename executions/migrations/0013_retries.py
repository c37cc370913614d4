"""Find an execution's retries without reading a million others."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0012_deploys")]

    operations = [run("0013_retries")]
