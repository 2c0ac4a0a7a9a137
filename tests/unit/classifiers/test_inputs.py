import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.classifiers.inputs import as_read, context_of, opening
from pipeline.labelling.perturbation import addressed, numbered, other_figures
from pipeline.labelling.typography import plain
from pipeline.records import Sentence


@pytest.mark.parametrize(
    "said",
    [
        "12. We call on them to cease fire.",
        "(a) We call on them to cease fire.",
        "(iv) We call on them to cease fire.",
        "b) We call on them to cease fire.",
        "• We call on them to cease fire.",
        "Mr. President, we call on them to cease fire.",
        "Madam Chair, Your Excellencies, ladies and gentlemen, we call on them to cease fire.",
        "3. Mr. Deputy Speaker, dear colleagues, we call on them to cease fire.",
    ],
)
def test_list_number_and_address_are_not_read(said: str) -> None:
    assert as_read(said).lower() == "we call on them to cease fire."


@pytest.mark.parametrize(
    "said",
    [
        "Mr. Okello said that he would not.",
        "The President, we are told, will not come.",
        "A. Okello, the minister, spoke.",
        "2.5 million people fled.",
        "3. 000 tents were sent.",
        "3.  5 people died.",
        "1990. It was a hard year.",
        "- 5 degrees at night.",
        "Madam President,",
        "Excellencies, ",
        "(a)",
        "I. Observations",
        "",
    ],
)
def test_everything_else_is(said: str) -> None:
    assert not opening(said)


@pytest.mark.parametrize("said", ["They cease fire.", "Peace is far, and we say so.", "I say no."])
def test_behaviour_tests_cannot_tell_a_sentence_from_its_addressed_or_numbered_form(
    said: str,
) -> None:
    ordinary = frozenset({"they", "peace"})
    changed = numbered(addressed(said, ordinary))
    assert changed != addressed(said, ordinary) != said
    assert as_read(changed).lower() == said.lower()


@pytest.mark.parametrize("said", ["Excellency,", "3.", "Ladies and gentlemen,", "-"])
def test_runs_of_spaces_take_no_time(said: str) -> None:
    """A hundred thousand would take minutes if they were tried one by one."""
    hollow = said + " " * 100_000 + "."
    assert not opening(hollow)


@given(st.text() | st.text("1()a.•- MrPesidnt,"))
def test_what_is_left_out_stands_at_the_beginning_and_is_never_everything(text: str) -> None:
    read, said = as_read(text), plain(text)
    assert len(read) == len(text) - opening(said)
    assert any(c.isalnum() or c == "_" for c in read) or not opening(said)


def test_figures_are_read_as_equal() -> None:
    said = "On 4 May 2019 they killed 1,340 people, 52.5 per cent of them children."
    other = other_figures([said], np.random.default_rng(1))[0].replace("4 May 2019", "7 May 1988")
    assert other != said
    assert as_read(other) == as_read(said)
    assert as_read(said).startswith("On 0 May 0000 they killed 0,000 people, 00.0 per cent")


def test_a_list_item_continues_its_lead_in() -> None:
    item = Sentence("s", "d", "cease fire;", lead_in="We call on them to:", context="desist;")
    assert context_of(item) == "We call on them to:"


def test_any_other_sentence_continues_the_one_before() -> None:
    assert context_of(Sentence("s", "d", "They did.", context="Who fired?")) == "Who fired?"
    assert context_of(Sentence("s", "d", "First.")) == ""
