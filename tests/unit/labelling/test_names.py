"""Names found without a model, and swapped for names of their kind."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.labelling.name_lists import KnownNames, NameLists, Replacements, load_names
from pipeline.labelling.names import NameKind, NameSwapper

SHIPPED = load_names(Path(__file__).parents[3] / "configs" / "names.yaml")
LISTS = NameLists(
    known=KnownNames(
        countries={"Syria": "Syrian", "South Sudan": "South Sudanese", "United States": "American"},
        peoples=("Kurd", "Kurdish"),
        persons=("Lavrov",),
    ),
    never=frozenset({"Council", "Security", "Union", "African", "Monday", "Qaida", "Geneva"}),
    training=Replacements(
        countries={
            "Estonia": "Estonian",
            "Kenya": "Kenyan",
            "Nepal": "Nepali",
            "Iceland": "Icelandic",
            "Japan": "Japanese",
        },
        places=("Bergen", "Tuzla", "Osaka", "Lviv", "Quetta"),
        persons=("Anna Nowak", "Omar Bello", "Luis Vega", "Maria Roos", "Chen Wei"),
        groups=("Jund Sabr", "Liwa Asad", "Hizb Amal", "Ansar Wadi", "Harakat Fida"),
    ),
    test=SHIPPED.test,
)
TEXTS = (
    "We met the envoy in Talvera and the mayor of Port Besharra near the border.",
    "The fighting in Talvera must stop, and the army of Talvera must leave.",
    "Besharra has no water, and in Besharra there is no bread.",
    "We thank the Talveran government and the Talveran people.",
    "Mr. Oyelaran spoke first; then Ambassador Rami Hadad took the floor.",
    "The port was shelled, and Oyelaran said so to the Security Council on Monday.",
    "They swore to destroy Ansar Nahr and the people of Al-Qaida.",
    "Ilmar river is deep; we crossed the Ilmar and saw a council of women.",
)


@pytest.fixture(scope="module")
def swapper() -> NameSwapper:
    return NameSwapper.learn(TEXTS, LISTS)


def swap(swapper: NameSwapper, text: str, seed: int = 1) -> str:
    return swapper.swap(text, np.random.default_rng(seed), LISTS.training)


COUNTRIES = "|".join(LISTS.training.countries)
PEOPLES = "|".join(LISTS.training.countries.values())
PLACES = "|".join(LISTS.training.places)
FAMILIES = "|".join(name.split()[1] for name in LISTS.training.persons)
PERSONS = "|".join(LISTS.training.persons)
GROUPS = "|".join(LISTS.training.groups)


def test_kinds_follow_from_the_neighbours(swapper: NameSwapper) -> None:
    kinds = {
        "Talvera": NameKind.COUNTRY,
        "Talveran": NameKind.PEOPLE,
        "Besharra": NameKind.PLACE,
        "Oyelaran": NameKind.PERSON,
        "Hadad": NameKind.PERSON,
        "Ansar": NameKind.GROUP,
    }
    assert {name: swapper.kinds[name] for name in kinds} == kinds


@pytest.mark.parametrize("word", ["Council", "Security", "Port", "Monday", "Qaida", "They", "We"])
def test_no_names(swapper: NameSwapper, word: str) -> None:
    assert word not in swapper.kinds


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("We met in Besharra.", rf"We met in ({PLACES})\."),
        ("We met in Talvera.", rf"We met in ({COUNTRIES})\."),
        ("The Talveran army left.", rf"The ({PEOPLES}) army left\."),
        ("Mr. Oyelaran left.", rf"Mr\. ({FAMILIES}) left\."),
        ("Oyelaran left.", rf"({FAMILIES}) left\."),
        ("Ambassador Rami Hadad left.", rf"Ambassador ({PERSONS}) left\."),
        ("Minister Wu Hadad left.", rf"Minister ({PERSONS}) left\."),
        ("Ms. Oyelaran Marsh left.", rf"Ms\. ({PERSONS}) left\."),
        ("Mr. Oyelaran Monday left.", rf"Mr\. ({FAMILIES}) Monday left\."),
        ("We fight Ansar Nahr.", rf"We fight ({GROUPS})\."),
        ("Talvera's guns", rf"({COUNTRIES})'s guns"),
        ("al-Besharra’s guns", rf"({PLACES})’s guns"),
        ("Syrians fled South Sudan.", rf"({PEOPLES})s fled ({COUNTRIES})\."),
        ("the United States left", rf"the Republic of ({COUNTRIES}) left"),
        ("the United States delegation", rf"the Republic of ({COUNTRIES}) delegation"),
        ("a United States official", rf"a ({PEOPLES}) official"),
        ("a Syrian-led talk with Lavrov", rf"a ({PEOPLES})-led talk with ({FAMILIES})"),
    ],
)
def test_each_kind_has_its_replacements(swapper: NameSwapper, text: str, pattern: str) -> None:
    for seed in range(10):
        assert re.fullmatch(pattern, swap(swapper, text, seed)), swap(swapper, text, seed)


@pytest.mark.parametrize(
    "text",
    [
        "The Security Council met on Monday with the African Union.",
        "We condemn Al-Qaida.",
        "We crossed the Ilmar.",
        "A council of women.",
        "",
    ],
)
def test_texts_without_names_stay(swapper: NameSwapper, text: str) -> None:
    assert swap(swapper, text) == text


def test_a_noun_of_a_people_takes_an_s_only_where_it_can(swapper: NameSwapper) -> None:
    for seed in range(30):
        assert re.fullmatch(r"(Estonian|Kenyan|Nepali)s left", swap(swapper, "Syrians left", seed))


def test_the_article_fits(swapper: NameSwapper) -> None:
    for seed in range(30):
        assert re.match(r"a [KNJ]", swap(swapper, "a Talveran town", seed))
        assert re.match(r"an [EI]", swap(swapper, "an Syrian town", seed))


def test_one_name_one_replacement_and_country_and_adjective_together(swapper: NameSwapper) -> None:
    pairs = LISTS.training.countries
    for seed in range(30):
        text = "Talvera and Syria met in Talvera: Talveran, Syrian. Besharra, Besharra."
        got = re.fullmatch(
            r"(\w+) and (\w+) met in (\w+): (\w+), (\w+)\. (\w+), (\w+)\.",
            swap(swapper, text, seed),
        )
        assert got
        assert got[1] == got[3] != got[2]
        assert (got[4], got[5]) == (pairs[got[1]], pairs[got[2]])
        assert got[6] == got[7]


def test_texts_that_belong_together_are_swapped_alike(swapper: NameSwapper) -> None:
    texts = ["Talvera is at war.", "We met in Talvera with Mr. Rami Hadad.", "Hadad left."]
    for seed in range(10):
        first, second, third = swapper.swap_all(texts, np.random.default_rng(seed), LISTS.training)
        assert first.split()[0] == second.split()[3]
        assert third.split()[0] == second.split()[-1].rstrip(".")


WORDS = ("we", "condemn", "the", "shelling", "of", "in", "a", "people", "met", "and", "must")
NAMES = ("Talvera", "Talveran", "Besharra", "Oyelaran", "Syria", "Rami Hadad", "Lavrov", "Mr.")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS + NAMES), max_size=14), st.integers(0, 2**31))
def test_words_that_are_no_names_stay_and_the_seed_decides(
    swapper: NameSwapper, words: list[str], seed: int
) -> None:
    text = " ".join(words)
    swapped = swap(swapper, text, seed)
    assert swapped == swap(swapper, text, seed)
    lower = [word for word in swapped.replace("Republic of ", "").split() if word[0].islower()]
    assert lower == [word for word in words if word[0].islower()]
    assert not {"Talvera", "Talveran", "Oyelaran", "Syria", "Hadad"} & set(
        re.sub(r"\b(?:the|a) (?:Mr\. )?\S+", "", swapped).split()
    )


def test_the_more_seeds_the_more_replacements(swapper: NameSwapper) -> None:
    assert len({swap(swapper, "We met in Besharra.", seed) for seed in range(60)}) == 5


def test_the_shipped_lists_hold_no_replacement_that_is_never_a_name() -> None:
    for lists in (SHIPPED.training, SHIPPED.test):
        assert not lists.all_names() & SHIPPED.never
        assert all(" " in name for name in lists.persons)


def test_training_and_test_may_not_share_a_name(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    shipped = (Path(__file__).parents[3] / "configs" / "names.yaml").read_text(encoding="utf-8")
    path.write_text(shipped.replace("    - Agadez\n", "    - Bergen\n"), encoding="utf-8")
    with pytest.raises(SettingsError, match="in both 'training' and 'test': Bergen"):
        load_names(path)


def test_mistakes_in_the_lists_have_lines(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    path.write_text("known: {}\nnever: []\ntraning: {}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"names.yaml:3: unknown key 'traning'.*'training'"):
        load_names(path)
