"""The site's settings with the agents cluster's own limits out of TESTS_AGENTS_CLUSTER (JSON).

So tight that they strike in a test, which a check would rightly refuse.
"""

from __future__ import annotations

import json
import os

from agentops.settings import *  # noqa: F403
from agentops.settings import Q_CLUSTER as OF_THE_SITE

_tight = json.loads(os.environ["TESTS_AGENTS_CLUSTER"])
_agents = {**OF_THE_SITE["ALT_CLUSTERS"]["agents"], **_tight}
Q_CLUSTER = {**OF_THE_SITE, "ALT_CLUSTERS": {"agents": _agents}}
SILENCED_SYSTEM_CHECKS = ["executions.E005"]
