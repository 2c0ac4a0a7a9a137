"""What the rules change of a model's answers, and which actors the answers are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pipeline.actors import load_linker
from pipeline.attribution import Answer, Passage, Question, Span
from pipeline.attribution.behalf import spoken_for
from pipeline.attribution.combined import CombinedAttributor
from pipeline.attribution.linking import link_answers
from pipeline.records import Sentence


@dataclass(frozen=True)
class Told:
    """Answers as told: the place of given words."""

    holder: str | None
    target: str | None = None
    p_holder: float = 0.95
    name: str = "told"

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        return [
            Answer(self._at(q, self.holder), self._at(q, self.target), self.p_holder)
            for q in questions
        ]

    def _at(self, question: Question, words: str | None) -> Span | None:
        if words is None:
            return None
        start = question.sentence.start + question.sentence.text.index(words)
        return Span(start, start + len(words))


def passage(*texts: str, speaker: str | None = None) -> Passage:
    sentences, at = [], 0
    for i, text in enumerate(texts):
        sentences.append(Sentence(f"d#{i}", "d", text, at, at + len(text)))
        at += len(text) + 1
    return Passage(tuple(sentences), speaker)


def holder(said: Passage, told: Told) -> tuple[str | None, float | None]:
    question = Question(said, len(said.sentences) - 1, "Food")
    [answer] = CombinedAttributor(told).answer([question])
    return (None if answer.holder is None else said.words(answer.holder)), answer.p_holder


def test_a_pronoun_becomes_who_was_named() -> None:
    said = passage("Mr. Marsh denounced the raid.", "It went on.", "He called it a crime.")
    assert holder(said, Told("He")) == ("Mr. Marsh", 0.95)
    assert holder(passage("It went on.", "He called it a crime."), Told("He")) == ("He", 0.95)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("VALETTA — The minister", "The minister"),
        ("PORT SAID, 3 May - She", "PORT SAID, 3 May - She"),
        ("VALETTA (AP) -- UN envoys", "UN envoys"),
        ("The ANC - its leaders", "The ANC - its leaders"),
        ("UN", "UN"),
        ("VALETTA —", "VALETTA —"),
    ],
)
def test_a_dateline_is_no_part_of_the_holder(words: str, wanted: str) -> None:
    assert holder(passage(f"{words} denounced the raid."), Told(words)) == (wanted, 0.95)


@pytest.mark.parametrize(
    ("said", "told", "wanted"),
    [
        ("Chad, Mali, and the Niger have urged calm.", "Chad", "Chad, Mali, and the Niger"),
        ("Marsh and his Thai colleague Lee met.", "Marsh", "Marsh and his Thai colleague Lee"),
        (
            "Chad and the Republic of Fiji hit Togo and Mali.",
            "Chad",
            "Chad and the Republic of Fiji",
        ),
        ("Chad condemned the raid, and Mali followed.", "Chad", "Chad"),
        ("Chad and others condemned the raid.", "Chad", "Chad"),
    ],
)
def test_a_joint_holder_is_taken_whole(said: str, told: str, wanted: str) -> None:
    assert holder(passage(said), Told(told)) == (wanted, 0.95)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("The envoy, who left early", "The envoy"),
        ("The four, led by Chad", "The four"),
        ("The envoy said he had the papers", "The envoy"),
        ("The neighbouring states", "The neighbouring states"),
        ("who", "who"),
    ],
)
def test_what_is_said_of_a_holder_is_no_part_of_him(told: str, wanted: str) -> None:
    assert holder(passage(f"{told}, denounced the raid."), Told(told)) == (wanted, 0.95)


def test_the_rules_are_asked_where_the_model_doubts_that_it_is_the_speaker() -> None:
    said = passage("Mr. Marsh denounced the raid.")
    assert holder(said, Told(None)) == (None, 0.95)
    assert holder(said, Told(None, p_holder=0.6)) == ("Mr. Marsh", None)
    assert holder(said, Told("the raid", p_holder=0.3)) == ("the raid", 0.3)
    assert holder(passage("The raid was a crime."), Told(None, p_holder=0.6)) == (None, 0.6)


def test_a_state_whose_representative_speaks_is_the_speaker() -> None:
    text = "Estonia condemns the raid."
    assert holder(passage(text, speaker="Ada Maru (Estonia)"), Told("Estonia")) == (None, 0.95)
    assert holder(passage(text, speaker="Ada Maru (Chad)"), Told("Estonia")) == ("Estonia", 0.95)
    assert holder(passage(text, speaker="Estonia"), Told("Estonia")) == ("Estonia", 0.95)


def test_actors_of_holder_target_and_speaker() -> None:
    said = passage(
        "The Syrian regime said nothing.",
        "Estonia condemns the attacks by the regime.",
        speaker="Germany",
    )
    question = Question(said, 1, "Condemnation")
    [reported] = Told("Estonia", "the regime").answer([question])
    [own] = Told(None).answer([question])
    linker = load_linker()
    links = link_answers(linker, said, "2019-05-01", [question, question], [reported, own])
    assert links[0].holder == ("EST",)
    assert links[0].target == ("SYR",)  # settled by the sentence before
    assert links[1].holder == ("DEU",)
    assert links[1].target == ()
    nobody = passage("The raid was a crime.")
    [link] = link_answers(linker, nobody, None, [Question(nobody, 0, "x")], [Answer(None, None)])
    assert link.holder == ()


@pytest.mark.parametrize(
    ("said", "actors"),
    [
        ("I have the honour to speak on behalf of the European Union.", ("eu",)),
        ("We make this statement on behalf of France and Mali, and we thank all.", ("FRA", "MLI")),
        ("I take the floor on behalf of all of us.", ("BEL",)),
        ("On behalf of the European Union, we condemn the attack.", ("eu",)),
        ("On behalf of France and Mali, I wish to state the following.", ("FRA", "MLI")),
        ("Speaking on behalf of France and Mali, I call for restraint.", ("FRA", "MLI")),
        ("Mr. President, on behalf of France and Mali, once again I do.", ("FRA", "MLI")),
        ("On behalf of the European Union, my delegation condemns it.", ("eu",)),
        (
            "I have the honour to write to you on behalf of France, Mali and Chad.",
            ("FRA", "MLI", "TCD"),
        ),
        (
            "I have the honour to transmit herewith, on behalf of Mali and Chad, a letter.",
            ("MLI", "TCD"),
        ),
        ("I write to you on behalf of Mali and Chad regarding the attack.", ("MLI", "TCD")),
        ("We, the Foreign Ministers, on behalf of Mali and Chad, condemn it.", ("MLI", "TCD")),
        ("I wish, on behalf of Mali and Chad, to condemn it.", ("MLI", "TCD")),
        ("I take the floor on behalf of Mali and Chad to express concern.", ("MLI", "TCD")),
        ("He spoke on behalf of the European Union.", ("BEL",)),
        ("They spoke on behalf of France.", ("BEL",)),
        ("We know that they spoke on behalf of France.", ("BEL",)),
        ("We condemn violence committed on behalf of Iran.", ("BEL",)),
        ("We want to address attacks on behalf of Iran.", ("BEL",)),
        ("We support the statement made on behalf of the European Union.", ("BEL",)),
        ("I thank Mali for speaking on behalf of the African Union.", ("BEL",)),
        ("On behalf of Mali, the minister said that we must act.", ("BEL",)),
        ("I do not speak on behalf of the European Union.", ("BEL",)),
        ("I thank you on behalf of my delegation.", ("BEL",)),
    ],
)
def test_who_speaks_for_a_group_is_linked_to_it(said: str, actors: tuple[str, ...]) -> None:
    texts = ("We are glad.", said, "We condemn it.", "I now speak in my national capacity.", "Bad.")
    whole = passage(*texts, speaker="Belgium")
    asked = [Question(whole, at, "Condemnation") for at in (0, 2, 4)]
    links = link_answers(load_linker(), whole, None, asked, [Answer(None, None)] * 3)
    assert [link.holder for link in links] == [("BEL",), actors, ("BEL",)]


@pytest.mark.parametrize("own", ["my delegation", "my Government", "my country"])
def test_what_a_speaker_says_on_his_own_behalf_does_not_end_the_part_of_the_group(own: str) -> None:
    texts = ("I speak on behalf of Mali.", f"On behalf of {own}, I thank you.", "We condemn it.")
    whole = passage(*texts, speaker="Belgium")
    [link] = link_answers(
        load_linker(), whole, None, [Question(whole, 2, "Condemnation")], [Answer(None, None)]
    )
    assert link.holder == ("MLI",)


def test_white_space_changes_neither_for_whom_nor_from_where_a_speaker_speaks() -> None:
    texts = (
        "I speak in my   national capacity and" + " " * 20_000 + "on  behalf\nof Mali.",
        "On behalf of " + "x namely " * 40 + " " * 20_000 + "y",
        "I speak" + " " * 20_000 + "on behalf of Mali, and then in my national   capacity.",
    )
    whole = passage(*texts, speaker="Belgium")
    asked = [Question(whole, at, "Condemnation") for at in range(3)]
    started = time.process_time()
    links = link_answers(load_linker(), whole, None, asked, [Answer(None, None)] * 3)
    assert time.process_time() - started < 20
    assert [link.holder for link in links] == [("BEL", "MLI"), ("BEL", "MLI"), ("BEL",)]


@pytest.mark.parametrize(
    "piece", ["I have ", "I speak ", "on behalf of a, we ", "we, ", "it is my "]
)
def test_who_speaks_for_whom_is_asked_in_linear_time(piece: str) -> None:
    started = time.process_time()
    spoken_for(piece * 20_000)
    assert time.process_time() - started < 20
