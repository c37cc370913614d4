"""Old and new code on one database: which code an execution's rows need, what people approved."""

from django.db import migrations, models

from executions.migration_sql import run

STATE = [
    migrations.AddField("agentexecution", "row_format", models.IntegerField(db_default=1)),
    migrations.AddField("agentreviewvote", "tool_version", models.TextField(null=True)),
]


class Migration(migrations.Migration):
    dependencies = [("executions", "0011_seals")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run("0012_deploys")], state_operations=STATE
        )
    ]
