"""Who stands before a reporting verb; pronouns, passives and the speaker's own name."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.attribution import Passage, Question, RuleAttributor
from pipeline.attribution.grammar import ADVERBS
from pipeline.attribution.rules import names_speaker
from pipeline.records import Sentence


def passage(*texts: str, speaker: str | None = None) -> Passage:
    sentences, at = [], 3
    for i, text in enumerate(texts):
        sentences.append(Sentence(f"d#{i}", "d", text, at, at + len(text)))
        at += len(text) + 2
    return Passage(tuple(sentences), speaker)


def holder(*texts: str, speaker: str | None = None) -> str | None:
    said = passage(*texts, speaker=speaker)
    [answer] = RuleAttributor().answer([Question(said, len(texts) - 1, "Food")])
    return None if answer.holder is None else said.words(answer.holder)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("We condemn the raid on the market.", None),
        ("The raid was a crime.", None),
        ("The Minister condemned the raid.", "The Minister"),
        ("On Tuesday the doctors' union has again denounced the raid.", "the doctors' union"),
        ('"This is a crime," said the spokesman of the council.', "the spokesman of the council"),
        ('"This is a crime," Ms. Ishida told reporters.', "Ms. Ishida"),
        ("The raid was strongly condemned by the Pope.", "the Pope"),
        ("According to the Red Cross, the raid was a crime.", "the Red Cross"),
        ("We regret that the Minister condemned the raid.", "the Minister"),
        ("It is necessary to call another meeting.", None),
        ("The firm support of the President is known.", None),
        ("Let me say that this was a crime.", None),
        ("The United States must act.", None),
        ("The envoy is asked to stop the raid.", None),
        ("We support the truce proposed by the envoy.", None),
        ("The cabinet saluted the raid.", "The cabinet"),
        ("In its statement of May the Council urged all to leave.", "the Council"),
        ("On the raid of these days, we call on all to leave.", None),
        (
            "The raid was a crime, said the exiled Minister Lee, and a folly.",
            "the exiled Minister Lee",
        ),
        ("Mr. Lee, said the envoy was late, condemned it.", "Mr. Lee"),
        ("The Council is alarmed and urges all to leave.", "The Council"),
        ("The envoys themselves condemned the raid.", "The envoys"),
        ("First, we call on all to leave.", None),
        ("Since May, my delegation has called for calm.", None),
        ("Without a doubt, I condemn the raid.", None),
        ("The envoy, our friend, condemned the raid.", "The envoy"),
        ("The so-called Emirate is a gang.", None),
        ("The so-called Emirate condemned the raid.", "The so-called Emirate"),
        ("The envoy's call for calm came late.", None),
        ("The doctors' demands for calm came late.", None),
        ("The envoy's aide demands calm.", "The envoy's aide"),
        ("Chad therefore calls on all to leave.", "Chad"),
        ("Chad once again condemned the raid.", "Chad"),
        ("Chad once again strongly condemned the raid.", "Chad"),
        ("Chad once more condemned the raid.", "Chad"),
        ("Chad once more than ever condemned the raid.", "Chad"),
        ("Chad has never condemned the raid.", "Chad"),
        ("Chad this week again condemned the raid.", "Chad"),
        ("The Council re-affirms its call for calm.", "The Council"),
        ("The Council strongly re-stated its call for calm.", "The Council"),
        ("The re-stated call for calm came late.", None),
        ("The Chad-backed forces left.", None),
        ("Chad still rejects the raid.", "Chad"),
        ("Chad has now more than ever called for calm.", "Chad"),
        ("Chad did much in terms of aid.", None),
        ("Chad termed the raid a crime.", "Chad"),
    ],
)
def test_the_holder_stands_before_the_verb_or_behind_by(text: str, wanted: str | None) -> None:
    assert holder(text) == wanted


@pytest.mark.parametrize("adverbs", [" once again strongly", " once more", " this week again"])
def test_adverbs_are_cut_in_linear_time(adverbs: str) -> None:
    started = time.process_time()
    assert ADVERBS.sub("", "Chad" + adverbs * 400) == "Chad"
    assert ADVERBS.search("Chad" + adverbs * 400 + " x") is None
    assert time.process_time() - started < 20


def test_a_pronoun_is_the_last_who_was_named() -> None:
    texts = (
        "Colonel Hamli spoke of the raid.",
        "General Marsh denounced it.",
        "The market burned.",
    )
    assert holder(*texts, "He called it a crime.") == "General Marsh"
    assert holder("The market burned.", "He called it a crime.") is None


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (("The Committee condemned the raid.", "It called it bad."), "The Committee"),
        (("Mr. Lee denounced it.", "The ministers met.", "They called it bad."), "The ministers"),
        (
            ("The Prime Minister of Chad is ill.", "She called it bad."),
            "The Prime Minister of Chad",
        ),
        (("The two ministers met.", "He called it bad."), None),
        (("We condemned the raid.", "They called it bad."), None),
        (("The envoy of Chad left the raid that he condemned.",), "The envoy of Chad"),
    ],
)
def test_a_pronoun_agrees_with_whom_it_refers_to(
    texts: tuple[str, ...], wanted: str | None
) -> None:
    assert holder(*texts) == wanted


@pytest.mark.parametrize(
    ("words", "speaker", "same"),
    [
        ("Estonia", "Estonia", True),
        ("The United Kingdom", "Representative of the United Kingdom", True),
        ("the UK", "United Kingdom", True),
        ("the European Union", "Estonia", False),
        ("The Russian leader", "Russian Federation", False),
        ("The United States", "news report on the statement of the United States", False),
        ("Estonia", None, False),
        ("Estonia", "Ada Maru (Estonia)", True),
        ("the United States", "Mr. Maru (United States of America) (spoke in French)", True),
        ("the Republic of Korea", "Ada Maru (Republic of Korea)", True),
        ("the Republic of Korea", "Republic of Korea", True),
        ("the Permanent Representative", "Permanent Representative of Chad", False),
        ("Chad", "Ada Maru (Estonia)", False),
        ("Estonia", "Maru News Agency (Estonia)", False),
    ],
)
def test_a_speaker_who_names_himself_is_the_speaker(
    words: str, speaker: str | None, same: bool
) -> None:
    assert names_speaker(words, speaker) is same


def test_the_target_is_the_phrase_behind_the_verb() -> None:
    said = passage("The Minister condemned the raid on the market, which burned.")
    [answer] = RuleAttributor().answer([Question(said, 0, "Food")])
    assert answer.target is not None
    assert said.words(answer.target) == "the raid on the market"
    assert answer.p_holder is None


@given(st.lists(st.text("ab WTs.,\"'()said hecondemnsby", min_size=1), min_size=1, max_size=4))
def test_spans_are_words_of_the_text(texts: list[str]) -> None:
    said = passage(*texts)
    [answer] = RuleAttributor().answer([Question(said, len(texts) - 1, "Food")])
    for span in (answer.holder, answer.target):
        if span is not None:
            assert said.words(span).strip()
            assert said.place(span) <= len(texts) - 1
