"""One case a construction; the bar marks where the text must be cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.segmentation import split_sentences

CUTS = {
    "plain": "We condemn the attack. | We call for restraint. | Thank you.",
    "symbol of a document": "We recall document S/PV.8715. | It was issued in March.",
    "symbol with a lost blank": "That was said here (see S/PV. 8512). | We agree.",
    "resolution": "They act under resolution S/RES/2254 (2015). | The Council decided so.",
    "resolution closed up": "It rests on Resolution 2254(2015). | Nothing else will do.",
    "resolution without year": "In line with resolution 2401. | And we repeat that call.",
    "para": "The report (S/2019/12, para. 3) is clear. | Paras. 10 and 11 repeat it.",
    "para before Roman": "We refer to chap. IV and sect. II of the note. | Both stand.",
    "No": "The draft was issued as No. 10 and Nos. 12-14. | It was withdrawn.",
    "no as an answer": "Shall we give up? | The answer is no. | We shall not.",
    "Art": "Art. 51 and arts. 2 and 3 apply. | That is the law.",
    "page": "It is all on p. 12 and pp. 14-16. | Read it.",
    "titles": "I thank Mr. Ode, Mrs. Ile, Ms. Ure and Dr. Ame. | H.E. Mr. Bo spoke.",
    "ranks": "Lt. Gen. Oru and Brig. Gen. Ike met in St. Petra. | Sgt. Lo did not.",
    "offices": "Asst. Sec. Ode met Min. Ile and U.N. Sec. Gen. Ure. | Atty. Gen. Ame left.",
    "offices in capitals": "MIN. ODE AND DEP. MIN. ILE SPOKE. | THE REST WAITED.",
    "acronym like an office": "It was fined by the SEC. | The fund paid.",
    "minutes and seconds": "It took 10 min. | We left after 30 sec. | Wait 5 min. more.",
    "retired": "Gen. (ret.) Ora Ode led it, with Col. Ile (ret.). | The rest followed.",
    "first article": "Art. I of the Pact and chap. I, sect. V of vol. I of it. | See.",
    "arts before a speaker": "We support science and the arts. | I, for one, welcome it.",
    "sect before a speaker": "They are a sect. | I, for one, fear them.",
    "liberal arts": "She studies liberal arts. | I of course agree.",
    "a name like an annex": "Thanks to Mary Ann. | I and Bob left.",
    "art before a speaker": "He opened the Gallery of Art. | I, however, stayed.",
    "letter of an annex": "We read ann. (a) and sect. (b), and arts. (c), too. | Both stand.",
    "retired at the end": "The briefer was General Kruse, ret. | We thank him.",
    "seconds in capitals": "The clock stopped at 30 Sec. | The fund grew.",
    "doctors": "We met the Drs. | They said so to Drs. Ode and Ile.",
    "no before a speaker": "The answer is no. | I, for one, stay. | They say no. | I of all.",
    "letter of a part": "Subpara. (a) of it and para. (iv), too, apply. | See para. 3.",
    "letter of the next point": "That ends the para. | (b) The parties shall meet.",
    "initials": "Lester B. Pearson and J. R. Smith signed. | It was read by A. Guterres.",
    "initial P": "Secretary Ora P. Ulm condemned it. | Mr. P. Ode and Ms. J.-P. Ile spoke.",
    "initial P at the end": "It was signed by Lorra P. | The others waited.",
    "part with a letter": "They build in Area C. | Nobody stops them. | See annex B. | It is long.",
    "U.N. and U.S. inside": "The U.N. Security Council met U.S. Secretary Dole. | He left.",
    "U.S. at the end": "They were sold by the U.S. | The buyers are unknown.",
    "Latin": "Some parties, e.g. Lorra, i.e. the north, vs. Tamar, agreed. | Others did not.",
    "etc inside": "Schools, clinics, etc. were hit. | We saw it.",
    "etc at the end": "They hit schools, clinics, etc. | How can that be?",
    "et al": "The case Prosecutor v. Ture et al. concerns this. | The Court ruled in Ode et al.",
    "clock": "We met at 10.05 a.m. | It rose at 1 p.m. and resumed at 3 p.m. Monday.",
    "month": "On Jan. 5 and Sept. 12 it burned. | It was over in Dec. | Nobody came.",
    "decimal": "Some 1.5 million people, or 3.2 per cent. | More will follow.",
    "ellipsis inside": "We had hoped ... that it would end. | It did not.",
    "ellipsis at the end": "We had hoped... | The war went on… | It still does.",
    "spaced ellipsis": "They said . . . and then nothing. | We waited.",
    "several marks": "Is that justice?! | We think not! | Why? | Because they fled.",
    "year at the end": "It began in 2011. | 2012 was worse. | That is known.",
    "quotation mark after the stop": "He spoke of “a lasting peace.” | We agree.",
    "bracket after the stop": "(We regret that.) | It was said twice (see annex.). | Good.",
    "note in brackets": "We said so in May.[12] | And in June.¹ | It is on file.",
    "note as a digit": "We said so in the spring.3 | The Council knows. | It is on file.",
    "no note but a revision": "The text is S/2020/12/Rev.1 Add.2 as read. | It stands.",
    "lost blank": "The mandate ended in 2019.| The troops stayed.| We saw them.",
    "an address has no sentence": "See www.example.org and cgtn.com for it. | Thank you.",
    "speaker in a record": "Mr. Ode (Lorra) (spoke in French): We thank you. | We will be brief.",
    "language in brackets": "I now turn to Arabic. | (spoke in Arabic) We thank you.",
    "dateline": "UNITED NATIONS — The envoy arrived, aides said. | He left.",
    "wire dateline": "NEW YORK, Dec. 2 (AP) -- The envoy arrived. | He left.",
    "small letter after a name": "He asked Yahoo! and others. | They kept still.",
    "Arabic": "هل توقفت الحرب؟ | لا. | نريد السلام.",
    "Chinese": "我们谴责袭击。| 我们呼吁克制。",
    "Cyrillic": "Об этом сказал В. Иванов. | Мы согласны.",
}


@pytest.mark.parametrize("marked", CUTS.values(), ids=CUTS.keys())
def test_cuts(marked: str) -> None:
    expected = [part.strip() for part in marked.split("|")]
    text = marked.replace(" | ", " ").replace("| ", "")
    assert [text[start:end] for start, end in split_sentences(text)] == expected


WHOLE = {
    "attributed after": '"They endured a war. They deserve peace," Ode emphasized.',
    "attributed after, curly": "“They endured a war. They deserve peace,” he said.",
    "question attributed": '"Who did it? Who paid for it?" Ode asked.',
    "question, small letter": "“Who did it? Who paid for it?” asked the envoy.",
    "introduced": "The envoy said: “We must act. Time is short.”",
    "in the middle": 'He called "Stop now. Go home." a threat to all.',
    "guillemets": "Le ministre a dit: «Assez. Partez.»",
    "in brackets": "We object (see para. 3. It is plain.) to that.",
    "in square brackets": "We object [He paused. Then he went on.] to that.",
}


def spans(text: str) -> list[tuple[int, int]]:
    return list(split_sentences(text))


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_quotations_and_brackets_stay_whole(text: str) -> None:
    assert spans(f"{text} We agree.") == [
        (0, len(text)),
        (len(text) + 1, len(text) + 10),
    ]


def test_long_quotation_is_cut() -> None:
    text = "He said: “First we fled. Then we hid. Then we ran. Then we died.” We agree."
    assert len(spans(text)) == 5


def test_quotation_of_its_own_is_cut() -> None:
    text = '"They fled the city. They lost all." The Council was silent.'
    assert len(spans(text)) == 3


@pytest.mark.parametrize(
    "stray", ['He said "stop. We agree.', "A “b. We agree.", "A (b. We agree."]
)
def test_unpaired_marks_do_not_swallow_the_text(stray: str) -> None:
    assert len(spans(stray)) == 2


@pytest.mark.parametrize(("text", "count"), [("", 0), (" \n ", 0), ("...", 1), ("!", 1), ("a", 1)])
def test_degenerate(text: str, count: int) -> None:
    assert len(spans(text)) == count


def test_trailing_marks_belong_to_the_last_sentence() -> None:
    assert spans("We agree. ” ") == [(0, 11)]


# "U.S.", "no." and the like end a sentence only where the next word allows it.
UNSURE = (
    *("U.S.", "al.", "Dec.", "p.m.", "a.m.", "no.", "...", " P.", "SEC."),
    *("arts.", "sect.", "Ann.", "Art.", "Sec.", "ret.", "Drs.", "para."),
)
POOL = [part.strip() for marked in CUTS.values() for part in marked.split("|")]
SURE = [s for s in POOL if s[0].isascii() and s[-1] in ".?!" and not s.endswith(UNSURE)]


@settings(deadline=None)
@given(st.lists(st.sampled_from([s for s in SURE if s[0] != "("]), max_size=8))
def test_sentences_survive_being_joined(sentences: list[str]) -> None:
    text = "\n".join(sentences)
    assert [text[start:end] for start, end in split_sentences(text)] == sentences
