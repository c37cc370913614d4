"""Gathers facts, writes the compliance document, files it, tells the customer."""

from __future__ import annotations

from typing import Any

from agentops.rehearsal.conversation import Conversation, Turn
from agentops.rehearsal.players.common import (
    EMAIL,
    Arguments,
    Done,
    GaveUp,
    Propose,
    calls,
    is_final,
    line,
    many,
    quoted,
    sentence,
    stand,
    tidied,
)
from agentops.rehearsal.players.findings import corrected, findings_of, tally
from agentops.rehearsal.players.lookups import (
    customer_record,
    documents_on_file,
    documents_read,
    part,
    unread_documents,
)
from agentops.rehearsal.shapes import final_text

TOOLS = frozenset({"read_customer_record", "generate_compliance_document", "submit_to_regulator"})


def play(talk: Conversation) -> Turn:
    """Return the next turn: the facts, the document, the filing, the letter, the end."""
    return _gather(talk) or _write(talk)


def _gather(talk: Conversation) -> Turn | None:
    """Return the next reads, or the end when there is nothing to write about; None when done."""
    tool, record = customer_record(talk, str(talk.input.get("customer_id", "")))
    regulation = stand(
        talk,
        "lookup_regulation",
        first={"code": str(talk.input.get("regulation_code", ""))},
        repair=tidied,
    )
    listed = documents_on_file(talk, _customer_id(talk, record))
    needed = {tool: record, "lookup_regulation": regulation, "list_customer_documents": listed}
    asks = {name: made.arguments for name, made in needed.items() if isinstance(made, Propose)}
    if asks:
        return calls(talk, asks, None if talk.outcomes else "First I gather what is on file.")
    for made in (record, regulation):
        if isinstance(made, GaveUp):
            return _end(talk, f"No document was made: {made.why}")
    unread = unread_documents(talk, listed)
    if unread:
        return many(talk, "read_document", [{"document_id": one} for one in unread])
    return None


def _customer_id(talk: Conversation, record: Done | Propose | GaveUp) -> str:
    if isinstance(record, Propose):
        return str(record.arguments.get("customer_id", talk.input.get("customer_id", "")))
    if isinstance(record, Done):
        return str(record.outcome.arguments.get("customer_id", ""))
    return str(talk.input.get("customer_id", ""))


def _write(talk: Conversation) -> Turn:
    made = stand(
        talk,
        "generate_compliance_document",
        first=_document(talk),
        revise=_revised_document,
    )
    if isinstance(made, Propose):
        again = bool(talk.of("generate_compliance_document"))
        say = "I have corrected the document." if again else "The findings are ready to be written."
        return calls(talk, {"generate_compliance_document": made.arguments}, say)
    if isinstance(made, GaveUp):
        return _end(talk, f"No document was made: {made.why}")
    return _file(talk, made)


def _file(talk: Conversation, document: Done) -> Turn:
    output = _output(document)
    filed = stand(
        talk,
        "submit_to_regulator",
        first={
            "regulator_id": str(_regulation(talk).get("regulator_id")),
            "document_id": output.get("document_id"),
            "document_sha256": output.get("sha256"),
            "subject": line(str(document.outcome.arguments.get("title") or output.get("title"))),
        },
        revise=_revised_subject,
    )
    if isinstance(filed, Propose):
        return calls(
            talk, {"submit_to_regulator": filed.arguments}, "The document can now be filed."
        )
    if isinstance(filed, GaveUp):
        return _end(
            talk,
            f"The document was made but not filed: {filed.why}",
            document_id=output.get("document_id"),
        )
    return _tell(talk, document, filed)


def _tell(talk: Conversation, document: Done, filed: Done) -> Turn:
    results = {
        "document_id": _output(document).get("document_id"),
        "filing_id": _output(filed).get("filing_id"),
        "receipt": _output(filed).get("receipt"),
    }
    done = f"The document {results['document_id']} was filed, receipt {results['receipt']}."
    if "send_email" not in talk.tools:
        return _end(talk, done, **results)
    if not _customer(talk).get("email"):
        return _end(talk, f"{done} There is no address to inform the customer at", **results)
    told = stand(talk, "send_email", first=_letter(talk, document, filed), revise=_revised_letter)
    if isinstance(told, Propose):
        return calls(talk, {"send_email": told.arguments}, "The customer should hear of it.")
    if isinstance(told, GaveUp):
        return _end(talk, f"{done} The customer was not informed: {told.why}", **results)
    return _end(talk, f"{done} The customer was informed", **results)


