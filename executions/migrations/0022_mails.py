"""An index for the mails that an address has had from us."""

from django.db import migrations

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0021_past")]

    operations = [run("0022_mails")]
