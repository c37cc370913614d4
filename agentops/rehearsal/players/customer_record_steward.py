"""Reads a customer's message, proposes a change of their record, answers them."""

from __future__ import annotations

from typing import Any

from agentops.rehearsal.conversation import Conversation, Turn
from agentops.rehearsal.players.common import (
    EMAIL,
    Arguments,
    Done,
    GaveUp,
    Propose,
    Standing,
    calls,
    is_final,
    line,
    quoted,
    sentence,
    stand,
    tidied,
)
from agentops.rehearsal.players.lookups import customer_record, only_customer, part
from agentops.rehearsal.players.wishes import is_hostile, label, named_fields, value_for, wishes
from agentops.rehearsal.shapes import final_text

TOOLS = frozenset({"read_customer_message", "update_customer_record"})


def play(talk: Conversation) -> Turn:
    """Return the next turn: the message, the record, the change, the answer, the end."""
    message = stand(
        talk,
        "read_customer_message",
        first={"message_id": str(talk.input.get("message_id", ""))},
        repair=tidied,
    )
    if isinstance(message, Propose):
        return calls(talk, {"read_customer_message": message.arguments}, "First the message.")
    if isinstance(message, GaveUp):
        return _end(talk, f"Nothing was changed: {message.why}")
    if is_hostile(str(_message(talk).get("body", ""))):
        tried = "the message tries to direct its reader instead of asking for a change of its own"
        return _end(talk, f"Nothing was changed or sent: {tried}")
    return _find(talk) or _change(talk)


def _find(talk: Conversation) -> Turn | None:
    """Return the next read of the customer's record, or the end; None when it was read."""
    customer_id = _message(talk).get("customer_id")
    if not customer_id:
        search = stand(talk, "find_customers", first={"query": _sender(talk), "limit": 5})
        if isinstance(search, Propose):
            return calls(talk, {"find_customers": search.arguments}, "Who is the sender?")
        customer_id = only_customer(search)
        if customer_id is None:
            return _end(talk, "Nothing was changed: the sender matches no single customer")
    tool, record = customer_record(talk, str(customer_id))
    if isinstance(record, Propose):
        return calls(talk, {tool: record.arguments})
    if isinstance(record, GaveUp):
        return _end(talk, f"Nothing was changed: {record.why}")
    return None


def _change(talk: Conversation) -> Turn:
    message, record = _message(talk), _customer(talk)
    changes = wishes(str(message.get("body", "")), record)
    if not changes and not talk.of("update_customer_record"):
        return _ask_back(talk)
    if _is_stale(talk):
        return calls(talk, {"read_customer_record": {"customer_id": record.get("customer_id")}})
    changed = stand(
        talk,
        "update_customer_record",
        first={
            "customer_id": record.get("customer_id"),
            "changes": changes,
            "reason": line(f"{message.get('message_id')}: new {', '.join(map(label, changes))}"),
            "version": record.get("version"),
        },
        revise=_revised,
        repair=lambda arguments, error: _repaired(arguments, error, record),
    )
    if isinstance(changed, Propose):
        fields = ", ".join(map(label, _changes(changed.arguments)))
        return calls(
            talk, {"update_customer_record": changed.arguments}, f"They ask for a change: {fields}."
        )
    if isinstance(changed, GaveUp):
        return _end(talk, f"Nothing was changed: {changed.why}")
    return _answer(talk, changed)


def _ask_back(talk: Conversation) -> Turn:
    """Ask the customer what they want, once."""
    record = _customer(talk)
    body = (
        f"Dear {record.get('name')},\n\nthank you for your message. Please tell us exactly what we "
        "should change in our record, and the new value.\n\nKind regards"
    )
    asked = stand(talk, "send_email", first=_letter(talk, body), revise=_revised_letter)
    vague = "Nothing was changed: the message does not say exactly what to change"
    if isinstance(asked, Propose):
        return calls(talk, {"send_email": asked.arguments}, "It is not clear what they want.")
    if isinstance(asked, GaveUp):
        return _end(talk, f"{vague}, and the customer was not asked: {asked.why}")
    return _end(talk, f"{vague}. The customer was asked")


