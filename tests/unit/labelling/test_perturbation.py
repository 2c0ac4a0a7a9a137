"""Changes that keep the labels of a sentence: what they change, and what they leave."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.labelling.name_lists import load_names
from pipeline.labelling.names import NameSwapper
from pipeline.labelling.perturbation import (
    Perturbation,
    addressed,
    numbered,
    other_dates,
    other_figures,
    other_quotes,
    perturbations,
    perturbed,
    without_final_stop,
)
from pipeline.records import Sentence, Statement
from pipeline.segmentation import segment

NAMES = load_names(Path(__file__).parents[3] / "configs" / "names.yaml")
TEXTS = (
    "We condemn the shelling of Besharra, where 42 people died on 3 May 2019.",
    "In Besharra the delegation of Talvera “did what it could”, said Mr. Hadad.",
    "It is the delegation's view that all sides must stop.",
)
CHANGES = perturbations(NameSwapper.learn(TEXTS, NAMES), NAMES.test)
ORDINARY = frozenset({"we", "the", "security", "in", "i"})


def random(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("We condemn this.", "Mr. President, we condemn this."),
        ("In our view, no.", "Mr. President, in our view, no."),
        ("The Security Council met.", "Mr. President, The Security Council met."),
        ("I condemn this.", "Mr. President, I condemn this."),
        ("Talvera condemns this.", "Mr. President, Talvera condemns this."),
        ("In I trust.", "Mr. President, in I trust."),
        ("UNRWA helps.", "Mr. President, UNRWA helps."),
        ("Is it so?", "Mr. President, Is it so?"),
        ("Mr. President, we condemn this.", None),
        ("Madam Chair, we condemn this.", None),
        ("2. We condemn this.", None),
        ("• We condemn this.", None),
        ("Fighting in Besharra", None),
        ("to stop the attacks.", None),
        ("", None),
    ],
)
def test_address(text: str, changed: str | None) -> None:
    assert addressed(text, ORDINARY) == (changed or text)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("We condemn this.", "3. We condemn this."),
        ("to stop the attacks;", "3. to stop the attacks;"),
        ("2. We condemn this.", None),
        ("(a) To stop;", None),
        ("- To stop;", None),
        ("iv) To stop;", None),
    ],
)
def test_list_number(text: str, changed: str | None) -> None:
    assert numbered(text) == (changed or text)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("It's “so”.", 'It\'s "so".'),
        ("He said: \"It's so\" ('no').", "He said: “It’s so” (‘no’)."),
        ('"Yes"', "“Yes”"),
        ("the parties' duty", "the parties’ duty"),
        ("No quotes.", "No quotes."),
    ],
)
def test_quotes(text: str, changed: str) -> None:
    assert other_quotes(text) == changed


@pytest.mark.parametrize(
    ("text", "changed"), [("So.", "So"), ("So...", "So..."), ("So?", "So?"), ("", "")]
)
def test_final_stop(text: str, changed: str) -> None:
    assert without_final_stop(text) == changed


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("on 3 May 2019.", r"on \d\d? [A-Z]\w+ \d{4}\."),
        ("on May 3, 2019,", r"on [A-Z]\w+ \d\d?, \d{4},"),
        ("on Dec. 23, said", r"on [A-Z]\w+ \d\d?, said"),
        ("in May 2019", r"in [A-Z]\w+ \d{4}"),
        ("since 2011;", r"since \d{4};"),
        ("on Friday", r"on [A-Z]\w+day"),
        ("resolution 2401 (2018)", r"resolution 2401 \(\d{4}\)"),
    ],
)
def test_dates(text: str, pattern: str) -> None:
    for seed in range(10):
        (changed,) = other_dates([text], random(seed))
        assert changed != text
        assert re.fullmatch(pattern, changed), changed


@pytest.mark.parametrize(
    "text",
    ["You may 3 times", "They march on", "resolution 1970", "$2000 million", "2011-style", "1,999"],
)
def test_no_dates(text: str) -> None:
    assert other_dates([text], random()) == [text]


def test_a_date_has_one_replacement_throughout() -> None:
    first, second = other_dates(["On 3 May 2019.", "In 2019 and on 3 May"], random())
    day, month, year = first.removeprefix("On ").removesuffix(".").split()
    assert second == f"In {year} and on {day} {month}"


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("killed 42 people", r"killed [2-9]\d people"),
        ("5.2 million, 1,300 of them", r"[2-9]\.\d million, [2-9],\d{3} of them"),
        ("$40 million", r"\$[2-9]\d million"),
        ("2. We saw 12.", r"2\. We saw [2-9]\d\."),
        ("on 3 May 2019, 17 died", r"on 3 May 2019, [2-9]\d died"),
        ("20 to 20", r"([2-9]\d) to \1"),
    ],
)
def test_figures(text: str, pattern: str) -> None:
    for seed in range(10):
        (changed,) = other_figures([text], random(seed))
        assert changed != text
        assert re.fullmatch(pattern, changed), changed


@pytest.mark.parametrize(
    "text", ["1 person", "100 per cent", "S/2018/35", "the 21st", "M-14", "on 3 May", "since 2011"]
)
def test_figures_that_stay(text: str) -> None:
    assert other_figures([text], random()) == [text]


def test_context_changes_with_the_sentence() -> None:
    sentence = Sentence(
        "s", "d", "In Besharra it's over.", context="Besharra’s “guns”.", lead_in="We ask Besharra"
    )
    named = perturbed(sentence, CHANGES["names"], random())
    place = named.text.removeprefix("In ").removesuffix(" it's over.")
    assert place != "Besharra"
    assert (named.context, named.lead_in) == (f"{place}’s “guns”.", f"We ask {place}")
    stopped = perturbed(sentence, CHANGES["final_stop"], random())
    assert (stopped.text, stopped.context) == ("In Besharra it's over", "Besharra’s “guns”.")
    lowered = perturbed(sentence, CHANGES["lower_case"], random())
    assert lowered.lead_in == "we ask besharra"


TEXT = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [*" ".join(TEXTS).split(), "May", "3", "2019", "1,400", "(2018)", '"so"', "it's", "’"]
        ),
        max_size=12,
    ).map(" ".join),
)


@settings(max_examples=200, deadline=None)
@given(TEXT, TEXT, st.integers(0, 2**31), st.sampled_from(sorted(CHANGES)))
def test_every_change_is_deterministic_and_keeps_the_texts_apart(
    text: str, context: str, seed: int, name: str
) -> None:
    change: Perturbation = CHANGES[name]
    changed = change([text, context], random(seed))
    assert len(changed) == 2
    assert changed == change([text, context], random(seed))


@settings(max_examples=200, deadline=None)
@given(TEXT, st.sampled_from(["address", "list_number", "lower_case", "final_stop"]))
def test_a_second_time_changes_nothing(text: str, name: str) -> None:
    once = CHANGES[name]([text], random())
    assert CHANGES[name](once, random()) == once or name == "lower_case"


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize("text", TEXTS)
def test_one_sentence_stays_one(name: str, text: str) -> None:
    for seed in range(5):
        (changed,) = CHANGES[name]([text], random(seed))
        assert len(list(segment(Statement("d", changed, "d.txt")))) == 1, changed


def test_only_words_that_are_written_otherwise_change() -> None:
    assert CHANGES["names"]([TEXTS[2]], random()) == [TEXTS[2]]
    assert "condemn the shelling of" in CHANGES["names"]([TEXTS[0]], random())[0]
