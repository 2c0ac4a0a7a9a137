from __future__ import annotations

import datetime as dt
import string
from collections.abc import Sequence

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipeline.actors import ActorKind, ActorLinker, How, actors_of, date_of, load_linker
from pipeline.actors import linker as module
from pipeline.actors.files import load_shipped_grammar
from pipeline.actors.grammar import Grammar
from pipeline.actors.links import Links
from pipeline.actors.phrases import PhraseReader
from pipeline.actors.registry import STANDS_ALONE
from pipeline.actors.text import name_key, tokens, undotted

LINKER = load_linker()
GRAMMAR: Grammar = load_shipped_grammar()
NAMES = sorted(
    {
        name.text
        for name in LINKER.registry.all_names()
        if name.kind in STANDS_ALONE
        and name.period.start is None
        and name.period.end is None
        and actors_of(LINKER.link(name.text)) == (name.actor,)
        and name_key(name.text).islower()
    }
)
WORDS = sorted(
    {word.text for name in NAMES for word in tokens(undotted(name))}
    | {word for head in GRAMMAR.heads.values() for word in head.words}
    | GRAMMAR.modifiers
    | {"and", ",", "of", "the", "by", "on", "behalf", "with", "his", "'s", "(", ")", "-", "we"}
)


def ids(
    mention: str,
    *,
    speaker: str | None = None,
    date: dt.date | None = None,
    earlier: Sequence[str] = (),
) -> str:
    links = LINKER.link(mention, speaker=speaker, date=date, earlier=earlier)
    return " ".join(actors_of(links))


@given(
    st.sampled_from(NAMES),
    st.sampled_from([str, str.upper, str.lower, str.title]),
    st.sampled_from(["", "the ", "The ", "  "]),
    st.sampled_from(["", ".", ",", " ;", "'s", "\n", '"']),
    st.sampled_from([" ", "  ", "\n", "\u00a0"]),
)
@settings(max_examples=300, deadline=None)
def test_case_articles_punctuation_and_space_do_not_matter(
    name: str, case: object, article: str, end: str, space: str
) -> None:
    assert callable(case)
    assume(not (case is str.title and "'" in name))
    assume(end != "'s" or name[-1].isalnum())
    written = article + str(case(name.removeprefix("the "))).replace(" ", space) + end
    assert actors_of(LINKER.link(written)) == actors_of(LINKER.link(name))


@given(st.sampled_from(NAMES), st.integers(0, 60), st.sampled_from(string.ascii_lowercase))
@example("Niger", 5, "i")
@settings(max_examples=300, deadline=None)
def test_a_name_with_a_letter_more_is_no_name(name: str, at: int, letter: str) -> None:
    assume(name.isalpha())
    edited = f"{name[:at]}{letter}{name[at:]}"
    assume(not LINKER.registry.named(name_key(edited)))
    assert actors_of(LINKER.link(edited)) == ()


@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_every_linked_id_exists_and_every_part_tells_how(mention: str) -> None:
    links = LINKER.link(mention, speaker="Belgium", earlier=["the Syrian regime", "NATO"])
    assert links
    for link in links:
        assert set(link.actors) <= set(LINKER.registry.actors)
        assert link.linked != link.how.value.startswith("not linked")


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_answered(mention: str) -> None:
    assert LINKER.link(mention, speaker=mention, earlier=[mention])


class Forgetful(dict[object, Links]):
    """Holds nothing that it is asked for, but for what was put there last."""

    def __contains__(self, key: object) -> bool:
        return False


