"""`stance report` does not write over what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.commands.report import report
from pipeline.errors import InputError, SettingsError


@pytest.mark.parametrize("out", ["p.jsonl", "p.jsonl.rejects.jsonl", "link.html"])
def test_the_report_may_not_replace_what_it_reads(tmp_path: Path, out: str) -> None:
    (tmp_path / "p.jsonl").write_text("{}\n")
    (tmp_path / "p.jsonl.rejects.jsonl").write_text("{}\n")
    (tmp_path / "link.html").symlink_to("p.jsonl")
    with pytest.raises(InputError, match=r"would replace it\. Give the output another name"):
        report(tmp_path / "p.jsonl", tmp_path / out)
    assert (tmp_path / "p.jsonl").read_text() == "{}\n"


@pytest.mark.parametrize("out", ["r.pdf", "-", "report"])
def test_the_report_is_html_and_says_so(tmp_path: Path, out: str) -> None:
    with pytest.raises(SettingsError, match="the report is HTML"):
        report(tmp_path / "p.jsonl", tmp_path / out)
