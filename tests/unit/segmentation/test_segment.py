from __future__ import annotations

import cProfile
import re
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import BlockKind, Sentence, Statement
from pipeline.segmentation import segment
from pipeline.segmentation.lines import split_lines

CALL = (
    "Call for calm\n\nWe are alarmed. We call on members:\n– to keep calm;\n– to talk. They can.\n"
    "\nThank you.\n\n– A remark.\n\nNext steps\n\n1. We ask that parties:\n(a) stop;\n(b) talk.\n\n"
    "They may rest.\n\n2. We wait."
)


def cut(text: str) -> list[Sentence]:
    return list(segment(Statement("doc", text, "test")))


def by_text(sentences: list[Sentence], text: str) -> Sentence:
    (found,) = [sentence for sentence in sentences if sentence.text == text]
    return found


def test_ids_and_context() -> None:
    sentences = cut(CALL)
    assert [s.sentence_id for s in sentences] == [f"doc#{i}" for i in range(len(sentences))]
    assert {s.doc_id for s in sentences} == {"doc"}
    assert [s.context for s in sentences] == ["", *(s.text for s in sentences[:-1])]


def test_heading_is_the_nearest_above() -> None:
    sentences = cut(CALL)
    assert by_text(sentences, "Call for calm").block is BlockKind.HEADING
    assert by_text(sentences, "Call for calm").heading == ""
    assert by_text(sentences, "Thank you.").heading == "Call for calm"
    assert by_text(sentences, "Next steps").heading == "Call for calm"
    assert by_text(sentences, "We wait.").heading == "Next steps"


def test_lead_in() -> None:
    sentences = cut(CALL)
    lead_ins = {s.text: s.lead_in for s in sentences if s.lead_in}
    assert lead_ins == {
        "to keep calm;": "We call on members:",
        "to talk.": "We call on members:",
        "They can.": "We call on members:",
        "stop;": "We ask that parties:",
        "talk.": "We ask that parties:",
    }


def test_lead_in_spans_paragraphs_between_counted_points() -> None:
    sentences = cut("I make two points:\n\n1. We urge calm.\n\nIt is time.\n\n2. We urge talks.")
    assert [s.lead_in for s in sentences] == ["", "I make two points:", "", "I make two points:"]


def test_inner_list_inherits_the_lead_in() -> None:
    sentences = cut(
        "We ask parties:\n1. to stop\n(a) in the north;\n(b) in the south;\n2. to talk."
    )
    assert {s.lead_in for s in sentences[1:]} == {"We ask parties:"}


def test_empty_statement() -> None:
    assert cut("") == []


_MARK = re.compile(
    r"#{1,6}|[-–—−_=*~+·.•●▪◦‣∙■□►➢✓⁃\u200b\ufeff]+"
    r"|(?:\(?(?:\d{1,3}(?:\.\d{1,2})*|[A-Za-z]|[ivxIVX]{2,5})(?:\.?\)|\.)?)+"
)


def check(text: str) -> None:
    """Everything a caller may rely on, for any text."""
    sentences = cut(text)
    position = 0
    for sentence in sentences:
        assert sentence.start >= position
        assert sentence.text == text[sentence.start : sentence.end] == sentence.text.strip()
        assert sentence.text
        for word in text[position : sentence.start].split():
            assert _MARK.fullmatch(word), (word, text)
        position = sentence.end
    for word in text[position:].split():
        assert _MARK.fullmatch(word), (word, text)
    assert cut(text) == sentences


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_any_text(text: str) -> None:
    check(text)