@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
@example("the attack by the President of France to the UN and the attack by Hamas on Israel")
@example("Foreign Ministers of France, Germany (E3), the spokesman for the President of Mali to X")
@settings(max_examples=150, deadline=None)
def test_what_is_read_once_is_what_would_be_read_again_and_again(mention: str) -> None:
    links = LINKER.link(mention, speaker="Belgium", earlier=["the Syrian regime", "NATO"])
    with pytest.MonkeyPatch.context() as patch:

        def forgetting(self: module._Reading, *given: object) -> None:
            made(self, *given)
            self._wholes, self._parts = Forgetful(), Forgetful()

        made = module._Reading.__init__
        patch.setattr(module._Reading, "__init__", forgetting)
        for bound in ("_MOST_CUTS", "_LONGEST", "_DEEPEST", "_MOST_READ"):
            patch.setattr(module, bound, 10**9)
        assert links == LINKER.link(
            mention, speaker="Belgium", earlier=["the Syrian regime", "NATO"]
        )


@pytest.mark.parametrize(
    "mention",
    [
        "attack by " * 200 + "foo", "attack by a on " * 200, "president of " * 200 + "foo to bar",
        "president of " * 14 + "foo to bar", "spokesman for president of " * 50 + "a to b",
        "president and president of " * 30 + "foo", "on behalf of " * 350 + "foo",
        "foo" + " (a)" * 1000, "president of attack by foo, " * 30,
        "foo, " * 500_000, "foo" + " " * 500_000 + "x",
    ],
    ids=lambda mention: mention[:25],
)  # fmt: skip
def test_a_mention_made_to_take_for_ever_stays_text(mention: str) -> None:
    links = LINKER.link(mention, speaker=mention, earlier=[mention])
    assert links
    assert actors_of(links) == ()


def test_a_list_of_all_states_is_read_in_proportion_to_its_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0
    read = PhraseReader.read

    def counting(self: PhraseReader, *given: object) -> Links:
        nonlocal asked
        asked += 1
        return read(self, *given)

    monkeypatch.setattr(PhraseReader, "read", counting)
    names = {
        actor.name: actor.id
        for actor in LINKER.registry.actors.values()
        if actor.kind is ActorKind.COUNTRY and actor.name.isalpha()
        if actors_of(LINKER.link(actor.name)) == (actor.id,)
    }
    assert len(names) > 120
    counts = []
    for many in (30, 120):
        asked = 0
        found = LINKER.link(", ".join([*names][:many]))
        assert actors_of(found) == tuple(names.values())[:many]
        counts.append(asked)
    assert counts[1] < 5 * counts[0]


@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        ("France, Germany and the United Kingdom", "FRA DEU GBR"),
        ("France, Bosnia and Herzegovina, and Mali", "FRA BIH MLI"),
        ("on behalf of the European Union and its member States", "eu"),
        ("Germany on behalf of the humanitarian co-penholders", ""),
        ("Germany (on behalf of the humanitarian co-penholders)", ""),
        ("China (on behalf of Russia)", "RUS"),
        ("Mr. Maru (Germany) (on behalf of the European Union)", "eu"),
        ("Mr. Maru (Germany), also on behalf of the Russian Federation", "DEU RUS"),
        ("Germany (also on behalf of Belgium and Chad)", "DEU BEL TCD"),
        ("Germany, also speaking on behalf of Belgium", "DEU BEL"),
        ("Germany, on behalf of Belgium, too", "DEU BEL"),
        ("also on behalf of Belgium", "BEL"),
        ("the French and German foreign ministers", "FRA DEU"),
        ("the Presidents of Russia and Türkiye", "RUS TUR"),
        ("the Russian and Syrian air forces", "RUS SYR"),
        ("the Syrian regime and its allies", "SYR"),
        ("the war between Israel and Hamas", ""),
        ("the people of Syria and Russia", ""),
        ("groups such as ISIL and Al-Shabaab", ""),
        ("the Secretary-General and the heads of the African Union and the Arab League",
         "un-secretary-general african-union arab-league"),
        ("Aleppo, Syria", ""),
        ("League of Arab States, ministerial committee", "arab-league"),
        ("the European Union and its 27 member States", "eu"),
        ("NATO and all of its thirty-two Member States", "nato"),
    ],
)  # fmt: skip
def test_lists_are_split_and_longer_phrases_are_not(mention: str, expected: str) -> None:
    assert ids(mention) == expected


