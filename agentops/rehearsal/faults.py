"""Faults to inject: which request they hit, how often, and how often they did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

STATUSES = frozenset({400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529})
# Done to the connection or the whole body; nothing is played.
TRANSPORT = frozenset({"timeout", "drip", "reset", "cut", "html", "empty", "not_json", "quota"})
# Done to what was played, or to the body made of it.
CONTENT = frozenset(
    {"no_choices", "null_message", "null_content", "length", "refusal", "content_filter"}
    | {"bad_json_arguments", "unknown_tool", "duplicate_call_ids", "many_calls", "nul"}
    | {"surrogate", "nan", "nan_body", "huge", "deep", "failed_response"}
    | {"missing_usage", "negative_usage", "absurd_usage", "delay", "truncated", "streamed"}
)
MAX_FAULTS = 1_000
MAX_SIZE = 64 * 1024 * 1024
_FIELDS = frozenset(
    {"match", "times", "fault", "retry_after", "delay_s", "size", "count", "status"}
)


class FaultError(ValueError):
    """A fault that makes no sense; the message says which and why."""


@dataclass(kw_only=True)
class Fault:
    """One fault. It hits requests whose body contains `contains`, from the `nth` such request on,
    `times` times. `seen` counts the requests it matched, `fired` those it hit.

    `retry_after` is seconds, or "date:SECONDS" for a date that far ahead; `size` is in bytes;
    `delay_s` replaces the latency (of a drip: the time between bytes; of a timeout: the silence).
    """

    id: int
    fault: str
    contains: str = ""
    api: str = ""
    nth: int = 1
    times: int = 1
    retry_after: float | str | None = None
    delay_s: float | None = None
    size: int = 10 * 1024 * 1024
    count: int = 200
    status: int | None = None
    seen: int = 0
    fired: int = 0

    @property
    def is_content(self) -> bool:
        return self.fault in CONTENT

    def hits(self, body: str, api: str) -> bool:
        """Whether this request is to be hit; counts it as seen when it matches."""
        if self.contains not in body or (self.api and self.api != api):
            return False
        self.seen += 1
        return self.seen >= self.nth and self.fired < self.times


class FaultList:
    """The faults laid in, in order; at most one hits a request."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._made = 0

    def add(self, given: Any) -> list[Fault]:
        """Lay in a list of faults, all or none. Raises FaultError."""
        if not isinstance(given, list):
            raise FaultError("faults must be a list")
        if len(self._faults) + len(given) > MAX_FAULTS:
            raise FaultError(f"at most {MAX_FAULTS} faults")
        made = [_read(self._made + place, fault) for place, fault in enumerate(given, 1)]
        self._made += len(made)
        self._faults += made
        return made

    def clear(self) -> None:
        self._faults.clear()

    def take(self, body: bytes, api: str) -> Fault | None:
        """Return the fault that hits this request, counted as fired."""
        if not self._faults:
            return None
        text = body.decode("utf-8", "replace")
        due = [fault for fault in self._faults if fault.hits(text, api)]
        if not due:
            return None
        due[0].fired += 1
        return due[0]

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]


def _read(number: int, given: Any) -> Fault:
    if not isinstance(given, dict):
        raise FaultError(f"fault {number} must be an object")
    match = given.get("match") or {}
    unknown = (given.keys() - _FIELDS) | (match.keys() - {"contains", "nth", "api"})
    if unknown:
        raise FaultError(f"fault {number}: unknown field {sorted(unknown)[0]!r}")
    name = str(given.get("fault"))
    if name not in TRANSPORT | CONTENT and not (name.isdigit() and int(name) in STATUSES):
        raise FaultError(f"fault {number}: unknown fault {name!r}")
    fields = {key: given[key] for key in given if key not in ("match", "fault")}
    try:
        fault = Fault(id=number, fault=name, **match, **fields)
        sensible = fault.nth >= 1 and fault.times >= 1 and 0 <= fault.size <= MAX_SIZE
    except TypeError as error:
        raise FaultError(f"fault {number}: {error}") from None
    if not sensible or not 0 <= fault.count <= 10_000:
        raise FaultError(f"fault {number}: nth, times, size or count makes no sense")
    return fault
