from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from agentops.sandbox.ledger import KeyReused, Ledger, LedgerInUse

FILING = {"subject": "s", "document_sha256": "0" * 64}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """`opened()` opens this test's ledger; whatever was opened is closed in the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Ledger(tmp_path / "ledger.jsonl")))


def _entered(ledger: Ledger, key: str = "key-0001", body: str = "a" * 64) -> str:
    return str(ledger.enter(key=key, body_sha256=body, filing=FILING)["filing_id"])


def test_a_key_seen_before_gets_its_first_entry(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    assert _entered(ledger) == _entered(ledger)
    assert len(ledger.entries()) == 1


def test_a_key_for_another_body_is_refused(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    _entered(ledger)
    with pytest.raises(KeyReused, match="already stands for filing FIL-"):
        _entered(ledger, body="b" * 64)


def test_an_entry_is_in_the_file_when_it_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.jsonl"
    with closing(Ledger(path)) as ledger:
        _entered(ledger)
        assert path.read_bytes().count(b"\n") == 1


def test_only_one_process_writes_a_ledger(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    with pytest.raises(LedgerInUse):
        opened()
    ledger.close()
    opened()


def test_a_ledger_goes_on_where_it_left_off(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    first = _entered(ledger)
    ledger.close()
    again = opened()
    assert _entered(again) == first
    assert _entered(again, key="key-0002").endswith("-000002")


def test_a_line_torn_by_a_kill_was_never_answered_and_is_cut_off(
    tmp_path: Path, opened: Callable[[], Ledger]
) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = opened()
    _entered(ledger)
    ledger.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"filing_id": "FIL-2026-0000')
    again = opened()
    assert len(again.entries()) == 1
    assert path.read_bytes() == whole
    _entered(again, key="key-0002")
    again.close()
    assert len(opened().entries()) == 2


def test_many_at_once_under_one_key_make_one_entry(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    seen: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: seen.append(_entered(ledger, key=f"key-000{n % 2}")))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(seen) == 20
    assert len(set(seen)) == len(ledger.entries()) == 2