PIECES = st.sampled_from(
    [
        *("\n", "\n\n", "\r\n", " ", "  ", "\t", "\f", ". ", "; ", ": ", ", ", "? ", "...", "。"),
        *('"', "“", "”", "(", ")", "[", "]", "'", "«", "»", "\x00", "\ud800", "\u202e", "\u200b"),
        *("– ", "- ", "• ", "* ", "1. ", "2. ", "(a) ", "(b) ", "(i) ", "II. ", "A. ", "2.1. "),
        *("# ", "***", "-----", "Mr. ", "U.S. ", "No. ", "p.m. ", "(Signed) ", "Yours sincerely,"),
        *("Reference(s):", "cgtn.com", "By Ana Ode", "3 May 2031", "S/PV.8715", "12", "- 5 -"),
        *("We urge calm", "the parties", "Recalling it", "وقف النار", "he said", "x" * 80, "A"),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_mixture_of_constructions(text: str) -> None:
    check(text)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_white_space_around_the_text_changes_nothing(text: str) -> None:
    spread = [s.text for s in cut(f"\n\n  {text}\n \n")]
    assert spread == [s.text for s in cut(text)]


PATHOLOGICAL: dict[str, Callable[[int], str]] = {
    "no blanks": lambda n: "a" * n,
    "stops": lambda n: "." * n,
    "spaced stops": lambda n: ". " * (n // 2),
    "blanks": lambda n: "a" + " " * n + ".",
    "empty lines": lambda n: "\n" * n,
    "straight quotation marks": lambda n: '"' * n,
    "opening marks": lambda n: "“(a " * (n // 4),
    "unclosed quotations": lambda n: ("“" + "A b. " * 130) * (n // 651),
    "quotations in one sentence": lambda n: 'we "A. B" ' * (n // 10),
    "abbreviations": lambda n: "Mr. " * (n // 4),
    "initials": lambda n: "A. " * (n // 3),
    "dotted": lambda n: "a.b" * (n // 3),
    "markers on one line": lambda n: "1. (a) " * (n // 7),
    "points": lambda n: "1. A b.\n" * (n // 8),
    "bullets without stop": lambda n: "- a b\n" * (n // 6),
    "titles": lambda n: "A title\n" * (n // 8),
    "colons": lambda n: ":" * n + "\n- a",
    "wrapped": lambda n: "the same words again and again\n" * (n // 31),
    "names": lambda n: ("By " + "A" * 190 + "\n") * (n // 194),
}


@pytest.mark.parametrize("make", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
def test_time_is_linear(make: Callable[[int], str]) -> None:
    """Eight times the text may take 8 times as long, and 64 times where time is quadratic.

    Processor time, the best of two runs, and a floor: below it no ratio can be told.
    """

    def seconds(text: str) -> float:
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            cut(text)
            best = min(best, time.process_time() - start)
        return max(best, 0.02)

    small = seconds(make(12_500))
    assert seconds(make(100_000)) < 30 * small


@pytest.mark.parametrize("make", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
def test_work_is_linear(make: Callable[[int], str]) -> None:
    """Eight times the text makes about eight times the calls."""

    def calls(text: str) -> int:
        profile = cProfile.Profile()
        profile.runcall(cut, text)
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(make(40_000)) < 9.5 * calls(make(5_000))


@pytest.mark.parametrize("line", ["a\n", "A\n", "A.\n", "a\n\n", "We go. ", "Go! ", "1. We go.\n"])
def test_memory_is_small_beside_any_list_of_the_sentences(line: str) -> None:
    """Sentences come one after the other; what is kept of the text is some bytes a character."""
    text = line * (20_000 // len(line))
    tracemalloc.start()
    try:
        for _ in segment(Statement("doc", text, "test")):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 120 * len(text)


LINES = st.text(st.sampled_from("ab *-\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029\t\x1f"), max_size=40)


@given(LINES)
def test_lines_are_those_of_python(text: str) -> None:
    whole = text.splitlines(keepends=True)
    starts = [len("".join(whole[:i])) for i in range(len(whole))]
    kept = [
        (start + line.index(line.strip()), line.strip())
        for start, line in zip(starts, whole, strict=True)
        if line.strip().strip("-* \t\x1f")
    ]
    lines = list(split_lines(text))
    assert [(line.start, text[line.start : line.end]) for line in lines] == kept
    for before, line in pairwise(lines):
        between = text[before.end : line.start].strip(" \t\x1f")
        assert line.gap is (between not in ("\r\n", *"\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))


def test_a_megabyte_without_blanks_is_one_sentence() -> None:
    text = "a" * 1_000_000
    (sentence,) = cut(text)
    assert sentence.end == len(text)
