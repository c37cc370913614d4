"""One row per tool whose last outcome was a failure: its circuit breaker."""

from django.db import migrations, models

from executions.migration_sql import run

STATE = [
    migrations.CreateModel(
        name="AgentBreaker",
        fields=[
            ("tool_name", models.TextField(primary_key=True, serialize=False)),
            ("failures", models.IntegerField(db_default=1)),
            ("last_error", models.TextField(db_default="")),
            ("opened_at", models.DateTimeField(null=True)),
            ("open_until", models.DateTimeField(null=True)),
            ("probe_call", models.UUIDField(null=True)),
        ],
        options={
            "verbose_name": "circuit breaker",
            "db_table": "agent_breakers",
            "default_permissions": ("view",),
        },
    ),
]


class Migration(migrations.Migration):
    dependencies = [("executions", "0013_retries")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run("0014_breakers")], state_operations=STATE
        )
    ]
