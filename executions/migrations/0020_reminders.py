"""Reviewers are reminded, a group is told of what is late, and a webhook of what is closed."""

import django.db.models.deletion
from django.db import migrations, models

from executions.migration_sql import run

STATE = [
    migrations.AlterField(
        model_name="agentnotification",
        name="review",
        field=models.ForeignKey(
            on_delete=django.db.models.deletion.CASCADE,
            related_name="notifications",
            to="executions.agentreview",
        ),
    ),
    migrations.AddField(
        model_name="agentnotification",
        name="stage",
        field=models.TextField(
            choices=[
                ("opened", "opened"),
                ("reminded", "reminded"),
                ("escalated", "escalated"),
                ("closed", "closed"),
            ],
            db_default="opened",
        ),
    ),
    migrations.AddField(
        model_name="agentnotification",
        name="at_percent",
        field=models.IntegerField(db_default=0),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("executions", "0018_speed")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run("0020_reminders")], state_operations=STATE
        )
    ]
