"""A vote can be withdrawn by who cast it, before anything follows from it."""

from django.db import migrations, models

from executions.migration_sql import run

STATE = [
    migrations.AddField(
        model_name="agentreviewvote",
        name="withdrawn_at",
        field=models.DateTimeField(null=True),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("executions", "0023_actors")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run("0024_withdrawals")], state_operations=STATE
        )
    ]
