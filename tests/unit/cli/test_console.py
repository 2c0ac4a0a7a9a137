from __future__ import annotations

import pytest

from pipeline.cli import console


def test_names_of_coders_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(("label", "[/x]", "anna [student]"), [("fact", "0.9", "[b]")], title="by [i]")
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("by [i]", "[/x]", "anna [student]", "[b]"))