@pytest.mark.parametrize(
    "mention",
    [
        "Turkish-backed forces", "pro-Russian separatists", "former Iranian President Rouhani",
        "the Syrian opposition", "the Syrian people", "anti-Israeli forces", "the Syria offensive",
        "Syria's reconstruction", "the Lebanese Forces", "Bosnian Serb leader Milorad Dodik",
        "the Turkish Cypriot leader", "the exiled Belarusian leadership", "EU sanctions",
        "some members of the Security Council", "one permanent member", "Al-Qaida in the Peninsula",
        "the terrorists", "Representative of Palau Serang", "Continental News Agency (Nairobi)",
        "Mr. Jordan", "Washington Post",
    ],
)  # fmt: skip
def test_phrases_that_only_touch_an_actor_stay_text(mention: str) -> None:
    assert ids(mention) == ""


@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        ("Tunisia, Saint Vincent and the Grenadines and South Africa (A3+1)", "TUN VCT ZAF"),
        ("Germany and the United Kingdom (E3)", "DEU GBR"),
        ("Germany and Chad (P5)", ""),
        ("Chad (P5)", ""),
        ("Chad and Hamas (ISIL)", ""),
        ("Izumi Nakamitsu (UN)", "un-disarmament-high-representative"),
        ("Mrs. Fatou Bensouda (ICC)", "icc-prosecutor"),
        ("Josep Borrell (EU)", "eu-high-representative"),
        ("Josep Borrell (NATO)", ""),
        ("Russia (EU)", ""),
        ("Hay'at Tahrir al-Sham (ISIL)", ""),
    ],
)
def test_brackets_may_hold_the_whole_of_what_stands_before_them(
    mention: str, expected: str
) -> None:
    assert ids(mention, date=dt.date(2020, 6, 1)) == expected


@pytest.mark.parametrize(
    ("speaker", "expected"),
    [
        ("Ada Maru (United States of America)", "USA"),
        ("Maru Ada (China)", "CHN"),
        ("President Maru (Chad)", "TCD"),
        ("H.E. Mr. Maru (Chad)", "TCD"),
        ("Her Excellency Ada Maru (Chad) (spoke in French)", "TCD"),
        ("Le Ada Maru (Viet Nam)", "VNM"),
        ("Georgia", "GEO"),
        ("Mr. Maru (Congo)", "COG"),
        ("Ada Maru (Congo)", "COG"),
        ("Ada Maru (Congo), also on behalf of Chad", "COG TCD"),
        ("Congo", ""),
        ("Ada Maru (Nairobi)", ""),
        ("Ada (Chad)", ""),
        ("the Ada Maru (Chad)", ""),
        ("Former President Maru (Chad)", ""),
        ("Ada Maru (ICC)", ""),
        ("Al Jazeera (Qatar)", ""),
        ("Al Ahram (Egypt)", ""),
        ("Le Monde (France)", ""),
        ("Xinhua News Agency (China)", ""),
        ("The Daily Maru (Chad)", ""),
        ("Human Rights Watch (Syria)", ""),
        ("Doctors Without Borders (France)", ""),
        ("Red Cross (Kenya)", ""),
        ("Mr. Cross (Kenya)", "KEN"),
        ("Ms. Sun (China)", "CHN"),
        ("Sun Maru (China)", "CHN"),
        ("Business Day (South Africa)", ""),
        ("Rossiyskaya Gazeta (Russia)", ""),
        ("Novaya Gazeta (Russia)", ""),
        ("Kyiv Independent (Ukraine)", ""),
        ("Ukrainska Pravda (Ukraine)", ""),
        ("Asahi Shimbun (Japan)", ""),
        ("Irish Independent (Ireland)", ""),
        ("Sinn Fein (Ireland)", ""),
        ("Toronto Star (Canada)", ""),
        ("Muslim Brotherhood (Egypt)", ""),
        ("Ansar Dine (Mali)", ""),
        ("Proud Boys (United States)", ""),
        ("New Yorker (United States)", ""),
        ("Al-Quds Al-Arabi (United Kingdom)", ""),
        ("Global Witness (United Kingdom)", ""),
        ("Toronto Sun (Canada)", ""),
    ],
)
def test_a_name_and_a_state_in_brackets_is_who_speaks_for_it(speaker: str, expected: str) -> None:
    assert " ".join(actors_of(LINKER.link_speaker(speaker))) == expected
    assert ids("we", speaker=speaker) == expected


