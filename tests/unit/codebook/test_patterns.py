from __future__ import annotations

import pytest

from pipeline.codebook.patterns import compile_pattern, folded, forms, words_pattern


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("condemn", {"condemn", "condemns", "condemned", "condemning"}),
        ("deplore", {"deplore", "deplores", "deplored", "deploring"}),
        ("deny", {"deny", "denies", "denied", "denying"}),
        ("obey", {"obey", "obeys", "obeyed", "obeying"}),
        ("reproach", {"reproach", "reproaches", "reproached", "reproaching"}),
        ("stop", {"stop", "stops", "stopped", "stopping", "stoped", "stoping"}),
        ("call on", {"call on", "calls on", "called on", "calling on"}),
        ("war crime", {"war crime", "war crimes"}),
        ("no", {"no"}),
        ("Да", {"Да"}),
    ],
)
def test_regular_forms(word: str, wanted: set[str]) -> None:
    assert wanted <= set(forms(word))


def test_words_are_matched_whole_and_signs_stand_for_themselves() -> None:
    pattern = compile_pattern(words_pattern(["a.b", "война"]))
    assert pattern.search(b"see a.b here")
    assert not pattern.search(b"see acb here")
    assert pattern.search(folded("Война!").encode())
    assert not pattern.search(folded("войнами").encode())


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("a(?=b)", "look-ahead.*'unless'"),
        ("a(?!b)", "look-ahead.*'unless'"),
        ("(?<=a)b", "look-behind"),
        (r"(a)\1", "back-references"),
        ("(a", "missing"),
        ("a{2000}", "1000"),
        ("(?:a{1000}){1000}", "repetition|too large"),
        (r"\bвойна\b", "Latin letters.*'words'"),
    ],
)
def test_what_the_engine_does_not_know_comes_with_advice(pattern: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        compile_pattern(pattern)
