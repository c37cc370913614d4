"""The figures of the metrics page, as one SQL function anybody may call."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0003_audit")]

    operations = [run("0004_metrics")]
