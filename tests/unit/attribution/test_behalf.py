"""For whom a speaker says to speak, in which words, and whether for himself as well."""

from __future__ import annotations

import time

import pytest

from pipeline.attribution.behalf import OWN_CAPACITY, folded, spoken_for


@pytest.mark.parametrize(
    ("sentence", "readings"),
    [
        ("I speak on behalf of the A3, namely, Chad, Mali and Togo.", "Chad, Mali and Togo|the A3"),
        (
            "I speak on behalf of the A3 namely Chad, as well as Mali.",
            "Chad as well as Mali|the A3",
        ),
        ("On behalf of the A3: Chad and Mali, I thank all.", "Chad and Mali|the A3"),
        ("On behalf of the A3, namely Chad and Mali, I thank all.", "Chad and Mali|the A3"),
        ("On behalf of the A3 – Chad and Mali – I thank all.", "Chad and Mali|the A3"),
        ("I speak on behalf of the A3 - Chad - and Mali (A3+1).", "Chad and Mali (A3+1)|the A3"),
        ("I speak on behalf of Chad, Mali - and Togo.", "Chad, Mali and Togo"),
        ("I speak on behalf of Chad and of Mali.", "Chad and Mali"),
        ("I speak on behalf of the EU, namely in its name.", "in its name|the EU"),
        ("On behalf of the EU - which I love - I agree.", "which|the EU"),
        (
            "I speak on behalf of the co-hosts, Chad and Mali.",
            "the co-hosts, Chad and Mali|Chad and Mali",
        ),
        (
            "I speak on behalf of Chad and Mali, the co-hosts.",
            "Chad and Mali, the co-hosts|Chad and Mali",
        ),
        ("I speak on behalf of Chad and Mali as co-hosts.", "Chad and Mali"),
        ("On behalf of the EU, I thank two States: Chad and Mali.", "the EU"),
        ("I am honoured to brief the Council on behalf of the EU.", "the EU"),
        ("I have the distinct honour and great privilege to speak on behalf of Mali.", "Mali"),
    ],
)
def test_a_group_is_read_by_its_members_and_by_its_name(sentence: str, readings: str) -> None:
    spoken = spoken_for(sentence)
    assert spoken is not None
    assert "|".join(spoken.readings) == readings
    assert sentence[spoken.start :].lower().startswith("on behalf of")
    assert not spoken.also


@pytest.mark.parametrize(
    "sentence",
    [
        "I speak also on behalf of Chad.",
        "Speaking also on behalf of Chad, we agree.",
        "I make this statement on behalf of Chad, too.",
        "I make this statement on behalf of Chad as well.",
        "I speak in my capacity as representative of Mali and on behalf of Chad.",
    ],
)
def test_who_speaks_also_on_behalf_of_others_speaks_for_himself_as_well(sentence: str) -> None:
    spoken = spoken_for(sentence)
    assert spoken is not None
    assert (spoken.readings, spoken.also) == (("Chad",), True)


@pytest.mark.parametrize(
    ("sentence", "own"),
    [
        ("I shall now make a statement in my capacity as the representative of Chad.", True),
        ("I speak in my own capacity as Deputy Prime Minister of Chad.", True),
        ("We now speak in our national capacity.", True),
        ("I speak in my capacity as President of the Council.", False),
        ("He spoke in his capacity as representative of Chad.", False),
    ],
)
def test_by_which_words_a_speaker_goes_over_to_himself(sentence: str, own: bool) -> None:
    assert (OWN_CAPACITY.search(sentence) is not None) is own


@pytest.mark.parametrize("gap", [" ", ",", ", ", " \n\t"])
def test_white_space_behind_a_group_is_read_in_linear_time(gap: str) -> None:
    started = time.process_time()
    spoken_for(folded("On behalf of " + "x namely " * 40 + gap * 20_000 + "y"))
    spoken_for("On behalf of x namely" + " " * 1_000 + "y")
    assert time.process_time() - started < 20
