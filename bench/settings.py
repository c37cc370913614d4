"""The site's settings, with the benchmark's own agents beside the site's."""

from agentops.settings import *  # noqa: F403
from agentops.settings import AGENTOPS_AGENT_MODULES as OF_THE_SITE

AGENTOPS_AGENT_MODULES = [*OF_THE_SITE, "bench.agents"]
