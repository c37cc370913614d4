"""How every player works: ask, look at what became of it, correct once, then give up."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentops.rehearsal.conversation import ASKED, Asked, Conversation, Outcome, Turn
from agentops.rehearsal.script import asked
from agentops.rehearsal.shapes import fitted

MOST_ATTEMPTS, MOST_ANSWERS = 2, 3
_FINAL = re.compile(
    r"\b(do not|don't|never|stop|withdraw\w*|cancel\w*|abandon\w*|no longer|not needed|must not|"
    r"should not|wrong (customer|person|company))\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“”']([^\"“”']{2,180})[\"“”']")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")

Arguments = dict[str, Any]
Correction = Callable[[Arguments, str], Arguments | None]


@dataclass(frozen=True)
class Done:
    """It succeeded; `outcome.arguments` are the ones that count."""

    outcome: Outcome


@dataclass(frozen=True)
class Propose:
    """Make this call."""

    arguments: Arguments


@dataclass(frozen=True)
class GaveUp:
    """It will not be done; `why` is a clause for the final answer."""

    why: str


Standing = Done | Propose | GaveUp


def stand(
    talk: Conversation,
    name: str,
    *,
    first: Arguments,
    revise: Correction | None = None,
    repair: Correction | None = None,
) -> Standing:
    """Return how things stand with a tool that is to succeed once.

    `revise` answers a person's reason with other arguments, `repair` the tool's error; None from
    them, a second rejection or a second error means giving up. After a question it is proposed
    once more as it was; `calls` then says the answer.
    """
    outcomes = talk.of(name)
    if not outcomes:
        return Propose(first)
    last = outcomes[-1]
    if last.status == "succeeded":
        return Done(last)
    same = [outcome for outcome in outcomes if outcome.status == last.status]
    if last.status == ASKED and len(same) <= MOST_ANSWERS:
        return Propose(dict(last.arguments))
    correct = {"rejected": revise, "failed": repair or plain_repair}.get(last.status)
    if correct is not None and len(same) < MOST_ATTEMPTS:
        better = correct(dict(last.arguments), last.reason)
        if better is not None:
            return Propose(better)
    return GaveUp(_why(last))


def calls(talk: Conversation, wanted: dict[str, Arguments], say: str | None = None) -> Turn:
    """Return a turn that calls each tool of `wanted` once, at once; a person's question on one of
    them is answered first."""
    asked_of = [found[-1] for name in wanted if (found := talk.of(name))]
    answers = [_answer(talk, one) for one in asked_of if one.status == ASKED]
    say = " ".join(answers) or say
    return Turn(text=say, calls=tuple(call(talk, name, wanted[name]) for name in wanted))


def many(talk: Conversation, name: str, wanted: list[Arguments]) -> Turn:
    """Return a turn that calls one tool several times at once."""
    return Turn(calls=tuple(call(talk, name, arguments) for arguments in wanted))


def call(talk: Conversation, name: str, arguments: Arguments) -> Asked:
    """Return a call whose arguments have every key that the tool's schema asks for."""
    return asked(name, fitted(talk.tools.get(name, {}), arguments))


def plain_repair(arguments: Arguments, error: str) -> Arguments | None:
    """Return arguments without what the error objects to; the same ones if it names nothing,
    since what failed once may work the second time."""
    unknown = [name for name in arguments if f"{name} is no argument" in error]
    return {name: arguments[name] for name in arguments if name not in unknown}


def tidied(arguments: Arguments, error: str) -> Arguments | None:
    """Return arguments with ids written as they should be, or one that the error names instead;
    None when that changes nothing."""
    made = {key: _tidy(value, error) for key, value in arguments.items()}
    return made if made != arguments else None


def is_final(reason: str) -> bool:
    """Whether a reviewer's reason says not to do it at all."""
    return not reason.strip() or bool(_FINAL.search(reason))


def quoted(reason: str) -> str | None:
    """Return what stands in quotation marks."""
    found = _QUOTED.search(reason)
    return line(found.group(1)) if found else None


def line(text: str, *, most: int = 200) -> str:
    """Return `text` as one visible line of at most `most` characters."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + "…"


def sentence(text: str) -> str:
    """Return `text` with exactly one full stop at its end."""
    return text.strip().rstrip(".") + "."


def _answer(talk: Conversation, asked_about: Outcome) -> str:
    """Return what a question can be answered with by rule: what the proposal rests on."""
    read = [one for one in talk.outcomes if one.status == "succeeded"]
    grounds = list(dict.fromkeys(_ground(one) for one in read))
    rests = f"It rests on {'; '.join(grounds)}" if grounds else "It rests on what I was asked to do"
    question = line(asked_about.reason, most=200)
    return f"You asked: “{question}” {line(rests, most=400)}. I propose it as it was."


def _ground(outcome: Outcome) -> str:
    """Return a call that succeeded in words: the tool and the ids it was given."""
    ids = [value for value in outcome.arguments.values() if isinstance(value, str)][:2]
    said = outcome.call.name.replace("_", " ")
    return f"{said} ({', '.join(line(one, most=60) for one in ids)})" if ids else said


def _why(outcome: Outcome) -> str:
    ends = {
        "rejected": f"a reviewer rejected it: {outcome.reason}",
        "failed": f"it failed: {outcome.reason}",
        ASKED: f"a reviewer asked too often: {outcome.reason}",
        "expired": "nobody decided on it in time",
        "cancelled": "it was cancelled",
    }
    return line(ends[outcome.status], most=400)


def _tidy(value: Any, error: str) -> Any:
    if not isinstance(value, str):
        return value
    named = re.findall(r"\b[A-Z][A-Z0-9]*-[A-Z0-9-]*[A-Z0-9]\b", error)
    clean = re.sub(r"[\s_]+", "-", value.strip()).upper()
    near = difflib.get_close_matches(clean, [n for n in named if n != value], n=1, cutoff=0.6)
    return near[0] if near else clean
