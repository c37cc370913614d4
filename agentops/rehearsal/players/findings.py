"""What the records say on each requirement of a regulation, by plain rules."""

from __future__ import annotations

import re
from typing import Any

MET, NOT_MET, UNCLEAR = "met", "not_met", "unclear"
_MOST_QUOTED = 160


def findings_of(
    requirements: list[dict[str, Any]], record: dict[str, Any], documents: list[dict[str, Any]]
) -> list[dict[str, str]]:
    """Return one finding per requirement: {requirement_id, finding, status, source}."""
    return [_finding(requirement, record, documents) for requirement in requirements]


def corrected(findings: list[dict[str, Any]], remark: str) -> list[dict[str, Any]] | None:
    """Return the findings with those that a reviewer's remark names set right; None if it names
    none of them."""
    status = _status_in(remark)
    made = [
        {**one, "status": status, "finding": f"{one['finding']} On review: {remark}"}
        if _names(remark, one)
        else one
        for one in findings
    ]
    return made if made != findings else None


def tally(findings: list[dict[str, Any]]) -> str:
    """Return a sentence that counts the findings."""
    words = {MET: "met", NOT_MET: "not met", UNCLEAR: "unclear"}
    counts = {status: sum(one["status"] == status for one in findings) for status in words}
    parts = [f"{counts[status]} {words[status]}" for status in words if counts[status]]
    return f"Of {len(findings)} requirements, {', '.join(parts) or 'none was examined'}."


def _finding(
    requirement: dict[str, Any], record: dict[str, Any], documents: list[dict[str, Any]]
) -> dict[str, str]:
    """Return one finding. A requirement's field names fields of the record, or "documents: KIND",
    or "documents" for any."""
    field = str(requirement.get("field") or "")
    if field.startswith("documents"):
        status, said, cited = _by_documents(field.partition(":")[2].strip(), documents)
    else:
        status, said, cited = _by_fields(field, record, documents)
    return {
        "requirement_id": str(requirement.get("id")),
        "finding": said,
        "status": status,
        "source": ", ".join(cited or [str(record.get("customer_id"))]),
    }


def _by_documents(kind: str, documents: list[dict[str, Any]]) -> tuple[str, str, list[str]]:
    words = kind.replace("_", " ") or "document"
    found = [one for one in documents if not kind or one.get("kind") == kind]
    if not found:
        return NOT_MET, f"No “{words}” is on file.", []
    titles = "; ".join(f"“{one.get('title')}” of {one.get('date')}" for one in found)
    said = f"On file: {titles}. It says: {_beginning(found[0])}"
    return MET, said, [str(one.get("document_id")) for one in found]


def _by_fields(
    field: str, record: dict[str, Any], documents: list[dict[str, Any]]
) -> tuple[str, str, list[str]]:
    names = [name.strip() for name in field.split(",") if name.strip() in record]
    if not names:
        return UNCLEAR, "Neither the record nor the documents on file speak to this.", []
    empty = [name for name in names if record[name] in (None, "", [])]
    if empty:
        words = ", ".join(f"“{_spoken(name)}”" for name in empty)
        return NOT_MET, f"The record holds nothing on {words}.", []
    said = " ".join(f"The record says on “{_spoken(n)}”: {_in_words(record[n])}." for n in names)
    newest = max((str(one.get("date")) for one in documents), default="")
    if names == ["last_reviewed_on"] and _a_year_before(str(record[names[0]]), newest):
        return NOT_MET, f"{said} A document on file is of {newest}, more than a year later.", []
    return MET, said, []


def _a_year_before(day: str, later: str) -> bool:
    """Whether `day` is over a year before `later`, both ISO dates; they compare as text."""
    return later[4:5] == "-" and f"{int(later[:4]) - 1}{later[4:]}" > day


def _spoken(field: str) -> str:
    return field.replace("_", " ")


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(_in_words(item) for item in value)
    if isinstance(value, dict):
        owner = value.get("name")
        share, country = value.get("share_percent"), value.get("country")
        if owner and share is not None:
            return f"{owner}, {share:g} % ({country})"
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return str(value)


def _beginning(document: dict[str, Any]) -> str:
    text = " ".join(str(document.get("text", "")).split())
    return text if len(text) <= _MOST_QUOTED else text[:_MOST_QUOTED].rpartition(" ")[0] + " …"


def _names(remark: str, finding: dict[str, Any]) -> bool:
    """Whether a remark is about this finding: its requirement's id, or the field it quotes."""
    said = remark.lower()
    fields = re.findall(r"“([^”]+)”", str(finding["finding"]))
    names = [str(finding["requirement_id"]).lower(), *(field.lower() for field in fields)]
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said) for name in names if name)


def _status_in(remark: str) -> str:
    said = remark.lower()
    if re.search(r"\bnot[ _]met\b|\bmissing\b|\bfails?\b", said):
        return NOT_MET
    return MET if re.search(r"\b(is|are|as) met\b", said) else UNCLEAR