def _document(talk: Conversation) -> Arguments:
    record, regulation = _customer(talk), _regulation(talk)
    requirements = [one for one in regulation.get("requirements") or [] if isinstance(one, dict)]
    findings = findings_of(requirements, record, documents_read(talk))
    title = line(f"{regulation.get('title')}: {record.get('name')}", most=120)
    summary = (
        f"We examined {record.get('name')} ({record.get('customer_id')}) under "
        f"{regulation.get('code')}. {tally(findings)}\n\nThe risk rating on record is "
        f"{record.get('risk_rating')}. Each finding names the records it rests on."
    )
    return {
        "customer_id": record.get("customer_id"),
        "regulation_code": regulation.get("code"),
        "title": title,
        "summary": summary,
        "findings": findings,
    }


def _revised_document(arguments: Arguments, reason: str) -> Arguments | None:
    """Return the document as a reviewer wants it: the findings or the title they name, else their
    remark in the summary; None when they want no document."""
    remark, words = sentence(line(reason, most=400)), quoted(reason)
    if "title" in reason.lower() and words:
        return {**arguments, "title": line(words, most=120)}
    better = corrected(arguments.get("findings") or [], remark)
    if better is not None:
        return {**arguments, "findings": better}
    if is_final(reason):
        return None
    added = sentence(words) if words else f"On review it was remarked: {remark}"
    return {**arguments, "summary": f"{arguments.get('summary', '')}\n\n{added}"}


def _revised_subject(arguments: Arguments, reason: str) -> Arguments | None:
    """Of a filing only the subject can be put otherwise."""
    words = quoted(reason)
    return {**arguments, "subject": words} if words and "subject" in reason.lower() else None


def _letter(talk: Conversation, document: Done, filed: Done) -> Arguments:
    record, regulation, made = _customer(talk), _regulation(talk), _output(document)
    return {
        "to": [record.get("email")],
        "subject": line(f"We have filed a report on you under {regulation.get('code')}"),
        "body": (
            f"Dear {record.get('name')},\n\nunder {regulation.get('code')} "
            f"({regulation.get('title')}) we have filed the report “{made.get('title')}” with the "
            f"{regulation.get('authority')}. Its receipt is {_output(filed).get('receipt')}; the "
            "report is attached.\n\nYou need not do anything. If something in it is not right, "
            "please answer this e-mail.\n\nKind regards"
        ),
        "attach_document_ids": [made.get("document_id")],
    }


def _revised_letter(arguments: Arguments, reason: str) -> Arguments | None:
    """Return the letter as a reviewer wants it; None when they want none."""
    said, words, address = reason.lower(), quoted(reason), EMAIL.search(reason)
    if "attach" in said:
        return {**arguments, "attach_document_ids": []}
    if "subject" in said and words:
        return {**arguments, "subject": words}
    if address:
        return {**arguments, "to": [address.group()]}
    if words:
        return {**arguments, "body": f"{arguments.get('body', '')}\n\n{sentence(words)}"}
    if is_final(reason) or "recipient" in reason.lower():
        return None
    short = (
        "Good day,\n\nwe have filed a report about you with the authority named in the subject. "
        "You need not do anything. Please answer this e-mail with any question.\n\nKind regards"
    )
    return {**arguments, "body": short}


def _end(talk: Conversation, said: str, **results: Any) -> Turn:
    return Turn(text=final_text(talk, sentence(said), **results))


def _customer(talk: Conversation) -> dict[str, Any]:
    return part(talk, "read_customer_record", "customer")


def _regulation(talk: Conversation) -> dict[str, Any]:
    return part(talk, "lookup_regulation", "regulation")


def _output(done: Done) -> dict[str, Any]:
    return done.outcome.output if isinstance(done.outcome.output, dict) else {}
