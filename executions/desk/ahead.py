"""What several calls are looked at for, read together before each of them is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from executions.desk.past import mails_to
from executions.models import AgentReview
from executions.pages.wording import Action, action
from tools import records
from tools.decisions import Listed

log = logging.getLogger(__name__)
Wanted = TypeVar("Wanted")


def wanted(said: Action, of: Callable[[Listed], Callable[[Any], Wanted] | None]) -> Wanted | None:
    """Return what the tool names of a call; None as well when its own code fails over it."""
    name = of(said.tool.listed) if said.tool else None
    if name is None or said.arguments is None:
        return None
    try:
        return name(said.arguments)
    except Exception:  # a row without chips is better than no list
        log.exception("What a row of %s is looked at for failed", said.tool and said.tool.name)
        return None


def read_ahead(reviews: Iterable[AgentReview]) -> None:
    """Inside read_once: read what the tools name of these calls, by a statement per kind of it."""
    said = [action(one.tool_name, one.call.tool_input) for one in reviews]
    keys = {key for one in said if (key := wanted(one, lambda listed: listed.record))}
    keys.update(key for one in said for key in wanted(one, lambda listed: listed.reads) or ())
    records.load(keys)
    to = {to for one in said for to in wanted(one, lambda listed: listed.recipients) or ()}
    records.at_address(to)
    mails_to(to)