@pytest.mark.parametrize("mention", ["Ada Maru (Chad)", "President Maru (Chad)", "he (Chad)"])
def test_in_a_text_it_may_be_a_newspaper_and_its_place(mention: str) -> None:
    assert ids(mention) == ""


def test_a_name_of_records_holds_behind_a_speaker_only() -> None:
    for mention in ("Congo", "Mr. Maru (Congo)", "Gabon, Congo and Chad"):
        assert "COG" not in ids(mention)
    assert LINKER.link("Congo")[0].how is How.AMBIGUOUS


def test_who_speaks_is_told_without_his_titles() -> None:
    [link] = LINKER.link_speaker("H.E. Mr. Maru Ada (Chad)")
    assert (link.how, link.role, link.person) == (How.BRACKETS, "office", "maru ada")


@pytest.mark.parametrize(
    ("mention", "expected", "how", "role"),
    [
        ("Moscow", "RUS", How.SEAT, ""),
        ("the Kyiv regime", "UKR", How.PHRASE, "capital-government"),
        ("Russian forces", "RUS", How.PHRASE, "military"),
        ("Ukraine's Ministry of Foreign Affairs", "UKR", How.PHRASE, "government"),
        ("the Russian invasion of Ukraine", "RUS", How.PHRASE, "conduct"),
        ("Israel's attacks on Gaza", "ISR", How.PHRASE, "owned-conduct"),
        ("the attack by Hamas on Israel", "hamas", How.AGENT, "conduct"),
        ("the Permanent Representative of Belgium", "BEL", How.OFFICE, "office"),
        ("Mr. Pecsteen de Buytswerve (Belgium)", "BEL", How.BRACKETS, "office"),
        ("members of the Security Council", "un-security-council", How.OFFICE, "members"),
        ("Sergey Lavrov, Minister for Foreign Affairs of Russia", "RUS", How.OFFICE, "office"),
        ("Special Envoy of the Secretary-General for Libya", "un-special-envoy", How.OFFICE, ""),
    ],
)
def test_it_is_told_how_and_what_of_the_actor_is_meant(
    mention: str, expected: str, how: How, role: str
) -> None:
    [link] = LINKER.link(mention)
    assert (link.actors, link.how, link.role) == ((expected,), how, role)


def test_persons_are_told() -> None:
    [link] = LINKER.link("Iranian President Masoud Pezeshkian")
    assert link.person == "masoud pezeshkian"
    [link] = LINKER.link("Mr. Nebenzia (Russian Federation) (spoke in Russian)")
    assert link.person == "nebenzia"


@pytest.mark.parametrize("mention", ["SPEAKER", "we", "Us", "my delegation", "our own Government"])
def test_the_speaker_speaks_of_himself(mention: str) -> None:
    assert ids(mention, speaker="Mr. Kimani (Kenya)") == "KEN"
    assert LINKER.link(mention)[0].how is How.NO_SPEAKER
    assert LINKER.link(mention, speaker="CGTN news report")[0].how is How.NO_SPEAKER


def test_us_is_the_speaker_and_capitals_are_the_state() -> None:
    assert ids("us", speaker="Kenya") == "KEN"
    assert ids("US", speaker="Kenya") == "USA"


JOINT = "The United States, France, Germany, and the United Kingdom"


