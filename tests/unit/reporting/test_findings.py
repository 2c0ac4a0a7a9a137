"""Findings as readers see them: who they are counted under, and where the words are marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.records import Prediction, Sentence, Statement
from pipeline.reporting import Finding, Party
from pipeline.reporting.findings import FindingView, build_findings, holders, targets
from pipeline.reporting.view import build_statements

Predict = Callable[..., Prediction]
SPEAKER = Party("SPEAKER", None, (), 0.9)
TEXT = "Ann 😀 came.\n\nThe waiter was rude to her."
FIRST, SECOND = "Ann 😀 came.", "The waiter was rude to her."


@pytest.fixture
def built(predict: Predict, tiny: Codebook) -> Callable[..., tuple[FindingView, ...]]:
    rows = [predict("a", FIRST, 0), predict("a", SECOND, TEXT.index(SECOND), topic=("service",))]
    statements = {"a": Statement("a", TEXT, "a.txt", speaker="Guide")}

    def build(*findings: Finding) -> tuple[FindingView, ...]:
        return build_findings(findings, build_statements(rows, statements, tiny), tiny)

    return build


def finding(holder: Party = SPEAKER, target: Party | None = None) -> Finding:
    at = TEXT.index(SECOND)
    return Finding("a", f"a-{at}", "topic", "service", 0.93, holder, target)


def test_the_speaker_is_counted_by_name(built: Callable[..., tuple[FindingView, ...]]) -> None:
    (view,) = built(finding())
    assert view.holder.actors == ("Guide",)
    assert (view.holder.words, view.holder.places, view.target) == ("Guide", (), None)
    assert (view.sentence, view.column) == (1, 1)


def test_words_of_an_earlier_sentence_are_marked_in_browser_units(
    built: Callable[..., tuple[FindingView, ...]],
) -> None:
    holder = Party("😀 came", (TEXT.index("😀"), TEXT.index("came") + 4), ("ANN", "BO"), 0.7)
    at = TEXT.index("her")
    (view,) = built(finding(holder, Party("her", (at, at + 3), (), 0.6)))
    assert view.holder.actors == ("ANN", "BO")
    assert view.holder.places == ((0, 4, 11),)  # the smiley takes two units
    assert view.target is not None
    assert view.target.places == ((1, SECOND.index("her"), SECOND.index("her") + 3),)


def test_words_over_two_sentences_are_marked_in_both(
    built: Callable[..., tuple[FindingView, ...]],
) -> None:
    span = (TEXT.index("came"), TEXT.index("waiter"))
    (view,) = built(finding(Party(TEXT[slice(*span)], span, (), 0.5)))
    assert view.holder.places == ((0, 7, 12), (1, 0, 4))
    assert view.holder.words == "came. The"


def test_words_that_differ_in_case_are_one_name(
    built: Callable[..., tuple[FindingView, ...]],
) -> None:
    views = built(
        finding(Party("The guests", None, (), 1)), finding(Party("the  Guests", None, (), 1))
    )
    assert holders(views) == {"The guests"}
    assert targets(views) == set()


def test_words_that_are_the_name_of_a_linked_actor_are_counted_apart(
    built: Callable[..., tuple[FindingView, ...]],
) -> None:
    views = built(
        finding(target=Party("georgia", None, (), 1)),
        finding(Party("Tbilisi", None, ("Georgia", "Guide"), 1), Party("Georgia", None, (), 1)),
        finding(Party("Bo", None, (), 1), Party("Tbilisi", None, (), 1)),
    )
    assert holders(views) == {"Guide (not linked)", "Georgia", "Guide", "Bo"}
    assert targets(views) == {"georgia (not linked)", "Tbilisi"}
    assert views[0].target is not None
    assert views[0].target.words == "georgia"


def test_names_do_not_turn_what_stands_beside_them(
    built: Callable[..., tuple[FindingView, ...]],
) -> None:
    (view,) = built(finding(Party("The \u202egue\u2069sts", None, (), 1)))
    assert view.holder.actors == ("The guests",)
    assert view.holder.words == "The \u202egue\u2069sts"


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT) + 5))
def test_marks_hold_what_the_span_holds(
    predict: Predict, tiny: Codebook, start: int, end: int
) -> None:
    rows = [predict("a", FIRST, 0), predict("a", SECOND, TEXT.index(SECOND), topic=("service",))]
    views = build_statements(rows, {"a": Statement("a", TEXT, "a.txt")}, tiny)
    (view,) = build_findings([finding(Party("x", (start, end), (), 1))], views, tiny)
    cut = [
        (FIRST, SECOND)[sentence].encode("utf-16-le")[2 * low : 2 * high].decode("utf-16-le")
        for sentence, low, high in view.holder.places
    ]
    assert "".join(cut).replace(" ", "") == "".join(TEXT[start:end].split())


def test_findings_of_other_predictions_are_refused(
    built: Callable[..., tuple[FindingView, ...]],
) -> None:
    with pytest.raises(InputError, match="'b-0' of document 'b'"):
        built(replace(finding(), doc_id="b", sentence_id="b-0"))
    with pytest.raises(InputError, match="unknown label 'music'"):
        built(replace(finding(), label="music"))


def test_sentences_without_offsets_carry_no_marks(tiny: Codebook) -> None:
    row = Prediction(Sentence("s", "a", "Rude."), {"topic": ("service",), "tone": None}, {}, "m")
    views = build_statements([row], {}, tiny)
    (view,) = build_findings(
        [Finding("a", "s", "topic", "service", 0.9, Party("Rude", (0, 4), (), 1), None)],
        views,
        tiny,
    )
    assert view.holder.places == ()
