"""Run a cluster: the agents' with Q_CLUSTER_NAME=agents, the housekeeping one without."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from executions.engine import cluster


class Command(BaseCommand):
    help = (
        "Runs a django-q2 cluster that ends as a whole (exit status 70) when it may be broken;"
        " have it restarted. Q_CLUSTER_NAME=agents drives agents, without it housekeeping runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(cluster.run())
