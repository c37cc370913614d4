from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from tools import records
from tools.base import Effect, Target, ToolContext, ToolError, always, tool
from tools.customer_changes import LABELS, SENSITIVE, Changes
from tools.decisions import Confirmation, Listed
from tools.looking import Looking
from tools.models import Customer, owners_in_words
from tools.text import Line


def check(arguments: Any) -> None:
    """Raise ToolError unless the change is possible and would change something."""
    record = records.customer(arguments.customer_id)
    _refuse_if_moved_on(record, read=arguments.version)
    _differences(record, arguments.changes)


def target(arguments: Any) -> Target:
    """Return the record at its version now."""
    record = records.customer(arguments.customer_id)
    return Target("customer", record.customer_id, str(record.version), str(record))


def headline(arguments: Any, customer: str = "") -> str:
    fields = [LABELS[name].lower() for name in arguments.changes.values()]
    told = fields[0] if len(fields) == 1 else f"{', '.join(fields[:-1])} and {fields[-1]}"
    return f"Change the {told} of {customer or f'customer {arguments.customer_id}'}"


def preview(arguments: Any, looking: Looking = Looking()) -> dict[str, Any]:  # noqa: B008 frozen
    """Return what the reviewer sees, read from the live record.

    `rows`: [{field, label, then, now, will_be, sensitive, same, moved}]; `unchanged`: [(label,
    value)]; `on_record`: {path of the argument: the value now}; `moved`: [(label, then, now)] of
    the other fields that changed since this was proposed over version `read_version`, and `stale`:
    whether the record has moved on while this may still run; `then_known`: whether the agent read
    that version in this execution, so that its values are known. `reason` is the agent's own text.
    `made`: (version before, after) once it is done; then
    `now` is what the call replaced.
    """
    record = records.customer(arguments.customer_id)
    changes = arguments.changes.values()
    read_version = arguments.version or int(looking.version or record.version)
    stale = looking.is_ahead and read_version != record.version
    then = _as_read(arguments.customer_id, read_version, looking) if stale else None
    made, replaced = _made(looking.answer)
    live = changes if made else {name: getattr(record, name) for name in changes}
    before = {**live, **replaced}
    rows = [_row(name, before[name], value, then) for name, value in changes.items()]
    return {
        "sentence": headline(arguments, customer=record.name),
        "customer": {
            "customer_id": record.customer_id,
            "name": record.name,
            "version": record.version,
        },
        "rows": rows,
        "unchanged": [
            (label, in_words(getattr(record, name)))
            for name, label in LABELS.items()
            if name not in changes
        ],
        "on_record": {f"changes.{name}": in_words(getattr(record, name)) for name in LABELS},
        "moved": _moved(record, then, but=changes.keys()),
        "made": made,
        "is_ahead": looking.is_ahead,
        "words": ("Was", "Became") if made else ("Now", _becomes(looking)),
        "read_version": read_version,
        "stale": stale,
        "then_known": then is not None,
        "reason": arguments.reason,
    }


def confirm(arguments: Any) -> Confirmation:
    changes = {LABELS[name]: in_words(value) for name, value in arguments.changes.values().items()}
    return Confirmation(facts={"Record": str(records.customer(arguments.customer_id)), **changes})


def outcome(arguments: Any, output: Any) -> str:
    fields = ", ".join(LABELS[one["field"]].lower() for one in output["changes"])
    return f"Record {output['customer_id']} changed: {fields}. Now at version {output['version']}."


