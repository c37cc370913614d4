"""The service user in whose name the system itself launches executions."""

from uuid import UUID

from django.db import migrations

SYSTEM_USER_ID = UUID("00000000-0000-4000-8000-000000000001")


def make_system_user(apps, schema_editor):
    apps.get_model("accounts", "User").objects.get_or_create(
        id=SYSTEM_USER_ID,
        # A password that begins with "!" matches nothing.
        defaults={
            "username": "system",
            "password": "!",
            "first_name": "AgentOps",
            "is_active": False,
            "is_service": True,
        },
    )


def remove_system_user(apps, schema_editor):
    apps.get_model("accounts", "User").objects.filter(id=SYSTEM_USER_ID).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(make_system_user, remove_system_user)]
