"""Blocks of made-up texts: each block as (kind, list path, text)."""

from __future__ import annotations

import textwrap

import pytest

from pipeline.records import BlockKind
from pipeline.segmentation import find_blocks

P, H, N, L = (
    BlockKind.PARAGRAPH,
    BlockKind.HEADING,
    BlockKind.NUMBERED,
    BlockKind.LIST_ITEM,
)
S, D, F = BlockKind.SIGNATURE, BlockKind.DATELINE, BlockKind.FOOTER


def blocks(text: str) -> list[tuple[BlockKind, tuple[str, ...], str]]:
    return [
        (block.kind, block.list_path, " ".join(text[block.start : block.end].split()))
        for block in find_blocks(text)
    ]


def kinds(text: str) -> list[BlockKind]:
    return [block.kind for block in find_blocks(text)]


def test_title_and_subheadings_between_lines_that_are_paragraphs() -> None:
    text = (
        "Call for Calm in Lorra\n"
        "The five states urged calm on Monday. They met in Tamar, where the talks had been held"
        " since the spring without a result that anybody would have called one, aides said.\n"
        "The Path Forward: What Now\n"
        "Talks will resume. The parties have agreed on a date."
    )
    assert kinds(text) == [H, P, H, P]


def test_markdown_heading_mark_is_outside() -> None:
    assert blocks("## 2. Access\n\nWe call for access.") == [
        (H, ("2.",), "Access"),
        (P, (), "We call for access."),
    ]


def test_numbered_heading_before_running_text() -> None:
    text = "I. Introduction\n\nWe met.\n\nII. Recommendations\n\nWe call for calm."
    assert blocks(text) == [
        (H, ("I.",), "Introduction"),
        (P, (), "We met."),
        (H, ("II.",), "Recommendations"),
        (P, (), "We call for calm."),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Excellencies,",
        "We thank the envoy.",
        "Our demands are these:",
        "and so it went on",
        "The last line of the text",
    ],
)
def test_no_heading(line: str) -> None:
    after = "" if line.startswith("The last") else "\n\nWe call for calm."
    assert kinds(line + after)[0] is P


def test_names_without_running_text_are_no_headings() -> None:
    assert kinds("Belgium\n\nLorra\n\nTamar") == [P, P, P]


@pytest.mark.parametrize(
    "markers",
    [
        ("1.", "2.", "3."),
        ("1)", "2)", "3)"),
        ("(1)", "(2)", "(3)"),
        ("I.", "II.", "III."),
        ("2.1.", "2.2.", "2.3."),
        ("9.", "10.", "11."),
    ],
)
def test_numbered_points(markers: tuple[str, ...]) -> None:
    text = "\n\n".join(f"{marker} We urge calm." for marker in markers)
    assert blocks(text) == [(N, (marker,), "We urge calm.") for marker in markers]


@pytest.mark.parametrize(
    "markers",
    [
        ("–", "–"),
        ("-", "-"),
        ("—", "—"),
        ("•", "•"),
        ("*", "*"),
        ("(a)", "(b)"),
        ("a)", "b)"),
        ("a.", "b."),
        ("(i)", "(ii)"),
        ("(iv)", "(v)"),
        ("(h)", "(i)"),
        ("(u)", "(v)"),
    ],
)
def test_list_items(markers: tuple[str, ...]) -> None:
    text = "We call on members to:\n" + "\n".join(f"{marker} keep calm;" for marker in markers)
    assert blocks(text)[1:] == [(L, (marker,), "keep calm;") for marker in markers]


def test_nested_lists() -> None:
    text = (
        "1. Demands that all parties:\n(a) stop firing;\n(b) allow access:\n(i) by road;\n"
        "(ii) by air;\n(c) talk;\n2. Calls for calm."
    )
    paths = [path for _, path, _ in blocks(text)]
    assert paths == [
        ("1.",),
        ("1.", "(a)"),
        ("1.", "(b)"),
        ("1.", "(b)", "(i)"),
        ("1.", "(b)", "(ii)"),
        ("1.", "(c)"),
        ("2.",),
    ]


