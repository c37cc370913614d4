"""Telling reviewers that something waits, from an outbox: no decision ever waits for mail."""
