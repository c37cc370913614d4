"""What the review desk needs: edited versions of arguments, and the outbox of notifications."""

import django.contrib.postgres.functions
import django.db.models.deletion
import executions.models.fields
import uuid
from django.db import migrations, models

from executions.migration_sql import run

STATE = [
    migrations.AddField(
        model_name="agentreview", name="edited_input", field=models.JSONField(null=True)
    ),
    migrations.CreateModel(
        name="AgentNotification",
        fields=[
            (
                "id",
                models.UUIDField(
                    db_default=django.contrib.postgres.functions.RandomUUID(),
                    default=uuid.uuid4,
                    editable=False,
                    primary_key=True,
                    serialize=False,
                ),
            ),
            ("is_urgent", models.BooleanField()),
            ("created_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("due_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("attempts", models.IntegerField(db_default=0)),
            ("told", models.JSONField(db_default=models.Value([], models.JSONField()))),
            ("error", models.TextField(null=True)),
            ("closed_at", models.DateTimeField(null=True)),
            (
                "review",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="notification",
                    to="executions.agentreview",
                ),
            ),
        ],
        options={"db_table": "agent_notifications", "default_permissions": ()},
    ),
]


class Migration(migrations.Migration):
    dependencies = [("executions", "0004_metrics")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run("0009_desk")], state_operations=STATE
        )
    ]
