"""Every fault that is tried, and what must come of it. The tests name the ids they show."""

from __future__ import annotations

GROUPS = {
    "A": "Processes and clusters",
    "D": "Database",
    "Q": "Queue",
    "M": "LLM",
    "T": "Tools",
    "R": "Reviews",
    "C": "Cancel and limits",
    "V": "Deploys and versions",
    "K": "Clocks",
    "O": "Resources",
}

CATALOGUE = """
A1  | kill -9 before and after every commit and every outside call | goes on from its last commit; at most one LLM request again, no effect again
A2  | two and more deaths in one execution, also while recovering | the same
A3  | SIGTERM while a step runs | put back at its next commit; the stop has a bound
A4  | kill -9 of a cluster's main process, sentinel, pusher or monitor | the whole cluster ends; others go on
A5  | two clusters at once | one driver per execution
A6  | an execution that kills whatever drives it | `POISONED` after a bounded number of deaths; nobody else is harmed
A7  | out of memory, or a worker recycled in mid-execution | as A1; a recycle loses nothing
A8  | a worker frozen past its lease, then awake | its late writes change nothing, no second effect
A9  | django-q2's time-out strikes a runner | its executions go on elsewhere
A10 | the host stops and starts | everything in flight goes on
D1  | PostgreSQL restarted again and again | nothing lost, nothing twice; pages say "try again"
D2  | the connection killed before any commit | done again or not at all, never half
D3  | a connection dies while idle | the next use opens another
D4  | COMMIT happened, its acknowledgement was lost | looked up before anything is repeated
D5  | deadlock or serialization failure | tried again, a bounded number of times
D6  | failover to a copy that lacks the last commits | the same idempotency keys, so no `idempotent` effect twice; the seal shows the gap
D7  | a lock held long, a statement that times out | "busy, try again" within seconds, no half state
D8  | no connection left | backs off, nothing lost
D9  | disk full, for the database or the log | refuses cleanly, goes on when there is room; a log never ends an execution
D10 | a migration during traffic | old and new code go on
D11 | restored from a backup | what was under way outside is in doubt; nothing is issued again without a person
Q1  | a ticket lost, or unreadable after SECRET_KEY changed | found without it
Q2  | the same ticket many times at once | one driver, the others do nothing
Q3  | a ticket for something ended, deleted or unknown | nothing happens
Q4  | a ticket that is days old | nothing, or a legal resume
Q5  | a forged or unreadable message | refused; the others are served
Q6  | a ticket waits in a worker's hands beyond `retry` | the second delivery does nothing
Q7  | 10,000 waiting | by priority, then age; what resumes is not starved
Q8  | the monitor dies with a result | nobody needs it
M1  | 429, with and without Retry-After, a storm of them | waits as asked, frees its runner, comes back spread out
M2  | 5xx, connection refused, no such host, broken TLS | the same; gives up clearly in the end
M3  | silence, a connect that hangs, one byte a second | cut at the deadline
M4  | 400, 401, 403, 404, context too long | not repeated, a clear error; a refused key pauses instead of failing everything
M5  | a body that is HTML, empty or no JSON | tried again a little, then a clear end with an excerpt
M6  | no choices, no message, no content | the LLM is told, twice; then a clear end
M7  | cut off at the token limit | its calls never run; asked again
M8  | content filter, refusal | ends as what it was, not repeated blindly
M9  | arguments that are no JSON, fenced, doubled keys, NaN | refused to the LLM, never repaired
M10 | an unknown tool, one of another agent's, a look-alike name | answered, never run
M11 | arguments missing, extra, of wrong type or size | the LLM is told the field
M12 | call ids doubled, reused, empty, huge | told apart by ids of our own
M13 | 200 calls at once | eight run, the rest are told
M14 | text, reads and gated calls in one message | reads run, gates wait, the LLM hears once all are answered
M15 | NUL, lone surrogates, NaN, absurd numbers, depth, size | stored or refused, never the end of an execution
M16 | a reply that breaks off | an incomplete call never runs
M17 | usage missing, negative, absurd | estimated, and said so
M18 | the same call over and over | warned, then stopped
M19 | another answer to the same question after a resume | what was decided stands; it is not asked again
M20 | an empty or unfit final answer | asked again, then a clear end
T1  | a tool raises anything at all | the call failed, the runner lives
T2  | a tool hangs, also in C | its own time-out; the thread is counted as lost
T3  | a tool returns what is no JSON | stored as something sensible, or a clear error
T4  | a tool returns 100 MB | bounded in the row, shorter for the LLM, both say so
T5  | the effect happened, then it failed | same key again, or in doubt, by its kind
T6  | half of the recipients refused | each is told
T7  | the other side saw the key with other arguments | no retry; a person looks
T8  | the key's window is over | no retry; in doubt
T9  | the target changed after the approval | back to people with what is true now
T10 | the target is gone | the call fails before any effect
T11 | accepted for processing, rejected later | submitted is not accepted; both are told
T12 | a tool fails twenty times in a row | held back for a while instead of failing everything
R1  | double click, resend, back and again | one decision; "you did, a moment ago"
R2  | two reviewers at once | one wins; the other is told who, what, when
R3  | approving after cancel, expiry or the end | refused, no effect
R4  | approve, then take it back; reject, then approve | the first stands, but for the undo window
R5  | the page is stale | refused with what changed
R6  | approve against cancel | one order or the other, no effect after a cancel
R7  | approve against expiry | the database's clock decides
R8  | death between approval and effect | runs once
R9  | the right to approve is lost meanwhile | refused, or asked again at the start
R10 | one person twice, or two people on two versions | two people on one version
R11 | a batch in which some went stale | the others done, those named
R12 | several gated calls in any order | each bound by its id; resumes when all are decided
R13 | the session ends while typing | the text is kept
R14 | the database is away on submit | "not saved", and repeating is safe
R15 | a link opened by a scanner | GET changes nothing
C1  | cancel in every state, twice, ten at once | once; nothing starts after it
C2  | the LLM's answer comes after the cancel | nothing of it runs
C3  | each limit at, below and above, inside parallel calls | held
C4  | paused or stopped while in flight | takes effect at the next step; reviews stay
C5  | once more after a failure | a new execution, warned of what was already done
V1  | the definition changed while people were thinking | in flight keeps its own; pages say so
V2  | an agent or tool is gone, a tool wants more | what can go on does; the rest ends clearly before an effect
V3  | older code meets newer rows | leaves them alone and says so
V4  | old and new workers together | no promise broken
V5  | approved under old tool code, started under new | asked again
K1  | a worker's clock is wrong or jumps | leases go by the database's clock
K2  | summer time, leap day, odd zones | days and ages are right
K3  | a reviewer elsewhere | their time, with the zone
O1  | a million executions, ten million calls | pages stay quick
O2  | no CPU to spare | no lease lost, nobody starved
O3  | mail for reviewers is down | sent later; deciding goes on
"""  # noqa: E501 - one fault, one line


def rows() -> dict[str, tuple[str, str]]:
    """Return (fault, right outcome) by id."""
    split = [
        [part.strip() for part in line.split("|")]
        for line in CATALOGUE.splitlines()
        if line.strip()
    ]
    return {id: (fault, outcome) for id, fault, outcome in split}
