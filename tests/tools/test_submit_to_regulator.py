from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_authority import SandboxAuthority, sandbox_authority
from tests.tools.calling import KEY, run
from tests.tools.reports import findings, report_arguments
from tools.base import KeyConflict, OutcomeUnknown, Target, ToolError, ToolInputError
from tools.models import Document, Regulator
from tools.registry import get_tool

TOOL = get_tool("submit_to_regulator")

pytestmark = pytest.mark.usefixtures("records")


@pytest.fixture
def authority(records: None, tmp_path: Path) -> Iterator[SandboxAuthority]:
    with _serving(tmp_path) as running:
        yield running


def _serving(folder: Path, *options: str) -> Any:
    """A running authority to which the sample regulators' rows lead."""
    context = sandbox_authority(folder, *options)

    class Serving:
        def __enter__(self) -> SandboxAuthority:
            running = context.__enter__()
            Regulator.objects.update(endpoint=f"{running.url}/filings")
            return running

        def __exit__(self, *error: Any) -> None:
            context.__exit__(*error)

    return Serving()


def _asked(**changes: Any) -> dict[str, Any]:
    made = run("generate_compliance_document", report_arguments())
    usual = {
        "regulator_id": "REG-NFSA",
        "document_id": made["document_id"],
        "document_sha256": made["sha256"],
        "subject": "Due diligence report on Marlowe Shipping B.V.",
    }
    return {**usual, **changes}


def _refused(**changes: Any) -> str:
    """The same words at the proposal and, had it been approved nonetheless, at the filing."""
    asked = _asked(**changes)
    assert TOOL.check is not None
    with pytest.raises(ToolError) as proposed:
        TOOL.check(TOOL.parse(asked))
    with pytest.raises(ToolError) as filed:
        run("submit_to_regulator", asked)
    assert str(proposed.value) == str(filed.value)
    return str(filed.value)


def test_it_stands_in_the_authoritys_own_ledger_with_the_digest_that_was_asked_for(
    authority: SandboxAuthority,
) -> None:
    asked = _asked()
    output = run("submit_to_regulator", asked)
    (entry,) = authority.filings()
    assert entry["document_sha256"] == asked["document_sha256"]
    assert entry["idempotency_key"] == KEY
    assert entry["regulation"] == "AML-6"
    assert entry["subject"] == asked["subject"]
    assert output == {
        "filing_id": entry["filing_id"],
        "receipt": entry["receipt"],
        "accepted_at": entry["accepted_at"],
        "status": "accepted",
        "regulator_id": "REG-NFSA",
        "environment": "TEST",
        "document_id": asked["document_id"],
        "document_sha256": asked["document_sha256"],
    }


def test_filing_again_under_the_same_key_gives_the_first_receipt(
    authority: SandboxAuthority,
) -> None:
    asked = _asked()
    assert run("submit_to_regulator", asked) == run("submit_to_regulator", asked)
    assert len(authority.filings()) == 1


def test_the_same_key_for_another_filing_is_told_apart_from_a_refusal(
    authority: SandboxAuthority,
) -> None:
    """T7: it is no ToolError, which would mean that nothing was filed."""
    run("submit_to_regulator", _asked())
    with pytest.raises(KeyConflict, match="answered 422: this key already stands for filing FIL-"):
        run("submit_to_regulator", _asked(subject="Something else"))
    assert len(authority.filings()) == 1


