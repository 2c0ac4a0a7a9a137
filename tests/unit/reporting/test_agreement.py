"""The page about agreement is whole, escaped, and says what is undefined."""

from __future__ import annotations

from pathlib import Path

from pipeline.codebook import load_codebook
from pipeline.evaluation.agreement_report import report_agreement
from pipeline.labelling.annotations import Item
from pipeline.labelling.codings import Coding
from pipeline.records import Rejection, RejectReason
from pipeline.reporting.agreement import render_agreement

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
EVIL = "<script>alert(1)</script>"


def coding(coder: str, unit: int, topic: tuple[str, ...], tone: str) -> Coding:
    item = Item(f"d{unit}", str(unit), f"{EVIL} {unit}")
    return Coding(item, coder, {"topic": topic, "tone": (tone,)})


CODINGS = [
    *(coding(coder, unit, ("food",), "blame") for coder in "AB" for unit in range(3)),
    coding("A", 3, (), "praise"),
    coding("B", 3, ("food",), "blame"),
]


def test_the_page_is_whole_and_escaped() -> None:
    rejected = [Rejection(EVIL, "line 2", RejectReason.NO_CODER, EVIL)]
    report = report_agreement(CODINGS, TINY, replicates=50, seed=1)
    page = render_agreement(report, TINY, rejected=rejected)
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert EVIL not in page
    assert "alert(1)&lt;/script&gt; 3</q>" in page
    assert "no coder" in page
    assert "default-src &#39;none&#39;" in page
    assert "that takes a third" in page
    assert "not defined" in page  # nobody gave "service"
    defined = sum(q.agreement.alpha.value == q.agreement.alpha.value for q in report.questions)
    assert page.count("<svg") == defined


def test_estimated_errors_are_shown_for_three_coders() -> None:
    third = [coding("C", unit, ("food",), "blame") for unit in range(4)]
    report = report_agreement([*CODINGS, *third], TINY, replicates=0, seed=0)
    page = render_agreement(report, TINY)
    assert "Estimated errors" in page
    assert "that takes a third" not in page
