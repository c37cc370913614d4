"""Hourly seals of the audit trail, and what the hourly check found."""

import executions.models.fields
from django.db import migrations, models

from executions.migration_sql import run


class Migration(migrations.Migration):
    dependencies = [("executions", "0010_switches")]

    operations = [
        run("0011_seals"),
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.CreateModel(
                name="AgentAuditSealed",
                fields=[
                    ("pk", models.CompositePrimaryKey("execution_id", "seal_id", blank=True, editable=False, primary_key=True, serialize=False)),
                    ("execution_id", models.UUIDField()),
                    ("seq", models.IntegerField()),
                    ("hash", models.TextField()),
                    ("seal", models.ForeignKey(on_delete=models.deletion.PROTECT, related_name="heads", to="executions.agentauditseal")),
                ],
                options={"db_table": "agent_audit_sealed", "default_permissions": ()},
            ),
            migrations.CreateModel(
                name="AgentInvariantCheck",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("at", models.DateTimeField(db_default=executions.models.fields.Now())),
                    ("hours", models.FloatField(null=True)),
                    ("seconds", models.FloatField()),
                    ("broken", models.IntegerField()),
                    ("findings", models.JSONField(db_default=[])),
                ],
                options={"db_table": "agent_invariant_checks", "default_permissions": ("view",), "verbose_name": "check of the promises"},
            ),
        ]),
    ]
