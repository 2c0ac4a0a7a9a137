"""The report on agreement counts, crosses and ranks what coders say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.codebook import load_codebook
from pipeline.evaluation.agreement_report import report_agreement
from pipeline.labelling.adjudication import OPEN, adjudicate
from pipeline.labelling.annotations import Item
from pipeline.labelling.codings import Coding
from pipeline.records import Attribution

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


def coding(coder: str, unit: int, topic: str, tone: str | None, holder: str = "SPEAKER") -> Coding:
    labels = tuple(topic.split())
    return Coding(
        Item(f"doc-{unit % 5}", str(unit), f"<b>Sentence {unit}</b>"),
        coder,
        {"topic": labels, "tone": (tone,) if tone else None},
        tuple(Attribution(label, holder, None) for label in labels),
    )


CODINGS = [
    *(coding(c, 0, "food", "blame") for c in "AB"),
    coding("A", 1, "food service", "praise"),
    coding("B", 1, "food", "praise"),
    coding("A", 2, "", "neither"),
    coding("B", 2, "food", "blame"),
    coding("A", 3, "service", "blame"),
    coding("B", 3, "service", None, holder="a guest"),
    coding("A", 4, "food", "blame"),
]


def test_what_two_coders_say() -> None:
    report = report_agreement(CODINGS, TINY, replicates=50, seed=1)
    assert (report.coders, report.documents, report.sentences, report.shared) == (
        ("A", "B"),
        5,
        5,
        4,
    )
    questions = {question.name: question for question in report.questions}
    assert list(questions) == [
        *("topic", "topic.food", "topic.service"),
        *("tone", "tone.praise", "tone.blame", "tone.neither"),
    ]
    assert questions["topic.food"].given == {"A": 3, "B": 3}
    assert questions["topic"].agreement.percent.value == pytest.approx(2 / 4)
    assert questions["topic.food"].agreement.percent.value == pytest.approx(3 / 4)
    assert questions["tone"].agreement.percent.support == 3
    assert questions["tone"].errors == {}
    # MASI takes "food service" against "food" for less than a full disagreement
    sets = questions["topic"].agreement
    assert sets.alpha.value > sets.kappas["A", "B"].value
    tone = next(table for table in report.confusions if table.task == "tone")
    assert tone.answers == ("praise", "blame", "neither")
    assert tone.counts == ((1, 0, 0), (0, 1, 0), (0, 1, 0))
    assert [(w.role, w.same, w.both) for w in report.words] == [("holder", 2, 3), ("target", 3, 3)]
    disputes = [(d.unit, round(d.score, 3), d.words) for d in report.disputes]
    assert disputes == [("2", 2.0, False), ("1", 0.667, False), ("3", 0.0, True)]


def test_what_nobody_could_decide_is_for_the_adjudicator() -> None:
    unsure = [replace(coding(c, 7, "", None), abstained=("tone",)) for c in "AB"]
    one_sure = [coding("A", 8, "", "blame"), replace(coding("B", 8, "", None), abstained=("tone",))]
    report = report_agreement([*unsure, *one_sure], TINY, replicates=0, seed=0)
    assert [(d.unit, d.score) for d in report.disputes] == [("7", 0.0)]


@pytest.mark.parametrize(
    ("one", "other", "disputed"),
    [
        ("Oso>Norland Kestria>Suria", "Oso>Suria Kestria>Norland", True),
        ("Oso>Norland Kestria>Suria", "Kestria>Suria Oso>Norland", False),
        ("Oso> >Norland", "Oso>Norland", True),
        ("Oso>Norland Oso>Norland", "Oso>Norland", False),
        (">", "", False),
        ("Oso>", "", True),
    ],
)
def test_who_holds_a_label_toward_whom_is_disputed_as_adjudicate_settles_it(
    one: str, other: str, disputed: bool
) -> None:
    given = []
    for coder, said in (("A", one), ("B", other)):
        pairs = [pair.split(">") for pair in said.split()]
        held = tuple(Attribution("food", holder or None, to or None) for holder, to in pairs)
        item = Item("doc-0", "0", "Oso and Kestria, Norland and Suria.")
        given.append(replace(coding(coder, 0, "food", "blame"), attributions=held, item=item))
    report = report_agreement(given, TINY, replicates=0, seed=0)
    assert [dispute.words for dispute in report.disputes] == [True] * disputed
    settled = adjudicate([said.annotation(TINY) for said in given], [], TINY).settled["topic"]
    assert settled[OPEN] == disputed


def test_errors_are_estimated_from_three_coders() -> None:
    draw = np.random.default_rng(2)
    tones = list(TINY.tasks["tone"].labels)
    codings = []
    for unit in range(600):
        truth = int(draw.integers(3))
        for coder, rate in (("A", 0.05), ("B", 0.1), ("C", 0.4)):
            wrong = draw.random() < rate
            said = (truth + int(draw.integers(1, 3))) % 3 if wrong else truth
            codings.append(coding(coder, unit, "", tones[said]))
    report = report_agreement(codings, TINY, replicates=0, seed=0)
    question = next(q for q in report.questions if q.name == "tone")
    assert question.errors == pytest.approx({"A": 0.05, "B": 0.1, "C": 0.4}, abs=0.05)
    assert question.agreement.alpha.low is None