def test_two_markers_on_one_line() -> None:
    assert blocks("3. (a) Urges calm;\n(b) Urges talks.") == [
        (L, ("3.", "(a)"), "Urges calm;"),
        (L, ("3.", "(b)"), "Urges talks."),
    ]


def test_marker_alone_on_its_line() -> None:
    assert blocks("1.\nWe urge calm.\n\n2.\n\nWe urge talks.") == [
        (N, ("1.",), "We urge calm."),
        (N, ("2.",), "We urge talks."),
    ]


def test_markers_alone_on_their_lines_belong_to_what_follows_them() -> None:
    assert blocks("1.\n(a)\n\n2.\n(a) (i)\nWe urge calm.") == [
        (N, ("2.", "(a)", "(i)"), "We urge calm.")
    ]
    assert blocks("1.\n2.\n(a)") == [(P, (), "(a)")]


def test_markers_without_end_are_gathered_one_by_one() -> None:
    assert blocks("1.\n" * 100_000) == [(P, (), "1.")]  # a copy for each line would take minutes


def test_marker_that_marks_nothing_is_text() -> None:
    assert blocks("We urge calm.\n\n5.") == [(P, (), "We urge calm."), (P, (), "5.")]


def test_marker_without_blank() -> None:
    assert blocks("1.We urge calm.\n2.We urge talks.")[1] == (N, ("2.",), "We urge talks.")


@pytest.mark.parametrize(
    "text",
    [
        "1.5 million people fled.",
        "2019. That was the year.",
        "J. Smith spoke first.",
        "e.g. this one is an example.",
        "-5 degrees were measured.",
        "U.N. observers left.",
        "(see annex) It is long.",
        "(3. is missing here.",
    ],
)
def test_no_marker(text: str) -> None:
    assert blocks(text) == [(P, (), text)]


def wrapped(paragraph: str, width: int = 72) -> str:
    return textwrap.fill(paragraph, width, break_on_hyphens=False)


LONG = (
    "We have followed the events of the past week in the north of Lorra with growing alarm, and we"
    " call on all the parties to the conflict to return to the talks that were broken off in the"
    " spring, in accordance with Security Council resolution 9999 (2031). We thank Mr. Ode for it."
)


@pytest.mark.parametrize("width", [50, 60, 72, 95])
def test_hard_wrapped_paragraphs_are_joined(width: int) -> None:
    text = f"Call for Calm\n\n{wrapped(LONG, width)}\n\n{wrapped(LONG, width)}"
    assert blocks(text) == [(H, (), "Call for Calm"), (P, (), LONG), (P, (), LONG)]


def test_heading_above_a_wrapped_paragraph_without_blank_line() -> None:
    assert kinds(f"Call for Calm\n{wrapped(LONG)}") == [H, P]


def test_wrapped_list_items_keep_their_lines() -> None:
    text = "We ask members:\n" + "\n".join(f"– {wrapped('to see that ' + LONG)}" for _ in range(3))
    assert kinds(text) == [P, L, L, L]


def test_a_short_line_that_ends_in_an_article_goes_on() -> None:
    text = (
        "The minister said that his government, together with all of its neighbours in\n"
        "the region, condemned the\n"
        "attack on the hospital and called for restraint by everyone."
    )
    assert kinds(text) == [P]


def test_number_at_the_start_of_a_wrapped_line_is_no_marker() -> None:
    text = (
        "The Charter is clear on self-defence, and we refer in this regard to its article\n"
        "51. The right to it is inherent, and nobody in this chamber has ever doubted that\n"
        "it is so; we therefore see no need to speak of it at any greater length here."
    )
    assert kinds(text) == [P]


