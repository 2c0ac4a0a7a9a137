"""`check_documents` finds every planted mistake, and none in the project's own data."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.labelling import (
    FindingKind,
    check_documents,
    count_parts,
    read_labelled,
    rejected_rows,
    without_holder,
)
from pipeline.records import (
    SPEAKER,
    Attribution,
    LabelledDocument,
    LabelledSentence,
    Rejection,
    RejectReason,
    Sentence,
)

ROOT = Path(__file__).parents[3]
Write = Callable[..., Path]


def labelled(text: str, *attributions: Attribution, tone: str = "neither") -> LabelledSentence:
    given = tuple(dict.fromkeys(a.label for a in attributions))
    return LabelledSentence(Sentence("", "", text), {"topic": given, "tone": (tone,)}, attributions)


def document(*sentences: LabelledSentence, doc_id: str = "d1", line: int = 1) -> LabelledDocument:
    named = tuple(
        dataclasses.replace(
            s, sentence=dataclasses.replace(s.sentence, sentence_id=f"{doc_id}#{i}", doc_id=doc_id)
        )
        for i, s in enumerate(sentences)
    )
    return LabelledDocument(doc_id, named, source="f.jsonl", line=line)


def food(holder: str | None, target: str | None = None) -> Attribution:
    return Attribution("food", holder, target)


def test_sound_documents_have_no_findings(tiny: Codebook) -> None:
    sound = document(
        labelled("Ada came in.", tone="neither"),
        labelled("She praised the soup.", food("Ada", "the soup"), tone="praise"),
        labelled("I did too.", food(SPEAKER), tone="praise"),
    )
    assert check_documents([sound], tiny) == []


def test_unknown_labels_and_tasks(tiny: Codebook) -> None:
    bad = LabelledSentence(
        Sentence("d1#0", "d1", "Soup."),
        {"topic": ("fodo",), "tone": ("neither",), "tonne": ("praise",)},
        (food(SPEAKER),),
    )
    found = check_documents([LabelledDocument("d1", (bad,))], tiny)
    messages = [f.message for f in found if f.kind is FindingKind.LABEL]
    assert messages == [
        "unknown label 'fodo' of task 'topic'. Did you mean 'food'?",
        "unknown task 'tonne'. Did you mean 'tone'?",
    ]


@pytest.mark.parametrize("given", [(), ("praise", "blame")])
def test_a_choice_has_exactly_one_label(tiny: Codebook, given: tuple[str, ...]) -> None:
    bad = LabelledSentence(Sentence("d1#0", "d1", "Soup."), {"topic": (), "tone": given})
    [found] = check_documents([LabelledDocument("d1", (bad,))], tiny)
    assert found.kind is FindingKind.CARDINALITY


def test_labels_that_break_a_constraint_of_the_codebook(tiny: Codebook) -> None:
    data = json.loads(tiny.model_dump_json())
    constraint = {"when": "topic.food", "never": "tone.neither"}
    stated = Codebook.model_validate({**data, "constraints": [constraint]})
    sentences = document(
        labelled("Ada praised the soup.", food("Ada"), tone="praise"),
        labelled("Ada served the soup.", food("Ada"), tone="neither"),
    )
    [found] = check_documents([sentences], stated)
    assert (found.sentence, found.kind) == (1, FindingKind.CONSTRAINT)
    assert found.message == "topic.food never goes with tone.neither"
    assert check_documents([sentences], tiny) == []


def test_unknown_labels_are_not_wrong_labels(tiny: Codebook) -> None:
    bare = LabelledSentence(Sentence("d1#0", "d1", "Soup."), {"topic": None, "tone": None})
    assert check_documents([LabelledDocument("d1", (bare,))], tiny) == []


def test_labels_and_attributions_must_fit(tiny: Codebook) -> None:
    bad = LabelledSentence(
        Sentence("d1#0", "d1", "Soup."),
        {"topic": ("service",), "tone": ("praise",)},
        (food(SPEAKER), Attribution("praise", SPEAKER, None)),
    )
    found = check_documents([LabelledDocument("d1", (bad,))], tiny)
    assert {f.kind for f in found} == {FindingKind.ATTRIBUTION}
    assert [f.message.split("'")[1] for f in found] == ["food", "praise"]


def test_labels_without_a_holder_are_counted_and_not_wrong(tiny: Codebook) -> None:
    said = labelled("Ada praised the soup.", food("Ada"))
    silent = LabelledSentence(Sentence("d1#1", "d1", "Cold."), {"topic": ("food", "service")})
    unknown = LabelledSentence(Sentence("d1#2", "d1", "Warm."), {"topic": None})
    whole = LabelledDocument("d1", (said, silent, unknown))
    assert check_documents([whole], tiny) == []
    assert without_holder([whole], tiny) == 2


@pytest.mark.parametrize("holder", ["Bo", "ada", None, "", " "])
def test_a_holder_stands_in_the_text_word_for_word(tiny: Codebook, holder: str | None) -> None:
    bad = document(labelled("Ada praised the soup.", food(holder)))
    [found] = check_documents([bad], tiny)
    assert (found.kind, found.sentence) == (FindingKind.HOLDER, 0)


def test_a_holder_may_stand_before_the_sentence_or_in_title_or_context(tiny: Codebook) -> None:
    late = labelled("The soup was praised.", food("Ada"))
    early = labelled("Ada came in.")
    assert check_documents([document(early, late)], tiny) == []
    assert [f.kind for f in check_documents([document(late, early)], tiny)] == [FindingKind.HOLDER]
    titled = dataclasses.replace(document(late), title="Ada at noon")
    assert check_documents([titled], tiny) == []
    sentence = dataclasses.replace(late.sentence, context="Ada came in.")
    assert check_documents([document(dataclasses.replace(late, sentence=sentence))], tiny) == []


def test_the_holder_of_a_headline_may_stand_below_it(tiny: Codebook) -> None:
    headline = labelled("Soup of the house praised", food("Ada"))
    assert check_documents([document(headline, labelled("Ada praised the soup."))], tiny) == []


@pytest.mark.parametrize("target", ["the Soup", "a pie", ""])
def test_a_target_stands_in_its_own_sentence(tiny: Codebook, target: str) -> None:
    bad = document(labelled("A pie came."), labelled("I liked the soup.", food(SPEAKER, target)))
    if target == "a pie":
        bad = document(labelled("a pie came."), *bad.sentences[1:])
    [found] = check_documents([bad], tiny)
    assert (found.kind, found.sentence) == (FindingKind.TARGET, 1)


def test_ids_and_texts_given_twice_are_found(tiny: Codebook) -> None:
    one = document(labelled("Soup."), line=1)
    found = check_documents([one, document(labelled("Bread."), line=2)], tiny)
    assert [(f.kind, f.line) for f in found] == [(FindingKind.DUPLICATE, 2)]
    assert "doc_id 'd1' is also at f.jsonl:1" in found[0].message
    found = check_documents([one, document(labelled("SOUP!"), doc_id="d2", line=2)], tiny)
    assert ["the same text as 'd1'" in f.message for f in found] == [True]
    clash = dataclasses.replace(one, doc_id="d2", line=2, sentences=(
        dataclasses.replace(
            labelled("Bread."), sentence=Sentence("d1#0", "d2", "Bread.")
        ),
    ))  # fmt: skip
    [finding] = check_documents([one, clash], tiny)
    assert "sentence_id 'd1#0' is also at f.jsonl:1" in finding.message


@pytest.mark.parametrize(
    "text", ["I thank the cook.", "i thank — the   cook", "“I thank the cook!”"]
)
def test_sentences_shared_with_another_set_are_found_whatever_their_typography(
    tiny: Codebook, text: str
) -> None:
    other = document(labelled("Hello."), labelled("I thank the cook."), doc_id="g1", line=9)
    [found] = check_documents([document(labelled("Soup."), labelled(text))], tiny, others=[other])
    assert (found.kind, found.sentence) == (FindingKind.SHARED, 1)
    assert "f.jsonl:9 (g1 sentence 1)" in found.message


def test_sentences_without_letters_are_not_compared(tiny: Codebook) -> None:
    other = document(labelled("***"), doc_id="g1")
    assert check_documents([document(labelled("—"))], tiny, others=[other]) == []


@pytest.fixture
def offsets(tiny: Codebook, tmp_path: Path, write_jsonl: Write) -> Callable[..., list[str]]:
    def _offsets(*sentences: dict[str, object], statement: bytes | None) -> list[str]:
        if statement is not None:
            (tmp_path / "s.txt").write_bytes(statement)
        rows = [{"topic": [], "tone": "neither", **s} for s in sentences]
        documents, _ = read_labelled(write_jsonl({"file": "s.txt", "sentences": rows}), tiny)
        found = check_documents(documents, tiny, statements_folder=tmp_path)
        assert all(f.kind is FindingKind.OFFSET and f.line == 1 for f in found)
        return [f"{f.sentence}: {f.message}" for f in found]

    return _offsets


SOUP = {"text": "Soup came.", "raw": "**Soup** came.", "start": 3, "end": 17}


def test_exact_offsets_have_no_findings(offsets: Callable[..., list[str]]) -> None:
    bread = {"text": "Brød.", "start": 18, "end": 23}
    statement = "1. **Soup** came. Brød.".encode()
    assert offsets(SOUP, bread, statement=statement) == []


def test_offsets_count_every_character_of_the_file(offsets: Callable[..., list[str]]) -> None:
    shifted = {**SOUP, "start": 6, "end": 20}
    assert offsets(shifted, statement=b"\r\n 1. **Soup** came.") == []
    assert offsets(shifted, statement=b"\n 1. **Soup** came.") != []


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"start": 2}, "expected '**Soup** came.'"),
        ({"end": 99}, "does not lie within the 17 characters"),
        ({"start": -1}, "does not lie within"),
        ({"start": 17}, "does not lie within"),
        ({"start": None}, "has no 'start' and 'end'"),
        ({"raw": None}, "expected 'Soup came.'"),
        ({"text": "Soup went."}, "differ in more than markup"),
    ],
)
def test_wrong_offsets_are_found(
    offsets: Callable[..., list[str]], change: dict[str, object], part: str
) -> None:
    found = offsets({**SOUP, **change}, statement=b"1. **Soup** came.")
    assert any(message.startswith("0: ") and part in message for message in found)


def test_overlapping_sentences_are_found(offsets: Callable[..., list[str]]) -> None:
    again = {"text": "came.", "start": 12, "end": 17}
    [message] = offsets(SOUP, again, statement=b"1. **Soup** came.")
    assert message == "1: starts at 12, before the last sentence ends at 17"


def test_missing_and_unreadable_statement_files_are_found(
    offsets: Callable[..., list[str]],
) -> None:
    assert "cannot be read" in offsets(SOUP, statement=None)[0]
    assert "not UTF-8" in offsets(SOUP, statement=b"\xff")[0]


def test_findings_come_in_file_order_and_say_where(tiny: Codebook) -> None:
    bad = [
        document(labelled("Soup.", food("Bo", "pie")), doc_id=f"d{line}", line=line)
        for line in (3, 2)
    ]
    found = check_documents(bad, tiny)
    assert [f.line for f in found] == [2, 2, 2, 3, 3]
    assert str(found[0]) == "f.jsonl:2: d2: duplicate: the same text as 'd3' at f.jsonl:3"
    assert str(found[1]).startswith("f.jsonl:2: d2 sentence 0: holder not verbatim: ")


def test_rejected_lines_become_findings() -> None:
    rejection = Rejection("f.jsonl", "line 12", RejectReason.BAD_ROW, "not JSON")
    [found] = rejected_rows([rejection])
    assert (found.file, found.line, found.kind) == ("f.jsonl", 12, FindingKind.ROW)
    assert "not JSON" in str(found)


def test_parts_are_counted(tiny: Codebook) -> None:
    one = dataclasses.replace(
        document(labelled("Soup.", food(SPEAKER)), labelled("I ate.")), part="p1"
    )
    two = dataclasses.replace(document(labelled("Good.", tone="praise"), doc_id="d2"), genre="note")
    first, second, total = count_parts([one, two], tiny)
    assert (first.part, first.documents, first.sentences) == ("p1", 1, 2)
    assert (second.part, second.documents, second.sentences) == ("note", 1, 1)
    assert (total.part, total.documents, total.sentences) == ("total", 2, 3)
    assert total.labels == {
        "topic.food": 1,
        "topic.service": 0,
        "tone.praise": 1,
        "tone.blame": 0,
        "tone.neither": 2,
    }


def test_the_data_of_the_project_are_sound() -> None:
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    parts = ("literary", "register", "error-led", "further", "contrasts")
    read = [read_labelled(ROOT / f"seeds/corpus/{part}.jsonl", codebook) for part in parts]
    corpus = [document for documents, _ in read for document in documents]
    gold, bad_gold = read_labelled(ROOT / "seeds/gold/gold.jsonl", codebook)
    assert not any(rejected for _, rejected in read)
    assert not bad_gold
    assert check_documents(corpus, codebook, others=gold) == []
    assert check_documents(gold, codebook, statements_folder=ROOT / "seeds/statements") == []
    sentences = sum(len(document.sentences) for document in corpus)
    card = (ROOT / "seeds/corpus/README.md").read_text(encoding="utf-8")
    assert f"{len(corpus):,} statements with {sentences:,} sentences" in card
    assert len(gold) == 5
