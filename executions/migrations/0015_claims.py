"""Claims of reviews, and which customer a review is about."""

import django.contrib.postgres.functions
import django.db.models.deletion
import executions.models.fields
import uuid
from django.conf import settings
from django.db import migrations, models

from executions.migration_sql import run

STATE = [
    migrations.AddField(
        model_name="agentreview", name="customer_id", field=models.TextField(null=True)
    ),
    migrations.CreateModel(
        name="AgentReviewClaim",
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
            ("reason", models.TextField(db_default="")),
            ("created_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            (
                "claimant",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="claims",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "execution",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="claims",
                    to="executions.agentexecution",
                ),
            ),
            (
                "review",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="claims",
                    to="executions.agentreview",
                ),
            ),
            (
                "taken_from",
                models.ForeignKey(
                    db_column="taken_from",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="lost_claims",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "claim",
            "db_table": "agent_review_claims",
            "default_permissions": ("view",),
        },
    ),
]


class Migration(migrations.Migration):
    dependencies = [("executions", "0014_breakers")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run("0015_claims")], state_operations=STATE
        )
    ]
