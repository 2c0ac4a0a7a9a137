"""Typography is made plain one character for one."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pipeline.labelling.typography import letters_and_digits, plain


def test_quotation_marks_dashes_and_spaces_become_plain() -> None:
    assert (
        plain("the “regime’s” de‑escalation – now\u00a0!")
        == 'the "regime\'s" de-escalation - now !'
    )


def test_letters_with_marks_stay() -> None:
    assert plain("Ma\u0142opolska, Türkiye, Communiqué") == "Ma\u0142opolska, Türkiye, Communiqué"


@given(st.text())
def test_positions_stay(text: str) -> None:
    folded = plain(text)
    assert len(folded) == len(text)
    assert plain(folded) == folded


def test_texts_that_say_the_same_share_their_letters_and_digits() -> None:
    said = letters_and_digits("“We condemn — strongly — the attacks of 7\u00a0May_2020!”")
    assert said == letters_and_digits("WE CONDEMN, strongly, the attacks of 7 May 2020")
    assert said == "we condemn strongly the attacks of 7 may 2020"
    assert letters_and_digits("ﬁnal ２") == "final 2"
    assert letters_and_digits("* — *") == ""


@given(st.text())
def test_words_with_a_space_between_are_all_that_is_left(text: str) -> None:
    assert re.fullmatch(r"(?:[^\W_]+(?: [^\W_]+)*)?", letters_and_digits(text))
