"""How templates show stored text, numbers, times and statuses: `{% load show %}`.

Stored text comes from LLMs, tools and customers. It reaches a page by autoescape or by `visible`,
which escapes every piece; nothing here marks it as safe.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from executions.core.states import CallStatus, ExecutionStatus, ReviewStatus
from executions.templatetags import words
from executions.templatetags.lookalikes import host_in_words, positions
from executions.templatetags.visible import Piece, hidden_count, marked, pieces

register = template.Library()

LONG_CHARS, LONG_LINES = 2_000, 40
"""Values beyond these are folded; the fold says how much it holds."""

OUTPUT_CHARS = 64_000
"""So much of a call's output stands on a page; arguments are always shown whole."""

_TONES = {
    ExecutionStatus.RUNNING: ("live", "play"),
    ExecutionStatus.COMPLETED: ("good", "check"),
    ExecutionStatus.FAILED: ("bad", "warn"),
    ExecutionStatus.CANCELLED: ("", "x"),
    ExecutionStatus.AWAITING_REVIEW: ("warn", "clock"),
    ExecutionStatus.PENDING: ("", "clock"),
    CallStatus.APPROVED: ("good", "check"),
    CallStatus.SUCCEEDED: ("good", "check"),
    CallStatus.REJECTED: ("", "x"),
    CallStatus.EXPIRED: ("", "clock"),
    CallStatus.IN_DOUBT: ("bad", "warn"),
    ReviewStatus.OPEN: ("warn", "clock"),
    ReviewStatus.VOID: ("", "x"),
    "settled as happened": ("good", "check"),
    "settled to run again": ("good", "check"),
    "settled as dropped": ("", "x"),
    "asked about": ("", "info"),
}
_STEPS = (8, 12, 18, 27, 40, 61, 92, 138)
_RISKS = {"high": "bad", "medium": "warn", "low": ""}
_TIME, _FOCUSABLE = (
    f'<time datetime="{{at}}" title="{{exact}}"{focusable} data-exact="{{exact}}"'
    ' data-zone="{zone}">{told}</time>'
    for focusable in ("", ' tabindex="0"')
)

register.filter("duration", words.duration)
register.filter("usd", words.usd)
register.filter("percent", words.percent)
register.filter("number", words.number)
register.filter("digest", words.digest)
register.filter("size", words.size)
register.filter("marked", marked)
register.filter("host_in_words", host_in_words)


@register.filter
def visible(text: Any) -> SafeString:
    """Return text of one line with whatever hides in it shown as a mark."""
    return _shown(str(text), lines=False)


@register.filter
def visible_lines(text: Any) -> SafeString:
    """Return text of several lines with whatever hides in it shown as a mark."""
    return _shown(str(text), lines=True)


def _shown(text: str, *, lines: bool) -> SafeString:
    """Return the text's pieces, each escaped, isolated from the direction of what is around."""
    inner = format_html_join(
        "",
        "{}",
        (
            (
                format_html('<span class="{}">{}</span>', _look(one), one.mark)
                if one.mark
                else one.source,
            )
            for one in pieces(text, lines=lines)
        ),
    )
    return format_html('<bdi class="whole">{}</bdi>', inner)


def _look(one: Piece) -> str:
    return "hid space" if one.is_blank else "hid twin" if one.is_twin else "hid"


@register.filter
def lookalikes(value: Any) -> int:
    """Return how many characters that look like others a text or a JSON value holds."""
    if isinstance(value, str):
        return len(positions(value))
    if isinstance(value, dict):
        return sum(lookalikes(str(key)) + lookalikes(one) for key, one in value.items())
    return sum(map(lookalikes, value)) if isinstance(value, list) else 0


@register.filter
def is_doubtful(text: str) -> bool:
    """Test if a text holds anything that hides or looks like something else."""
    return bool(hidden(text) or positions(text))


@register.inclusion_tag("show/doubtful.html")
def doubtful(thing: Any) -> dict[str, int]:
    """Warn of characters in a JSON value that hide, and of those that look like others."""
    return {"hidden": hidden(thing), "twins": lookalikes(thing)}


@register.filter
def hidden(value: Any) -> int:
    """Return how many characters that do not show a text or a JSON value holds."""
    if isinstance(value, str):
        return hidden_count(value)
    if isinstance(value, dict):
        return sum(hidden(str(key)) + hidden(one) for key, one in value.items())
    return sum(map(hidden, value)) if isinstance(value, list) else 0


@register.filter
def exact(value: Any) -> str:
    """Return a JSON value as it is stored, indented, key by key."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def extent(value: Any) -> str:
    """Return how much a text or a JSON value holds, for the fold around it."""
    text = value if isinstance(value, str) else exact(value)
    told = words.count(len(text), "character")
    breaks = text.count("\n")
    return f"{told}, {words.count(breaks + 1, 'line')}" if breaks else told


@register.filter
def is_long(text: Any) -> bool:
    return len(str(text)) > LONG_CHARS or str(text).count("\n") >= LONG_LINES


@register.filter
def spaced(name: Any) -> str:
    """Return a status or a field's name in words."""
    return str(name).replace("_", " ")