def _answer(talk: Conversation, changed: Done) -> Turn:
    fields = _fields(changed)
    done = f"Changed for {_customer(talk).get('customer_id')}: {', '.join(map(label, fields))}."
    if "send_email" not in talk.tools:
        return _end(talk, done, updated=True, fields=fields)
    told: Standing = stand(
        talk,
        "send_email",
        first=_letter(talk, _confirmation(talk, changed)),
        revise=_revised_letter,
    )
    if isinstance(told, Propose):
        return calls(talk, {"send_email": told.arguments}, "The customer should hear of it.")
    end = f"not answered: {told.why}" if isinstance(told, GaveUp) else "answered"
    return _end(talk, f"{done} The customer was {end}", updated=True, fields=fields)


def _is_stale(talk: Conversation) -> bool:
    """Whether a change failed because the record had moved on, and it was not read again since."""
    for outcome in reversed(talk.outcomes):
        if outcome.call.name == "read_customer_record":
            return False
        if outcome.call.name == "update_customer_record":
            return outcome.status == "failed" and "version" in outcome.reason
    return False


def _repaired(arguments: Arguments, error: str, record: dict[str, Any]) -> Arguments | None:
    """Return the change without what the tool refuses, over the version just read."""
    if "says all of this already" in error:
        return None
    changes = {k: v for k, v in _changes(arguments).items() if f"changes.{k}" not in error}
    if not changes:
        return None
    return {**arguments, "changes": changes, "version": record.get("version")}


def _revised(arguments: Arguments, reason: str) -> Arguments | None:
    """Return the change as a reviewer wants it: another value for a field they name, or without
    that field; None when they want no change, or name nothing."""
    changes = _changes(arguments)
    named = named_fields(reason, changes)
    made = dict(changes)
    for field in named:
        value = value_for(field, reason) or quoted(reason)
        if value and not is_final(reason):
            made[field] = value
        else:
            del made[field]
    return {**arguments, "changes": made} if made and made != changes else None


def _confirmation(talk: Conversation, changed: Done) -> str:
    rows = "\n".join(f"{label(field)}: {value}" for field, value in _values(changed))
    return (
        f"Dear {_customer(talk).get('name')},\n\nthank you for your message. Our record of you now "
        f"says:\n\n{rows}\n\nIf that is not right, please answer this e-mail.\n\nKind regards"
    )


def _letter(talk: Conversation, body: str) -> Arguments:
    """Return a letter to the address on record before any change: a message may be forged."""
    return {
        "to": [_customer(talk).get("email")],
        "subject": line(f"Re: {_message(talk).get('subject')}"),
        "body": body,
        "attach_document_ids": [],
    }


def _revised_letter(arguments: Arguments, reason: str) -> Arguments | None:
    """Return the letter as a reviewer wants it; None when they want none."""
    words, address = quoted(reason), EMAIL.search(reason)
    if "subject" in reason.lower() and words:
        return {**arguments, "subject": words}
    if address:
        return {**arguments, "to": [address.group()]}
    if words:
        return {**arguments, "body": f"{arguments.get('body', '')}\n\n{sentence(words)}"}
    if is_final(reason) or "recipient" in reason.lower():
        return None
    short = "Good day,\n\nwe have made the change that you asked for.\n\nKind regards"
    return {**arguments, "body": short}


def _fields(changed: Done) -> list[str]:
    return [field for field, _ in _values(changed)]


def _values(changed: Done) -> list[tuple[str, Any]]:
    """Return what was changed to what: the tool's own word before the arguments."""
    output = changed.outcome.output
    rows = output.get("changes") if isinstance(output, dict) else None
    if isinstance(rows, list):
        return [(str(row.get("field")), row.get("new")) for row in rows if isinstance(row, dict)]
    return list(_changes(changed.outcome.arguments).items())


def _changes(arguments: Arguments) -> dict[str, Any]:
    """Return the changes in a call's arguments; null stands for "left as it is"."""
    changes = arguments.get("changes")
    if not isinstance(changes, dict):
        return {}
    return {field: value for field, value in changes.items() if value is not None}


def _sender(talk: Conversation) -> str:
    """Return the bare address a message came from."""
    given = str(_message(talk).get("from") or "")
    found = EMAIL.search(given)
    return found.group() if found else (line(given) or "?")


def _end(talk: Conversation, said: str, **results: Any) -> Turn:
    values = {"updated": False, "fields": [], **results}
    return Turn(text=final_text(talk, sentence(said), **values))


def _customer(talk: Conversation) -> dict[str, Any]:
    return part(talk, "read_customer_record", "customer")


def _message(talk: Conversation) -> dict[str, Any]:
    return part(talk, "read_customer_message", "message")
