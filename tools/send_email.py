from __future__ import annotations

from typing import Annotated, Any

from django.conf import settings
from django.core.mail import EmailMessage
from pydantic import AfterValidator, Field

from tools import conf, records
from tools.base import Effect, ToolContext, ToolError, ToolInputError, always, tool
from tools.decisions import Confirmation, Listed
from tools.links import cut, links
from tools.mail import attach, deliver, message_id, source
from tools.models import Customer, Document
from tools.text import EmailAddress, Line, Paragraphs

MAX_ATTACHED_BYTES = 10_000_000
UNKEYED = "set when it starts"


def _distinct(values: list[str]) -> list[str]:
    if len({value.lower() for value in values}) < len(values):
        raise ValueError("names one twice")
    return values


def check(arguments: Any) -> None:
    """Raise ToolInputError for recipients or attachments that this mail may not have."""
    _checked(arguments.to, arguments.attach_document_ids)


def headline(arguments: Any) -> str:
    return f"Send an e-mail to {', '.join(arguments.to)} about “{arguments.subject}”"


def customer(arguments: Any) -> str | None:
    """Return the one customer to whom all of the addresses on record belong."""
    owners = [
        {one.customer_id for one in found} for found in records.at_address(arguments.to).values()
    ]
    shared = set.intersection(*owners) if owners else set()
    return shared.pop() if len(shared) == 1 else None


def preview(arguments: Any) -> dict[str, Any]:
    """Return the mail as its recipients will see it.

    `to`: [{address, host, customers: [{customer_id, name}]}] (empty when allowed by its domain);
    `attachments`: [{document_id, title, filename, size, pages, sha256}]; `body_parts`: [(text, is a
    link)]; `links`: [Link]; `source`: the message as it would leave, but for its key, its date and
    the bytes of its attachments; `papers`: the PDFs attached; `problem`: why it would be refused
    now, or None.
    """
    known = records.at_address(arguments.to)
    attached = records.documents(arguments.attach_document_ids)
    message = _message(arguments.to, arguments.subject, arguments.body, attached, key=UNKEYED)
    return {
        "sentence": headline(arguments),
        "from": settings.DEFAULT_FROM_EMAIL,
        "to": [_recipient(address, known.get(address.lower(), [])) for address in arguments.to],
        "subject": arguments.subject,
        "body": arguments.body,
        "body_parts": list(cut(arguments.body)),
        "characters": len(arguments.body),
        "attachments": [
            {**_attachment(found), "title": found.title, "pages": found.pages} for found in attached
        ],
        "links": links(arguments.body),
        "source": source(message),
        "papers": [records.paper(one) for one in attached if one.content_type == records.PDF],
        "problem": _problem(arguments),
    }


def confirm(arguments: Any) -> Confirmation:
    facts = {"To": ", ".join(arguments.to), "Subject": arguments.subject}
    if arguments.attach_document_ids:
        facts["Attached"] = ", ".join(arguments.attach_document_ids)
    return Confirmation(facts=facts)


def outcome(arguments: Any, output: Any) -> str:
    turned_away = [one["address"] for one in output["refused"]]
    told = f"Sent to {', '.join(output['accepted'])}. Message id {output['message_id']}."
    return f"{told} Refused for {', '.join(turned_away)}." if turned_away else told


@tool(
    effect=Effect.ONCE,
    approval=always(reason="Every e-mail to somebody outside needs a person.", undo_s=30),
    check=check,
    customer=customer,
    headline=headline,
    verb="Send this e-mail",
    consequence="Leaves the house. Cannot be undone.",
    risk="medium",
    template="desk/preview/send_email.html",
    preview=preview,
    confirm=confirm,
    reasons=(
        "Wrong recipient",
        "Wrong wording or tone",
        "The facts are wrong",
        "Another document or step must come first",
        "Not needed",
    ),
    outcome=outcome,
    outside=("reason",),  # of a refusal: the other side's mail server words it
    listed=Listed(
        recipients=lambda arguments: arguments.to,
        reads=lambda arguments: [("file", one) for one in arguments.attach_document_ids],
    ),
)
def send_email(
    *,
    to: Annotated[
        list[EmailAddress], Field(min_length=1, max_length=10), AfterValidator(_distinct)
    ],
    subject: Line,
    body: Annotated[Paragraphs, Field(description="plain text, as the recipient reads it")],
    attach_document_ids: Annotated[
        list[records.DocumentId], Field(max_length=5), AfterValidator(_distinct)
    ] = [],  # noqa: B006 pydantic copies it
    context: ToolContext,
) -> dict[str, Any]:
    """Send one plain-text e-mail to one customer's own address (or to a colleague's allowed
    domain), with documents of ours attached by their ids. A person decides on it first. The answer
    says which recipients the mail server accepted and which it refused."""
    attached = _checked(to, attach_document_ids)
    message = _message(to, subject, body, attached, key=context.idempotency_key)
    refused = deliver(message, deadline_s=context.deadline_s)
    turned_away = {one.address for one in refused}
    return {
        "message_id": message_id(context.idempotency_key),
        "from": settings.DEFAULT_FROM_EMAIL,
        "accepted": [address for address in to if address not in turned_away],
        "refused": [{"address": one.address, "reason": one.reason} for one in refused],
        "attachments": [_attachment(found) for found in attached],
    }


def _message(
    to: list[str], subject: str, body: str, attached: list[Document], *, key: str
) -> EmailMessage:
    message = EmailMessage(
        subject,
        body,
        settings.DEFAULT_FROM_EMAIL,
        to,
        headers={"Message-ID": message_id(key)},
    )
    for found in attached:
        attach(
            message,
            name=found.filename,
            content=bytes(found.content),
            content_type=found.content_type,
        )
    return message


def _checked(to: list[str], attach_document_ids: list[str]) -> list[Document]:
    """Return the documents to attach; ToolInputError if anybody might get what is not theirs."""
    known = records.at_address(to)
    strangers = [a for a in to if a.lower() not in known and not _is_allowed_domain(a)]
    if strangers:
        raise ToolInputError(
            f"Mail may go to customers' own addresses only; not on record: {', '.join(strangers)}."
        )
    owners = [{customer.customer_id for customer in found} for found in known.values()]
    shared = set.intersection(*owners) if owners else set()
    if owners and not shared:
        raise ToolInputError("One e-mail may go to one customer only; these belong to several.")
    attached = [_attachable(document_id, shared) for document_id in attach_document_ids]
    if sum(len(found.content) for found in attached) > MAX_ATTACHED_BYTES:
        raise ToolInputError("The attachments take more than 10 MB.")
    return attached


def _attachable(document_id: str, customers: set[str]) -> Document:
    found = records.document(document_id, with_bytes=True)
    if customers and found.customer_id and found.customer_id not in customers:
        raise ToolInputError(
            f"{document_id} is about {found.customer_id} and may not go to {min(customers)}."
        )
    return found


def _is_allowed_domain(address: str) -> bool:
    return address.rpartition("@")[2].lower() in conf.mail_allowed_domains()


def _recipient(address: str, known: list[Customer]) -> dict[str, Any]:
    return {
        "address": address,
        "host": address.rpartition("@")[2],
        "customers": [{"customer_id": one.customer_id, "name": one.name} for one in known],
    }


def _attachment(found: Document) -> dict[str, Any]:
    return {
        "document_id": found.document_id,
        "filename": found.filename,
        "size": len(found.content),
        "sha256": found.sha256,
    }


def _problem(arguments: Any) -> str | None:
    try:
        check(arguments)
    except ToolError as error:
        return str(error)
    return None