@pytest.mark.parametrize(
    ("mention", "earlier", "expected"),
    [
        ("the four NATO allies", [JOINT], "USA FRA DEU GBR"),
        ("the four NATO allies", ["Iran, Russia, Türkiye and Iraq"], ""),
        ("the four NATO allies", ["the United States, France and Germany"], ""),
        ("the four countries", [JOINT, "Iran, Russia, Türkiye and Iraq"], ""),
        ("the regime's brutality", ["the Syrian regime", "Russian forces"], "SYR"),
        ("the regime", ["the Syrian regime", "the Iranian regime"], ""),
        ("the regime", ["the Syrian regime", "the Talveran regime"], ""),
        ("a regime", ["the Syrian regime"], ""),
        ("the Republic", ["the Republic of Moldova"], "MDA"),
        ("the President", ["Iranian President Masoud Pezeshkian"], "IRN"),
        ("Pezeshkian", ["Iranian President Masoud Pezeshkian"], "IRN"),
        ("Pezeshkian", ["Russia"], ""),
        ("Georgia", [], ""),
        ("Georgia", ["the Georgian Government"], "GEO"),
        ("the Congo", ["Kinshasa"], "COD"),
        ("the Congo", ["Kinshasa", "Brazzaville"], ""),
        ("Korean forces", ["Seoul"], "KOR"),
        ("Korean forces", ["Seoul", "Pyongyang"], ""),
        ("Guinea", ["Conakry"], "GIN"),
        ("the Council", ["the Security Council"], "un-security-council"),
        ("the Council", ["the Security Council", "the Human Rights Council"], ""),
        ("members of the Council", ["President of the Security Council"], "un-security-council"),
        ("the Secretary-General", [], "un-secretary-general"),
        ("the Secretary-General", ["NATO"], ""),
        ("the Secretary-General", ["NATO", "the Security Council"], "un-secretary-general"),
        ("the Secretary-General", ["NATO Secretary General Mark Rutte"], "nato-secretary-general"),
        ("the RSF", ["the Rapid Support Forces"], "rsf"),
        ("the RSF", [], ""),
        ("GNA", [], ""),
        ("the GNA", ["Libya"], "LBY"),
        ("the GNA", ["Ghana"], ""),
    ],
)
def test_the_context_settles_what_it_can(mention: str, earlier: list[str], expected: str) -> None:
    assert ids(mention, earlier=earlier) == expected


def test_in_a_list_of_states_georgia_is_a_state() -> None:
    assert ids("Armenia, Georgia and Azerbaijan") == "ARM GEO AZE"
    assert ids("Georgia, Florida and Texas") == ""
    assert ids("the representative of Georgia") == "GEO"
    assert ids("we", speaker="Georgia") == "GEO"


def test_dated_names_hold_at_their_time() -> None:
    assert ids("the Assad regime", date=dt.date(2024, 12, 8)) == "SYR"
    [link] = LINKER.link("the Assad regime", date=dt.date(2024, 12, 9))
    assert link.how is How.DATE
    assert "SYR" in link.detail
    assert ids("Martin Griffiths", date=dt.date(2020, 1, 1)) == "un-envoy-yemen"
    assert ids("Martin Griffiths", date=dt.date(2022, 1, 1)) == "emergency-relief-coordinator"
    assert LINKER.link("Martin Griffiths")[0].how is How.AMBIGUOUS


def test_an_ambiguous_name_tells_its_candidates() -> None:
    assert LINKER.link("the Congo")[0].detail == "may be COD, COG"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-12-02", dt.date(2024, 12, 2)),
        ("2024-12-02T10:00:00Z", dt.date(2024, 12, 2)),
        ("2024-02-31", None),
        ("2 December 2024", None),
        (None, None),
    ],
)
def test_dates_of_statements(text: str | None, date: dt.date | None) -> None:
    assert date_of(text) == date


def test_a_linker_keeps_no_memory_of_earlier_documents(linker: ActorLinker) -> None:
    assert actors_of(linker.link("the regime", earlier=["the Syrian regime"])) == ("SYR",)
    assert actors_of(linker.link("the regime")) == ()