@register.filter
def named(person: Any) -> str:
    """Return a person's full name, or the username."""
    return (person.get_full_name() or person.get_username()) if person else "nobody"


@register.filter
def initials(person: Any) -> str:
    told = named(person).replace(".", " ").split()
    return "".join(word[0] for word in told[:2]).upper()


@register.filter
def since(at: datetime | None) -> str:
    """Return how long ago a moment was, or how far ahead it is."""
    return words.age(timezone.now() - at) if at else words.NOTHING


@register.filter
def did(vote: str) -> str:
    """Return what a person did by a vote, to follow their name."""
    return words.did(vote)


@register.filter
def ago(at: datetime | None) -> str:
    """Return how long ago a moment was, with "ago"."""
    return words.ago(timezone.now() - at) if at else words.NOTHING


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>', name)


# Not by templates of their own: a page may hold a thousand of these.


@register.simple_tag
def when(at: datetime | None, to_the_second: bool = False, focusable: bool = False) -> str:
    """Show a moment in the reader's zone, exact on hover; `focusable`: by keyboard, too."""
    if at is None:
        return words.NOTHING
    local = timezone.localtime(at)
    exactly = words.exact(local)
    return format_html(
        _FOCUSABLE if focusable else _TIME,
        at=local.isoformat(),
        exact=exactly,
        zone=local.tzname(),
        told=f"{local:%H:%M:%S}" if to_the_second else words.moment(local, timezone.localtime()),
    )


@register.simple_tag
def status(name: str) -> SafeString:
    """Show a status of an execution, a call or a review: a word, a shape, a colour."""
    tone, shape = next((look for known, look in _TONES.items() if known == name), ("", "clock"))
    return format_html(
        '<span class="{}">{}{}</span>', f"chip {tone}".strip(), icon(shape), spaced(name)
    )


@register.simple_tag
def risk(name: str) -> SafeString:
    return format_html(
        '<span class="{}"><svg class="i dot" aria-hidden="true"><use href="#i-{}"/></svg>{}</span>',
        f"chip {_RISKS.get(name, '')}".strip(),
        name,
        name.capitalize(),
    )


@register.inclusion_tag("show/value.html")
def value(thing: Any, is_open: bool = False) -> dict[str, Any]:
    """Show a JSON value: fields of fields, long texts whole, and folded unless `is_open`."""
    if isinstance(thing, dict):
        kind = "fields" if thing else "nothing"
        return {"fields": thing.items(), "kind": kind, "is_open": is_open}
    if isinstance(thing, list):
        return {"items": thing, "kind": "items" if thing else "nothing", "is_open": is_open}
    if thing is None or thing == "":
        return {"kind": "nothing"}
    text = thing if isinstance(thing, str) else json.dumps(thing)
    return {"text": text, "kind": "long" if is_long(text) and not is_open else "text"}


@register.inclusion_tag("show/output.html")
def output(call: Any, title: str = "Output") -> dict[str, Any]:
    """Show a call's output; of a very long one the beginning, and where the whole is."""
    text = exact(call.tool_output)
    return {
        "call": call,
        "title": title,
        "text": text[:OUTPUT_CHARS],
        "extent": extent(text),
        "hidden": hidden(call.tool_output),
        "shown": OUTPUT_CHARS if len(text) > OUTPUT_CHARS else 0,
    }


@register.simple_tag
def mail_frame(parts: list[tuple[str, bool]]) -> str:
    """Return a page of its own that shows a mail's text as its reader sees it. As it is no safe
    string, the template escapes it once more, for the attribute it stands in."""
    return str(render_to_string("show/mail_frame.html", {"parts": parts})) + ""


@register.filter
def lines_about(text: str) -> int:
    """Return about how many lines a text takes in a mail, in steps: 8, 12, 18, 27, …, 138."""
    needed = sum(len(line) // 74 + 1 for line in text.split("\n")) + 1
    return next((step for step in _STEPS if step >= needed), _STEPS[-1])


@register.inclusion_tag("show/payload.html")
def payload(title: str, thing: Any, opened: bool = False, of: str = "") -> dict[str, Any]:
    """Show a stored JSON value, whole, in a fold that says how much it holds. `of` is the digest
    of a call's exact arguments, when it is those."""
    return {"title": title, "thing": thing, "opened": opened, "of": of}


@register.simple_block_tag(takes_context=True, end_name="endpart")
def part(context: Context, content: SafeString, key: str) -> SafeString:
    """Show what stands between the tags; in a fold if the proposal folds that part of its
    arguments, so that opening it counts as having read it."""
    found = context["proposal"].place(key)
    if found is None:
        return content
    return render_to_string("desk/_fold.html", {"part": found, "content": content})