def test_dash_at_the_start_of_a_wrapped_line_is_no_bullet() -> None:
    text = (
        "The government of Lorra, as everybody in this chamber has long known it would\n"
        "– aided by those who have always backed it with their money and their weapons –\n"
        "insists on going on with what it calls an operation and others call a crime."
    )
    assert kinds(text) == [P]


def test_page_break_inside_a_sentence() -> None:
    lines = wrapped(LONG).split("\n")
    assert kinds("\n".join([*lines[:2], "", "\f", *lines[2:]])) == [P]


def test_lines_that_are_paragraphs_are_not_joined() -> None:
    assert kinds("\n".join([LONG, "Agencies say so", LONG])) == [P, H, P]


def test_preambular_and_operative_paragraphs() -> None:
    text = wrapped("Recalling its previous resolutions 9998 (2031) and 9999 (2031) on the matter,")
    text += "\n" + wrapped("Deeply concerned by the situation in the north of the country,")
    text += "\nStressing the need for calm in the whole of the region and beyond, now and\n"
    text += "in the years to come,\n\n1. Decides that calm shall be kept;\n\n2. Remains seized."
    found = blocks(text)
    assert [kind for kind, *_ in found] == [P, P, P, N, N]
    assert found[1][2].startswith("Deeply concerned")


def test_signature_with_role() -> None:
    text = "We urge calm.\n\n(Signed) Ana Ode\nHead, Lorra Commission\n\nAnnex\n\nIt follows."
    assert kinds(text) == [P, S, S, H, P]


def test_closing_formula() -> None:
    assert kinds("We urge calm.\n\nYours sincerely,\n\nAna Ode\nMinister") == [P, S, S, S]


@pytest.mark.parametrize(
    "line",
    [
        "7 February 2018",
        "New York, 7 February 2018",
        "Lorra City, Lorra, March 3, 2031",
        "2031-03-04",
        "Tuesday, 4 March 2031, 10 a.m.",
    ],
)
def test_dateline(line: str) -> None:
    assert blocks(f"Call for Calm\n{line}\n\nWe urge calm.") == [
        (H, (), "Call for Calm"),
        (D, (), line),
        (P, (), "We urge calm."),
    ]


def test_dateline_inside_a_paragraph_stays_there() -> None:
    assert kinds("UNITED NATIONS — The envoy arrived.") == [P]


@pytest.mark.parametrize(
    "line",
    [
        "cgtn.com",
        "https://example.org/a/b?c=1",
        "press@example.org",
        "Agencies Via Xinhua",
        "Source: Xinhua",
        "(Reuters)",
        "© 2031 Example Agency",
        "Photo: Ana Ode",
        "By Ana Ode and Bo Ile",
        "Page 3 of 7",
        "- 5 -",
        "12/34",
        "18-01234 (E)",
        "S/2018/94",
        "S/PV.9999 The situation in Lorra 04/03/2031",
    ],
)
def test_footer(line: str) -> None:
    assert blocks(f"We urge calm.\n\n{line}")[1] == (F, (), line)


@pytest.mark.parametrize(
    "line",
    [
        "Sources say that calm was kept.",
        "By then it was late.",
        "Copyright law is old.",
        "AP is here.",
    ],
)
def test_no_footer(line: str) -> None:
    assert kinds(line) == [P]


def test_list_of_sources_ends_with_the_next_sentence() -> None:
    text = "We urge calm.\nReference(s):\nEnvoy urges calm in Lorra\nexample.org\nWe urge talks."
    assert kinds(text) == [P, F, F, F, P]


def test_rules_between_parts_are_no_blocks() -> None:
    assert kinds("We urge calm.\n* * *\nWe urge talks.\n-----\n. . .") == [P, P]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x0b"])
def test_line_ends(end: str) -> None:
    assert kinds(f"Title{end}{end}1. We urge calm.{end}2. We urge talks.") == [H, N, N]


def test_empty() -> None:
    assert list(find_blocks("")) == []
    assert list(find_blocks(" \n\n \t")) == []