@tool(
    effect=Effect.TRANSACTIONAL,
    approval=always(reason="Every change of a customer record needs a person."),
    check=check,
    target=target,
    customer=lambda arguments: arguments.customer_id,
    headline=headline,
    verb="Change the record",
    consequence="Written to the customer record at once, all of it or nothing. "
    "Can be reversed only by another change.",
    risk=lambda arguments: arguments.changes.risk(),
    template="desk/preview/update_customer_record.html",
    preview=preview,
    confirm=confirm,
    reasons=(
        "Wrong customer",
        "Wrong value",
        "Not confirmed by the customer",
        "Not needed",
    ),
    outcome=outcome,
    listed=Listed(record=lambda arguments: ("customer", arguments.customer_id)),
)
def update_customer_record(
    *,
    customer_id: records.CustomerId,
    changes: Changes,
    reason: Annotated[Line, Field(description="why, and which message or document says so")],
    version: Annotated[
        int | None, Field(description="the version you read; refused if the record moved on")
    ] = None,
    context: ToolContext,
) -> dict[str, Any]:
    """Change fields of one customer's record. Say only what a message or document bears out.
    A person decides on it first; the answer lists each field's old and new value."""
    record = records.customer(customer_id, lock=True)
    _refuse_if_moved_on(record, read=version)
    if context.target_version not in (None, str(record.version)):
        raise ToolError(f"{customer_id} changed after people approved this; propose it anew.")
    before = record.version
    differences = _differences(record, changes)
    for name, value in changes.values().items():
        setattr(record, name, value)
    record.save(update_fields=[difference["field"] for difference in differences])
    record.refresh_from_db(fields=["version"])
    return {
        "customer_id": customer_id,
        "previous_version": before,
        "version": record.version,
        "changes": differences,
        "reason": reason,
    }


def in_words(value: Any) -> str:
    """Return a field's value as a person reads it."""
    if value in (None, "", []):
        return "nothing on record"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return owners_in_words(value)
    return f"{value:%-d %B %Y}" if isinstance(value, date) else str(value)


def _refuse_if_moved_on(record: Customer, *, read: int | None) -> None:
    if read not in (None, record.version):
        raise ToolError(
            f"{record.customer_id} is at version {record.version} now, you read version {read}. "
            "Read the record again and judge anew."
        )


def _differences(record: Customer, changes: Changes) -> list[dict[str, Any]]:
    """Return [{field, old, new}] in JSON form for what differs; ToolError when nothing does."""
    found = [
        {"field": name, "old": _json(getattr(record, name)), "new": _json(value)}
        for name, value in changes.values().items()
        if getattr(record, name) != value
    ]
    if not found:
        raise ToolError(f"The record of {record.customer_id} says all of this already.")
    return found


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _as_read(customer_id: str, version: int, looking: Looking) -> dict[str, Any] | None:
    """Return the record's values as the agent read them at that version; None if it did not."""
    wanted = (customer_id, version)
    for output in looking.outputs("read_customer_record"):
        read = output.get("customer") if isinstance(output, dict) else None
        if isinstance(read, dict) and (read.get("customer_id"), read.get("version")) == wanted:
            return read
    return None


def _becomes(looking: Looking) -> str:
    return "Will become" if looking.is_ahead else "Was to become"


def _made(answer: Any) -> tuple[tuple[int, int] | None, dict[str, Any]]:
    """Return the record's versions before and after the call that answered this, and the values it
    replaced, by field; None and nothing when it has not answered so."""
    try:
        versions = answer["previous_version"], answer["version"]
        return versions, {one["field"]: one["old"] for one in answer["changes"]}
    except (KeyError, TypeError):
        return None, {}


def _moved(
    record: Customer, then: dict[str, Any] | None, *, but: Collection[str]
) -> list[tuple[str, str, str]]:
    """Return what changed since in fields that this call leaves alone."""
    told = (
        (label, _stored(name, then.get(name)), in_words(getattr(record, name)))
        for name, label in LABELS.items()
        if then is not None and name not in but
    )
    return [(label, was, now) for label, was, now in told if was != now]


def _stored(name: str, value: Any) -> str:
    """Return a field's value in words, as it stands on the record or in a call's JSON."""
    if name == "last_reviewed_on" and isinstance(value, str):
        value = date.fromisoformat(value)
    return in_words(value)


def _row(name: str, now: Any, value: Any, then: dict[str, Any] | None) -> dict[str, Any]:
    was = _stored(name, then.get(name)) if then is not None else None
    told = _stored(name, now)
    return {
        "then": was,
        "moved": was is not None and was != told,
        "field": name,
        "label": LABELS[name],
        "now": told,
        "will_be": in_words(value),
        "sensitive": name in SENSITIVE,
        "same": now == value,
    }
