"""The main job as people live it: launched by command, decided in a browser, done in the world."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from agentops.accounts.models import User
from executions.models import AgentExecution, AgentReview, AgentRunner
from tests.journeys.conftest import Start, World, check_invariants, launch, until
from tests.support.waiting import wait_until
from tests.support.website import web_server
from tools.models import Document

pytestmark = [pytest.mark.processes, pytest.mark.browser, pytest.mark.slow]

PASSWORD = "only for tests"


@pytest.fixture
def site(world: World, start_process: Start) -> str:
    """Return the address of a real web server on the test's database."""
    return web_server(start_process, **world.variables)


@contextmanager
def signed_in(browser: Browser, site: str, name: str) -> Iterator[Page]:
    """A page of a person's own browser session, signed in."""
    context = browser.new_context(base_url=site)
    page = context.new_page()
    page.goto("/admin/login/?next=/reviews/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    expect(page).to_have_url(re.compile("/reviews/$"))
    yield page
    context.close()


def open_review(execution: AgentExecution, tool: str) -> AgentReview:
    return wait_until(
        lambda: AgentReview.objects.open().filter(execution=execution, tool_name=tool).first(),
        within_s=30,
        what=f"a review of {tool}",
    )


def approve(page: Page, review: AgentReview, verb: str, shot: Path | None = None) -> None:
    """Open the review from the list, read it, press the tool's verb and confirm."""
    page.goto("/reviews/")
    page.locator(f"a[href*='{review.pk}']").first.click()
    decide = page.locator(".bar").get_by_role("button", name=verb)
    decide.wait_for()
    if shot is not None:
        page.screenshot(path=shot, full_page=True)
    decide.click()
    page.locator("#confirm").get_by_role("button", name=verb).click()
    page.wait_for_load_state()


def follow(world: World, process_env: dict[str, str]) -> subprocess.Popen[str]:
    """Launch the sample by command and follow it, in a process of its own."""
    return subprocess.Popen(
        [
            sys.executable, "manage.py", "launch_agent",
            "compliance_document_generator", "--sample", "--follow",
        ],
        env={**process_env, **world.variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip


def test_a_filing_is_decided_by_people_in_the_browser_and_happens_once(
    world: World,
    site: str,
    browser: Browser,
    reviewers: list[User],
    process_env: dict[str, str],
    tmp_path: Path,
) -> None:
    world.cluster()
    command = follow(world, process_env)
    execution = wait_until(AgentExecution.objects.first, within_s=30, what="the launch")
    until(execution, "awaiting_review")
    assert execution.lease_owner is None
    assert (world.letters(), world.authority.filings()) == ([], [])
    assert not Document.objects.filter(kind=Document.REPORT).exists()
    wait_until(
        lambda: not AgentRunner.objects.filter(dead_at=None, in_flight__gt=0).exists(),
        what="a runner that holds nothing",
    )

    with signed_in(browser, site, "rita") as rita, signed_in(browser, site, "omar") as omar:
        document = open_review(execution, "generate_compliance_document")
        approve(rita, document, "Make this document", shot=tmp_path / "document.png")
        filing = open_review(execution, "submit_to_regulator")
        approve(rita, filing, "File this report", shot=tmp_path / "filing.png")
        expect(rita.locator("body")).to_contain_text("1 of 2")
        assert world.authority.filings() == []
        approve(omar, filing, "File this report")
        letter = open_review(execution, "send_email")
        approve(omar, letter, "Send this e-mail", shot=tmp_path / "letter.png")

    until(execution, "completed", within_s=60)
    printed, _ = command.communicate(timeout=30)
    assert command.returncode == 0, printed
    assert "waits for a person" in printed
    (filed,) = world.authority.filings()
    call = execution.tool_calls.get(tool_name="submit_to_regulator")
    assert filed["document_sha256"] == call.tool_input["document_sha256"]
    assert AgentReview.objects.get(pk=filing.pk).input_digest == call.input_digest
    assert len(world.letters()) == 1
    stored = Document.objects.get(pk=execution.result["document_id"])
    assert stored.sha256 == filed["document_sha256"]
    assert len(PdfReader(BytesIO(bytes(stored.content))).pages) == stored.pages
    for shot in ("document", "filing", "letter"):
        assert (tmp_path / f"{shot}.png").stat().st_size > 20_000
    check_invariants(tmp_path, world)


def test_a_rejection_with_its_reason_reaches_the_agent_and_nothing_happens(
    world: World, site: str, browser: Browser, reviewers: list[User], tmp_path: Path,
    process_env: dict[str, str],
) -> None:  # fmt: skip
    world.cluster()
    launch("compliance_document_generator")
    execution = wait_until(AgentExecution.objects.first, within_s=30, what="the launch")
    review = open_review(execution, "generate_compliance_document")
    reason = "Do not make this report: the customer left us in March."

    with signed_in(browser, site, "rita") as page:
        page.goto(f"/reviews/{review.pk}/")
        page.locator(".bar").get_by_role("button", name="Reject").click()
        page.locator("#reject textarea").fill(reason)
        page.locator("#reject").get_by_role("button", name="Reject").click()
        page.wait_for_load_state()

    until(execution, "completed", "awaiting_review", within_s=30)
    call = execution.tool_calls.get(pk=review.call_id)
    assert (call.status, call.started_at) == ("rejected", None)
    heard = [
        item
        for line in world.llm.log(containing="left us in March")
        for item in line["body"]["input"]
        if item.get("call_id") == call.provider_call_id and "output" in item
    ]
    assert heard
    assert json.loads(heard[0]["output"])["reason"] == reason
    assert not Document.objects.filter(kind=Document.REPORT).exists()
    assert (world.letters(), world.authority.filings()) == ([], [])
