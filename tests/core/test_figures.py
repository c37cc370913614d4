"""What counts as a figure, and which spellings are the same one."""

from __future__ import annotations

from time import process_time

import pytest

from executions.core.figures import figures_of, keys_of, plain


def keys(value: object) -> list[str]:
    return [one.key for one in figures_of(value)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to Ana.Duarte@Marlowe.example, please", ["email ana.duarte@marlowe.example"]),
        ("see https://Portal.example/reports.", ["link portal.example/reports"]),
        ("see www.portal.example/reports/", ["link portal.example/reports"]),
        ("mailto:x@y.example", ["link x@y.example"]),
        ("C-1001, M-2001: DOC-0123456789ab", ["id C-1001", "id M-2001", "id DOC-0123456789ab"]),
        ("REG-NFSA under AML-6.1.", ["id REG-NFSA", "id AML-6.1"]),
        ("filed as RCP-20261125-0007", ["id RCP-20261125-0007"]),
        ("a well-known half-year EU-WIDE rule", []),
        ("a1" * 32, [f"digest {'a1' * 32}"]),
        ("DE89 3704 0044 0532 0130 00 is new", ["account DE89370400440532013000"]),
        ("NL91ABNA0417164300", ["account NL91ABNA0417164300"]),
        ("on 2026-03-03T08:42:00+01:00", ["date 2026-03-03"]),
        ("on 3 March 2026", ["date 2026-03-03"]),
        ("on 3rd mar. 2026", ["date 2026-03-03"]),
        ("on March 3, 2026", ["date 2026-03-03"]),
        ("on 03.03.2026 and 25/12/2026 and 12/25/2026", ["date 2026-03-03", "date 2026-12-25"]),
        ("call +31 (10) 555-0142!", ["phone 31105550142"]),
        ("60 % and 12.50% and 5 percent", ["percent 60", "percent 12.5", "percent 5"]),
        ("EUR 50, €50.00 and 50 EUR", ["number 50"]),
        ("1,250.00 or 1.250,00 or 1 250,00 or 1250 or 1'250", ["number 1250"]),
        ("0.125 is less than 12.5", ["number 0.125", "number 12.5"]),
        ("at 17:05 on the 3rd, 42 times", []),
        ("house 164, 702 00 Ostrava, in 2026", ["number 164", "number 702", "number 2026"]),
        ("tax number 9876543WA", ["number 9876543"]),
        ("version 6.1.2", ["number 6.1.2"]),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_figures(text: str, found: list[str]) -> None:
    assert keys(text) == found


def test_numbers_of_a_json_value_are_figures_with_their_place() -> None:
    value = {
        "changes": {"owners": [{"share_percent": 45.0}]},
        "amount": 1250.0,
        "yes": True,
        "n": 5,
    }
    found = [(one.text, one.key, one.path) for one in figures_of(value)]
    assert found == [
        ("45 %", "percent 45", ("changes", "owners", 0, "share_percent")),
        ("1250", "number 1250", ("amount",)),
    ]


def test_a_figure_is_told_once_as_it_is_written_first() -> None:
    (only,) = figures_of(["1,250.00", "1250", "EUR 1 250"])
    assert (only.text, only.path) == ("1,250.00", (0,))


def test_a_source_also_has_the_years_of_its_dates() -> None:
    assert "number 2026" in keys_of("entered 1 November 2026")
    assert "number 100" in keys_of("owned 100 %")


def test_what_hides_in_a_source_or_is_written_wide_hides_no_figure() -> None:
    assert keys_of(plain("C\u200b-10\u00ad03 or 12\uff135")) == {"id C-1003", "number 1235"}


@pytest.mark.parametrize("piece", ["a", "1.", "A-", "x@y.", "12/"])
def test_a_text_twice_as_long_takes_twice_as_long_not_four_times(piece: str) -> None:
    began = process_time()
    keys_of(piece * 20_000)
    assert process_time() - began < 5
