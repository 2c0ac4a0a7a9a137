"""Actors of what a speaker says: from where on he speaks for a group, and up to where."""

from __future__ import annotations

import pytest

from pipeline.actors import load_linker
from pipeline.attribution import Answer, Passage, Question
from pipeline.attribution.linking import link_answers
from pipeline.records import Sentence

DATE = "2020-05-05"
NIGER, CHAD = "Mr. Maru (Niger)", "Ada Maru (Chad)"


def speaking_for(*texts: str, speaker: str) -> tuple[str, ...]:
    """Return whom the speaker's last sentence is linked to."""
    sentences, at = [], 0
    for i, text in enumerate(texts):
        sentences.append(Sentence(f"d#{i}", "d", text, at, at + len(text)))
        at += len(text) + 1
    said = Passage(tuple(sentences), speaker)
    asked = [Question(said, len(texts) - 1, "Food")]
    [link] = link_answers(load_linker(), said, DATE, asked, [Answer(None, None)])
    return link.holder


@pytest.mark.parametrize(
    ("whom", "actors"),
    [
        (
            "the African members of the Security Council, namely, Tunisia and the Niger, as well "
            "as Saint Vincent and the Grenadines (A3+1)",
            "TUN NER VCT",
        ),
        ("the three African members of the Council: Tunisia and my country, Niger", "TUN NER"),
        ("the three African States members of the Security Council", "a3"),
        ("the Niger, Saint Vincent and the Grenadines and Tunisia (A3+1)", "NER VCT TUN"),
        ("the African members of the Council, Tunisia, South Africa and Niger", "TUN ZAF NER"),
        ("the Nordic countries - Denmark, Iceland and Norway", "DNK ISL NOR"),
        ("the Nordic countries - our friends from the north", "nordic-countries"),
        ("the co-penholders, Belgium and Germany", "BEL DEU"),
        ("Belgium and Germany, the co-penholders for food", "BEL DEU"),
        ("Belgium, Germany and the other hosts", "NER"),
        ("the friends of peace, Belgium and the hosts", "NER"),
        ("the European Union and its 27 member States", "eu"),
    ],
)
def test_a_group_with_its_members_is_linked(whom: str, actors: str) -> None:
    said = f"I have the honour to deliver this statement on behalf of {whom}."
    assert " ".join(speaking_for(said, "We condemn it.", speaker=NIGER)) == actors


def test_who_speaks_also_for_others_keeps_his_own_state() -> None:
    said = "I speak today also on behalf of Estonia."
    assert speaking_for(said, "We condemn it.", speaker=CHAD) == ("TCD", "EST")
    said = "I thank you also on behalf of my delegation."
    assert speaking_for("I speak on behalf of Mali.", said, speaker=CHAD) == ("MLI",)


@pytest.mark.parametrize(
    ("said", "actors"),
    [
        ("I shall now make a statement in my capacity as the representative of Chad.", "TCD"),
        ("I thank you on behalf of Mali and now speak in my national capacity.", "TCD"),
        ("I speak in my capacity as representative of Chad and on behalf of Togo.", "TCD TGO"),
        ("On behalf of my country, I now speak in my national capacity.", "TCD"),
        ("I thank you for the work in your capacity as representative of Togo.", "MLI"),
    ],
)
def test_what_a_speaker_says_in_his_own_capacity_is_said_for_himself(
    said: str, actors: str
) -> None:
    texts = ("On behalf of Mali, I thank the briefers.", said, "We condemn it.")
    assert " ".join(speaking_for(*texts, speaker=CHAD)) == actors
