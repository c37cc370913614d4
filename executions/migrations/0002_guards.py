"""What must never happen, refused by the database."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0001_tables")]

    operations = [run("0002_guards"), run("0002_reviews"), run("0002_kept")]
