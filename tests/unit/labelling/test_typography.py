"""Typography is made plain one character for one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.labelling.typography import plain


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
