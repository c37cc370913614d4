"""A compliance report as data: what it says, its digest, and it as plain text.

The digest printed in the PDF cannot be the digest of the PDF's own bytes, since printing it would
change them. It is the digest of what the report says (`Report.canonical`), from which the
document's id is cut, too. The digest of the file is kept beside the file and goes with a filing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property

LAYOUT = 1  # raise it when the same content would no longer give the same bytes
STATUSES = {"met": "Met", "not_met": "Not met", "unclear": "Unclear"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found on one requirement; `source` cites records by their ids."""

    requirement_id: str
    requirement: str
    status: str
    finding: str
    source: str

    @property
    def status_in_words(self) -> str:
        return STATUSES[self.status]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A record of ours that a finding cites, in the state in which it was cited."""

    record_id: str
    title: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything the document says. `facts` are (label, value) in the order they are shown."""

    organisation: str
    title: str
    authority: str
    regulation_code: str
    regulation_title: str
    customer_id: str
    customer_name: str
    facts: tuple[tuple[str, str], ...]
    summary: str
    findings: tuple[Finding, ...]
    sources: tuple[Source, ...]
    day: date

    @cached_property
    def canonical(self) -> bytes:
        """Return what the report says as JSON with sorted keys, the same for the same report."""
        said = {**asdict(self), "day": self.day.isoformat(), "layout": LAYOUT}
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return text.encode()

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of what the report says, 64 hex characters."""
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def undated(self) -> str:
        """Return a digest of all it says but for the day, 16 hex characters."""
        return replace(self, day=date.min).digest[:16]

    @property
    def document_id(self) -> str:
        return f"DOC-{self.digest[:12]}"

    @property
    def day_in_words(self) -> str:
        return f"{self.day:%-d %B %Y}"

    @property
    def outcome(self) -> str:
        """Return one sentence that counts the findings."""
        count = Counter(finding.status for finding in self.findings)
        parts = [f"{count[key]} {words.lower()}" for key, words in STATUSES.items() if count[key]]
        noun = "requirement" if len(self.findings) == 1 else "requirements"
        return f"{len(self.findings)} {noun} examined: {', '.join(parts)}."

    @property
    def provenance(self) -> str:
        """Return how the report came about, for its reader."""
        return (
            f"This report was drafted by a software agent from the records of {self.organisation} "
            "that section 4 lists. Every such report is examined and released by a person before "
            "it is made, and again by two persons before it is filed."
        )

    def as_text(self) -> str:
        """Return the report as plain text, for reading and searching."""
        blocks = [
            self.title,
            f"To {self.authority}, under {self.regulation_code}, {self.regulation_title}",
            f"{self.organisation}, {self.day_in_words}",
            "1 Subject\n" + "\n".join(f"{label}: {value}" for label, value in self.facts),
            f"2 Summary\n{self.outcome}\n{self.summary}",
            "3 Findings\n" + "\n\n".join(map(_finding_as_text, self.findings)),
            "4 Sources\n" + "\n".join(f"{s.record_id}: {s.title}, {s.state}" for s in self.sources),
            f"5 Origin and integrity\n{self.provenance}\nContent digest, sha256: {self.digest}",
        ]
        return "\n\n".join(blocks)


def _finding_as_text(finding: Finding) -> str:
    return (
        f"{finding.requirement_id} {finding.status_in_words}: {finding.requirement}\n"
        f"{finding.finding}\nSource: {finding.source}"
    )