@pytest.mark.parametrize(
    "fault", ["error-after-recording", "drop-after-recording", "error-before-recording"]
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_fault_at_the_authority_ends_in_one_filing_and_its_receipt(
    tmp_path: Path, fault: str, times: int
) -> None:
    """T5: the key makes asking again safe."""
    with _serving(tmp_path, "--fault", fault, "--fault-times", str(times)) as authority:
        output = run("submit_to_regulator", _asked())
        (entry,) = authority.filings()
    assert output["receipt"] == entry["receipt"]


@pytest.mark.parametrize("fault", ["error-after-recording", "drop-after-recording"])
def test_faults_without_end_leave_the_outcome_unknown_until_asked_again_with_the_same_key(
    tmp_path: Path, fault: str
) -> None:
    asked = _asked()
    with _serving(tmp_path, "--fault", fault, "--fault-times", "3") as authority:
        with pytest.raises(OutcomeUnknown, match="may hold the filing"):
            run("submit_to_regulator", asked)
        (entry,) = authority.filings()
        assert run("submit_to_regulator", asked)["receipt"] == entry["receipt"]
        assert len(authority.filings()) == 1


def test_an_authority_too_slow_to_answer_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    """T11: slow is not refused."""
    asked = _asked()
    with _serving(tmp_path, "--fault", "delay=30", "--fault-times", "9") as authority:
        with pytest.raises(OutcomeUnknown, match="broke off"):
            run("submit_to_regulator", asked, deadline_s=2)
        assert len(authority.filings()) == 1


def test_an_authority_that_dies_and_returns_still_knows_the_key(tmp_path: Path) -> None:
    asked = _asked()
    with _serving(tmp_path) as authority:
        first = run("submit_to_regulator", asked)
        authority.process.send(signal.SIGKILL)
        authority.process.wait()
    with _serving(tmp_path) as authority:
        assert run("submit_to_regulator", asked) == first
        assert len(authority.filings()) == 1


def test_an_authority_that_is_down_means_that_nothing_was_filed(tmp_path: Path) -> None:
    asked = _asked()
    with _serving(tmp_path) as authority:
        authority.process.stop()
        with pytest.raises(ToolError, match=r"Nothing was filed.*out of reach"):
            run("submit_to_regulator", asked)


def test_a_redirect_is_refused_and_not_followed(tmp_path: Path) -> None:
    asked = _asked()
    with (
        _serving(tmp_path, "--fault", "redirect") as authority,
        pytest.raises(ToolError, match="answered 307"),
    ):
        run("submit_to_regulator", asked)
    assert authority.ledger_file.read_bytes() == b""


def test_it_ends_within_its_deadline_whatever_the_authority_does(tmp_path: Path) -> None:
    with _serving(tmp_path) as authority:
        asked = _asked()
        authority.process.send(signal.SIGSTOP)
        with pytest.raises(OutcomeUnknown):
            run("submit_to_regulator", asked, deadline_s=2)


def test_a_digest_that_is_not_the_documents_is_refused(authority: SandboxAuthority) -> None:
    assert "has another sha256 than the one given" in _refused(document_sha256="0" * 64)
    assert authority.filings() == []


def test_only_reports_that_we_made_are_filed(authority: SandboxAuthority) -> None:
    extract = Document.objects.get(customer="C-1001", kind="register_extract")
    said = _refused(document_id=extract.document_id, document_sha256=extract.sha256)
    assert "is a register extract; only a compliance report" in said
    assert authority.filings() == []


def test_a_report_goes_to_the_regulator_of_its_regulation_only(authority: SandboxAuthority) -> None:
    said = _refused(regulator_id="REG-FTO")
    assert said.endswith("answers to AML-6, whose filings go to REG-NFSA, not to REG-FTO.")
    crs = run(
        "generate_compliance_document",
        report_arguments(regulation_code="CRS-2", findings=findings("CRS-2")),
    )
    taxes = _asked(
        regulator_id="REG-FTO", document_id=crs["document_id"], document_sha256=crs["sha256"]
    )
    assert run("submit_to_regulator", taxes)["regulator_id"] == "REG-FTO"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"regulator_id": "REG-NONE"}, "no regulator REG-NONE"),
        ({"document_id": "DOC-000000000000"}, "no document DOC-000000000000"),
    ],
)
def test_unknown_records_are_refused(changes: dict[str, str], why: str) -> None:
    assert why in _refused(**changes)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://10.0.0.5/filings",
        "ftp://127.0.0.1/",
        "http://169.254.169.254/",
        "https://u:p@x.org/",
    ],
)
def test_a_row_that_leads_astray_is_not_followed(endpoint: str) -> None:
    Regulator.objects.update(endpoint=endpoint)
    assert "cannot be filed with" in _refused()


def test_a_live_row_never_leads_to_this_machine() -> None:
    asked = _asked()
    Regulator.objects.update(endpoint="https://127.0.0.1:8002/", is_live=True)
    with pytest.raises(ToolError, match="not a public address"):
        run("submit_to_regulator", asked)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"endpoint": "http://evil.example/"}, "endpoint is no argument"),
        ({"regulator_id": "http://evil.example/"}, "regulator_id"),
        ({"document_sha256": "0"}, "document_sha256"),
        ({"subject": "a\r\nX-Header: b"}, r"U\+000A"),
        ({"subject": "x" * 201}, "at most 200"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(changes: dict[str, str], why: str) -> None:
    with pytest.raises(ToolInputError, match=why):
        TOOL.parse(_asked(**changes))


def test_its_target_is_the_regulators_row_so_that_live_is_never_a_surprise() -> None:
    assert TOOL.target is not None
    parsed = TOOL.parse(_asked())
    name = "Nordic Financial Supervisory Authority"
    assert TOOL.target(parsed) == Target("regulator", "REG-NFSA", "1", f"{name}, TEST")
    Regulator.objects.filter(pk="REG-NFSA").update(
        endpoint="https://filings.example.org/", is_live=True
    )
    assert TOOL.target(parsed) == Target("regulator", "REG-NFSA", "2", f"{name}, LIVE")


def test_the_preview_tells_where_it_goes_and_what() -> None:
    assert TOOL.preview is not None
    asked = _asked()
    seen = TOOL.preview(TOOL.parse(asked))
    assert seen["sentence"] == (
        "File a report about Marlowe Shipping B.V. with the Nordic Financial Supervisory Authority"
    )
    assert seen["regulator"]["environment"] == "TEST"
    assert seen["regulator"]["host"] == "127.0.0.1"
    assert seen["document"]["sha256"] == asked["document_sha256"]
    assert seen["document"]["regulation_code"] == "AML-6"
    assert seen["digest_matches"] is True
    assert seen["problem"] is None


def test_the_preview_says_what_is_wrong() -> None:
    assert TOOL.preview is not None
    seen = TOOL.preview(TOOL.parse(_asked(document_sha256="0" * 64)))
    assert seen["digest_matches"] is False
    assert "another sha256" in seen["problem"]
    gone = TOOL.preview(TOOL.parse(_asked(regulator_id="REG-NONE")))
    assert set(gone) == {"sentence", "problem"}


def test_the_headline_is_made_of_the_arguments() -> None:
    assert TOOL.headline is not None
    said = TOOL.headline(TOOL.parse(_asked()))
    assert re.fullmatch(
        r"File DOC-[0-9a-f]{12} with REG-NFSA: “Due diligence report on Marlowe Shipping B.V.”",
        said,
    )
