"""A reviewer may ask the agent: a review ends by that, and no figure takes it for a decision."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0015_claims")]

    operations = [run("0016_asking")]
