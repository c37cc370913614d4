"""The tables of SQL file 0001, as Django sees them; their DDL is in `sql/0001_tables.sql`."""

import django.contrib.postgres.functions
import django.db.models.deletion
import executions.models.fields
import uuid
from django.conf import settings
from django.db import migrations, models

from executions.migration_sql import run

STATE = [
    migrations.CreateModel(
        name="AgentAuditSeal",
        fields=[
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("executions", models.BigIntegerField()),
            ("events", models.BigIntegerField()),
            ("heads_hash", models.TextField()),
            ("prev_hash", models.TextField()),
        ],
        options={
            "db_table": "agent_audit_seals",
            "default_permissions": ("view",),
        },
    ),
    migrations.CreateModel(
        name="AgentBudget",
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
            (
                "scope",
                models.TextField(
                    choices=[
                        ("all", "all"),
                        ("agent", "agent"),
                        ("user", "user"),
                        ("customer", "customer"),
                    ]
                ),
            ),
            ("key", models.TextField(db_default="")),
            ("period_from", models.DateTimeField()),
            ("period_to", models.DateTimeField()),
            ("limit_usd", models.DecimalField(decimal_places=6, max_digits=14, null=True)),
            ("limit_tokens", models.BigIntegerField(null=True)),
            ("reserved_usd", models.DecimalField(db_default=0, decimal_places=6, max_digits=14)),
            ("spent_usd", models.DecimalField(db_default=0, decimal_places=6, max_digits=14)),
            ("reserved_tokens", models.BigIntegerField(db_default=0)),
            ("spent_tokens", models.BigIntegerField(db_default=0)),
        ],
        options={
            "db_table": "agent_budgets",
        },
    ),
    migrations.CreateModel(
        name="AgentDefinition",
        fields=[
            ("sha256", models.TextField(primary_key=True, serialize=False)),
            ("agent_type", models.TextField()),
            ("body", models.JSONField()),
            ("created_at", models.DateTimeField(db_default=executions.models.fields.Now())),
        ],
        options={
            "db_table": "agent_definitions",
        },
    ),
    migrations.CreateModel(
        name="AgentGatedTool",
        fields=[
            ("tool_name", models.TextField(primary_key=True, serialize=False)),
            ("least_votes", models.IntegerField(db_default=1)),
        ],
        options={
            "db_table": "agent_gated_tools",
            "default_permissions": (),
        },
    ),
    migrations.CreateModel(
        name="AgentRunner",
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
            ("lock_key", models.BigIntegerField(editable=False)),
            ("host", models.TextField()),
            ("pid", models.IntegerField()),
            ("capacity", models.IntegerField()),
            ("is_solo", models.BooleanField(db_default=False)),
            ("version", models.TextField(db_default="")),
            ("in_flight", models.IntegerField(db_default=0)),
            ("is_draining", models.BooleanField(db_default=False)),
            ("started_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("heartbeat_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("lease_until", models.DateTimeField()),
            ("dead_at", models.DateTimeField(null=True)),
            ("last_batch", models.BigIntegerField(db_default=0)),
        ],
        options={
            "verbose_name": "runner",
            "db_table": "agent_runners",
            "default_permissions": ("view",),
        },
    ),
    migrations.CreateModel(
        name="AgentControl",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "scope", "key", blank=True, editable=False, primary_key=True, serialize=False
                ),
            ),
            (
                "scope",
                models.TextField(
                    choices=[
                        ("all", "all"),
                        ("agent", "agent"),
                        ("tool", "tool"),
                        ("customer", "customer"),
                    ]
                ),
            ),
            ("key", models.TextField(db_default="")),
            (
                "state",
                models.TextField(
                    choices=[("on", "on"), ("paused", "paused"), ("killed", "killed")]
                ),
            ),
            ("reason", models.TextField(db_default="")),
            ("changed_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            (
                "changed_by",
                models.ForeignKey(
                    db_column="changed_by",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "db_table": "agent_controls",
            "default_permissions": ("view", "change"),
        },
    ),
    migrations.CreateModel(
        name="AgentExecution",
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
            ("agent_type", models.TextField()),
            (
                "status",
                models.TextField(
                    choices=[
                        ("pending", "pending"),
                        ("running", "running"),
                        ("completed", "completed"),
                        ("failed", "failed"),
                        ("cancelled", "cancelled"),
                        ("awaiting_review", "awaiting review"),
                    ],
                    db_default="pending",
                ),
            ),
            ("input_data", models.JSONField()),
            ("state", models.JSONField(db_default={})),
            ("result", models.JSONField(null=True)),
            ("error", models.TextField(null=True)),
            ("step_count", models.IntegerField(db_default=0)),
            ("token_count", models.IntegerField(db_default=0)),
            ("created_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("updated_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("completed_at", models.DateTimeField(null=True)),
            ("stop_reason", models.TextField(null=True)),
            (
                "cost_usd",
                models.DecimalField(db_default=0, decimal_places=6, max_digits=14, null=True),
            ),
            ("active_ms", models.BigIntegerField(db_default=0)),
            ("limits", models.JSONField(db_default={})),
            ("lease_owner", models.UUIDField(null=True)),
            ("lease_token", models.BigIntegerField(db_default=0)),
            ("attempts", models.IntegerField(db_default=0)),
            ("open_reviews", models.IntegerField(db_default=0)),
            ("wake_at", models.DateTimeField(null=True)),
            ("cancel_requested_at", models.DateTimeField(null=True)),
            ("idempotency_key", models.TextField(null=True)),
            ("priority", models.IntegerField(db_default=0)),
            ("legal_hold", models.BooleanField(db_default=False)),
            (
                "definition",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    to="executions.agentdefinition",
                ),
            ),
            (
                "launched_by",
                models.ForeignKey(
                    db_column="launched_by",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="launched_executions",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "retry_of",
                models.ForeignKey(
                    db_column="retry_of",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="retries",
                    to="executions.agentexecution",
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="executions",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "execution",
            "db_table": "agent_executions",
            "permissions": (
                ("launch_execution", "Can launch executions"),
                ("cancel_execution", "Can cancel executions"),
            ),
            "default_permissions": ("view",),
        },
    ),
    migrations.CreateModel(
        name="AgentAudit",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "execution_id",
                    "seq",
                    blank=True,
                    editable=False,
                    primary_key=True,
                    serialize=False,
                ),
            ),
            ("seq", models.IntegerField()),
            ("at", models.DateTimeField()),
            ("event", models.TextField()),
            ("detail", models.JSONField()),
            ("prev_hash", models.TextField()),
            ("hash", models.TextField()),
            (
                "actor",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "execution",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="audit",
                    to="executions.agentexecution",
                ),
            ),
        ],
        options={
            "verbose_name": "audit event",
            "db_table": "agent_audit",
            "default_permissions": ("view",),
        },
    ),
    migrations.CreateModel(
        name="AgentReview",
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
            ("tool_name", models.TextField()),
            ("input_digest", models.TextField()),
            (
                "kind",
                models.TextField(
                    choices=[("approval", "approval"), ("doubt", "doubt")], db_default="approval"
                ),
            ),
            (
                "status",
                models.TextField(
                    choices=[
                        ("open", "open"),
                        ("approved", "approved"),
                        ("rejected", "rejected"),
                        ("expired", "expired"),
                        ("void", "void"),
                    ],
                    db_default="open",
                ),
            ),
            ("version", models.IntegerField(db_default=1)),
            ("required_votes", models.IntegerField(db_default=1)),
            ("reason", models.TextField(db_default="")),
            (
                "risk",
                models.TextField(
                    choices=[("low", "low"), ("medium", "medium"), ("high", "high")],
                    db_default="high",
                ),
            ),
            ("target_version", models.TextField(null=True)),
            ("expires_at", models.DateTimeField(null=True)),
            ("effective_at", models.DateTimeField(null=True)),
            ("claimed_until", models.DateTimeField(null=True)),
            ("created_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("decided_at", models.DateTimeField(null=True)),
            (
                "claimed_by",
                models.ForeignKey(
                    db_column="claimed_by",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="claimed_reviews",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "edited_by",
                models.ForeignKey(
                    db_column="edited_by",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="edited_reviews",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "execution",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="reviews",
                    to="executions.agentexecution",
                ),
            ),
        ],
        options={
            "verbose_name": "review",
            "db_table": "agent_reviews",
            "default_permissions": ("view",),
        },
    ),
    migrations.CreateModel(
        name="AgentReviewVote",
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
            (
                "vote",
                models.TextField(
                    choices=[
                        ("approve", "approve"),
                        ("reject", "reject"),
                        ("ask", "ask"),
                        ("happened", "happened"),
                        ("drop", "drop"),
                    ]
                ),
            ),
            ("reason", models.TextField(db_default="")),
            ("input_digest", models.TextField()),
            ("created_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            (
                "review",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="votes",
                    to="executions.agentreview",
                ),
            ),
            (
                "voter",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="votes",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "vote",
            "db_table": "agent_review_votes",
            "default_permissions": ("view",),
        },
    ),
    migrations.CreateModel(
        name="AgentStep",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "execution_id",
                    "step_number",
                    blank=True,
                    editable=False,
                    primary_key=True,
                    serialize=False,
                ),
            ),
            ("step_number", models.IntegerField()),
            ("llm", models.TextField()),
            ("request_digest", models.TextField()),
            ("response", models.JSONField()),
            ("finish_reason", models.TextField()),
            ("problem", models.TextField(null=True)),
            ("input_tokens", models.IntegerField(db_default=0)),
            ("cached_tokens", models.IntegerField(db_default=0)),
            ("output_tokens", models.IntegerField(db_default=0)),
            ("reasoning_tokens", models.IntegerField(db_default=0)),
            ("total_tokens", models.IntegerField(db_default=0)),
            ("usage_estimated", models.BooleanField(db_default=False)),
            ("cost_usd", models.DecimalField(decimal_places=6, max_digits=14, null=True)),
            ("latency_ms", models.IntegerField()),
            ("tries", models.JSONField(db_default=[])),
            ("created_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            (
                "execution",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="steps",
                    to="executions.agentexecution",
                ),
            ),
        ],
        options={
            "db_table": "agent_steps",
            "default_permissions": ("view",),
        },
    ),
    migrations.CreateModel(
        name="AgentToolCall",
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
            ("step_number", models.IntegerField()),
            ("tool_name", models.TextField()),
            ("tool_input", models.JSONField()),
            ("tool_output", models.JSONField(null=True)),
            (
                "status",
                models.TextField(
                    choices=[
                        ("pending", "pending"),
                        ("awaiting_review", "awaiting review"),
                        ("approved", "approved"),
                        ("running", "running"),
                        ("succeeded", "succeeded"),
                        ("failed", "failed"),
                        ("rejected", "rejected"),
                        ("expired", "expired"),
                        ("cancelled", "cancelled"),
                        ("in_doubt", "in doubt"),
                    ],
                    db_default="pending",
                ),
            ),
            ("latency_ms", models.IntegerField(null=True)),
            ("error", models.TextField(null=True)),
            ("called_at", models.DateTimeField(db_default=executions.models.fields.Now())),
            ("call_index", models.IntegerField(db_default=0)),
            ("provider_call_id", models.TextField(db_default="")),
            (
                "effect",
                models.TextField(
                    choices=[
                        ("read", "read"),
                        ("transactional", "transactional"),
                        ("idempotent", "idempotent"),
                        ("once", "once"),
                    ],
                    db_default="once",
                ),
            ),
            ("gated", models.BooleanField(db_default=False)),
            ("proposed_input", models.JSONField(null=True)),
            (
                "input_digest",
                models.GeneratedField(
                    db_persist=True,
                    expression=models.Func("tool_input", function="agentops_digest"),
                    output_field=models.TextField(),
                ),
            ),
            ("idempotency_key", models.TextField(null=True, unique=True)),
            ("review_id", models.UUIDField(null=True)),
            ("target_version", models.TextField(null=True)),
            ("started_at", models.DateTimeField(null=True)),
            ("finished_at", models.DateTimeField(null=True)),
            (
                "execution",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="tool_calls",
                    to="executions.agentexecution",
                ),
            ),
        ],
        options={
            "verbose_name": "tool call",
            "db_table": "agent_tool_calls",
            "default_permissions": ("view",),
        },
    ),
    migrations.AddField(
        model_name="agentreview",
        name="call",
        field=models.ForeignKey(
            on_delete=django.db.models.deletion.PROTECT,
            related_name="reviews",
            to="executions.agenttoolcall",
        ),
    ),
]


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run("0001_tables")], state_operations=STATE
        )
    ]
