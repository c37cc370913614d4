"""The site's settings, with the benchmark's own agents beside the site's, and queries counted."""

from agentops.settings import *  # noqa: F403
from agentops.settings import AGENTOPS_AGENT_MODULES as OF_THE_SITE
from agentops.settings import MIDDLEWARE as OF_THE_PAGES

AGENTOPS_AGENT_MODULES = [*OF_THE_SITE, "bench.agents"]
MIDDLEWARE = ["bench.counting.count", *OF_THE_PAGES]
