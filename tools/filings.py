"""Speaking with an authority over HTTP: hand a filing in, and ask what became of it.

A refusal (409, 422 and their like) is a ToolError in the authority's words: nothing was filed. When
no clear answer came (a timeout, a broken connection, 5xx) the same bytes go out again under the
same Idempotency-Key while there is time; after that OutcomeUnknown is raised, and asking again with
that key stays safe: the authority answers with the first receipt.

202 means received: the authority decides later. 200 and 201 mean accepted.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from typing import Any

from tools.base import KeyConflict, OutcomeUnknown, ToolError, ToolUnavailable
from tools.deadline import Deadline
from tools.endpoints import (
    Answer,
    BrokenOff,
    Endpoint,
    EndpointRefused,
    Unreachable,
    endpoint,
    get,
    post,
)
from tools.models import Regulator

TRIES = 3
LONGEST_TRY_S = 15.0
PAUSES_S = (0.2, 1.0)
RECEIVED = 202
TAKEN = (200, 201, RECEIVED)
UNDER_WAY = 409  # our first try is still in their hands
ASK_AGAIN = (408, 425, 429, 500, 502, 503, 504)
OTHER_CONTENT = (400, 422)  # with a code or type that names the idempotency key
VERDICTS = ("received", "accepted", "rejected")
HEADERS = {"Accept": "application/json", "User-Agent": "AgentOps"}


@dataclass(frozen=True, kw_only=True)
class Filing:
    """What is handed in, to whom, and under which idempotency key."""

    authority: str
    where: Endpoint
    body: bytes
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {**HEADERS, "Content-Type": "application/json", "Idempotency-Key": self.key}


def desk_of(authority: Regulator) -> Endpoint:
    """Return where this authority takes filings; ToolError when its row leads astray."""
    try:
        return endpoint(authority.endpoint, may_be_loopback=not authority.is_live)
    except EndpointRefused as error:
        raise ToolError(f"{authority.regulator_id} cannot be filed with: {error}.") from error


def hand_in(filing: Filing, deadline: Deadline) -> dict[str, str]:
    """Return the receipt; try again, with the same key, whatever leaves the outcome open.

    Raises ToolError, OutcomeUnknown, and KeyConflict when the key stands for another filing there.
    """
    unknown: list[str] = []
    last = "there was no time to try"
    for pause in (0.0, *PAUSES_S)[:TRIES]:
        if not deadline.has(pause + 0.1):
            break
        time.sleep(pause * random.uniform(0.8, 1.2))
        try:
            answer = _post(filing, deadline)
        except Unreachable as error:
            last = f"it is out of reach ({error})"
            continue
        except BrokenOff as error:
            last = f"the connection broke off ({error})"
            unknown.append(last)
            continue
        if answer.status in TAKEN:
            return _receipt(filing, answer)
        last = f"it answered {answer.status}: {_words(answer)}"
        if answer.status in OTHER_CONTENT and _is_about_the_key(answer):
            raise KeyConflict(
                f"{filing.authority} holds another filing under this call's idempotency key:"
                f" {last}. Find out what was filed before anything is filed again."
            )
        if answer.status >= 500 or (answer.status == UNDER_WAY and _is_about_the_key(answer)):
            unknown.append(last)
        elif answer.status == UNDER_WAY and unknown:
            continue
        elif answer.status not in ASK_AGAIN:
            raise ToolError(f"{filing.authority} refused the filing: {last}")
    if unknown:
        raise OutcomeUnknown(f"{filing.authority} may hold the filing: {'; '.join(unknown)}.")
    raise ToolUnavailable(f"Nothing was filed with {filing.authority}: {last}.")


def verdict_on(filing_id: str, authority: Regulator, deadline: Deadline) -> dict[str, str]:
    """Return {status: received|accepted|rejected, reason} as the authority tells it now."""
    try:
        answer = get(
            desk_of(authority),
            below=filing_id,
            headers=HEADERS,
            timeout_s=min(deadline.left(), LONGEST_TRY_S),
        )
    except (EndpointRefused, Unreachable, BrokenOff) as error:
        raise ToolUnavailable(f"{authority.name} could not be asked: {error}.") from error
    if answer.status >= 500:
        raise ToolUnavailable(f"{authority.name} answered {answer.status}: {_words(answer)}")
    said = _said(answer)
    if answer.status != 200 or said.get("status") not in VERDICTS:
        raise ToolError(
            f"{authority.name} gave no verdict on {filing_id}, but {answer.status}: "
            f"{_words(answer)}"
        )
    return {"status": said["status"], "reason": str(said.get("reason", ""))[:1000]}


def _post(filing: Filing, deadline: Deadline) -> Answer:
    try:
        return post(
            filing.where,
            body=filing.body,
            headers=filing.headers,
            timeout_s=min(deadline.left(), LONGEST_TRY_S),
        )
    except EndpointRefused as error:
        raise ToolError(f"Nothing was filed with {filing.authority}: {error}.") from error


def _receipt(filing: Filing, answer: Answer) -> dict[str, str]:
    """Return what the authority says of the filing; without a receipt its outcome is unknown."""
    status = "received" if answer.status == RECEIVED else "accepted"
    said = _said(answer)
    receipt = {name: said.get(name) for name in ("receipt", "filing_id", f"{status}_at")}
    if not all(isinstance(value, str) and value for value in receipt.values()):
        raise OutcomeUnknown(
            f"{filing.authority} answered {answer.status} without a receipt: {_words(answer)}"
        )
    return {**receipt, "status": status}  # type: ignore[dict-item]  # all are text


def _said(answer: Answer) -> dict[str, Any]:
    """Return the answer's JSON object; an empty one for anything else."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_about_the_key(answer: Answer) -> bool:
    said = _said(answer)
    return any("idempotency" in str(said.get(name, "")).lower() for name in ("code", "type"))


def _words(answer: Answer) -> str:
    """Return the authority's own words, one line of at most 300 characters."""
    said = _said(answer)
    text = str(said.get("error") or said) if said else answer.body[:1000].decode(errors="replace")
    return " ".join(text.split())[:300] or "no words"
