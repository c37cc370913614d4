"""Claim, drive, commit. Only this room imports django_q."""
