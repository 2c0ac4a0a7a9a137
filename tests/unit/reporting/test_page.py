"""What pages share: their policy, and how they write a day."""

from __future__ import annotations

from datetime import date

from pipeline.reporting.page import policy, written_day


def test_a_page_without_a_script_runs_none() -> None:
    assert "script-src 'none';" in policy("p{}")
    assert "script-src 'sha256-" in policy("p{}", "let a;")


def test_a_day_is_written_out() -> None:
    assert written_day(date(2024, 5, 3)) == "3 May 2024"
