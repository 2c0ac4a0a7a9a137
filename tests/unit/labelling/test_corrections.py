"""Corrections change what they name, once, and nothing where one does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import CheckFailed, InputError
from pipeline.labelling.corrections import Correction, correct, read_corrections

ROOT = Path(__file__).parents[3]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.jsonl"
    sentences = [{"text": "Sóup.", "tone": "blame"}, {"text": "Bread.", "tone": "neither"}]
    odd = '{"doc_id":"b",  "sentences":[{"text":"S\\u00f3up.","tone":"praise"}]}'
    whole = json.dumps({"doc_id": "a", "sentences": sentences}, ensure_ascii=False)
    path.write_text(f"{whole}\n{odd}\n", encoding="utf-8")
    return path


def change(**other: object) -> Correction:
    given = {"doc_id": "a", "sentence": 0, "task": "tone", "old": "blame", "new": "praise"}
    return Correction(**{**given, "reason": "It praises.", **other})  # type: ignore[arg-type]


def test_a_value_is_changed_and_everything_else_stays(labelled: Path) -> None:
    before = labelled.read_bytes().splitlines()
    done = correct([labelled], [change()])
    assert (done.applied, done.already) == (1, 0)
    assert done.lines[0][1] == before[1]
    assert done.lines[0][0] == before[0].replace(b"blame", b"praise")
    assert labelled.read_bytes().splitlines() == before


def test_what_is_right_already_is_counted(labelled: Path) -> None:
    done = correct([labelled], [change(old="x", new="blame"), change(sentence=1, new="neither")])
    assert (done.applied, done.already) == (0, 2)
    assert list(done.lines[0]) == labelled.read_bytes().splitlines()


def test_all_that_does_not_fit_is_named(labelled: Path) -> None:
    wrong = [change(old="neither"), change(doc_id="c"), change(sentence=7), change()]
    with pytest.raises(
        CheckFailed, match=r"3 correction\(s\) do not fit; nothing was changed"
    ) as error:
        correct([labelled], wrong)
    assert "'a' sentence 0: 'tone' is \"blame\", expected \"neither\"" in str(error.value)
    assert "'c' sentence 0: the document stands in the files 0 times" in str(error.value)
    assert "'a' sentence 7: there is no such sentence" in str(error.value)
    with pytest.raises(CheckFailed, match="2 times"):
        correct([labelled, labelled], [change()])


def test_lines_that_are_no_corrections_are_named(tmp_path: Path) -> None:
    path = tmp_path / "patch.jsonl"
    path.write_text('{"doc_id": "a"}\nnot JSON\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)line 1: sentence.*line 2: "):
        read_corrections(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="empty"):
        read_corrections(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_corrections(tmp_path / "none.jsonl")


def test_half_a_character_is_an_error_and_changes_nothing(labelled: Path, tmp_path: Path) -> None:
    text = labelled.read_text(encoding="utf-8")
    labelled.write_text("\n" + text.replace("Bread.", "Good \\ud800 bread."), encoding="utf-8")
    before = labelled.read_bytes()
    with pytest.raises(InputError, match=r"line 2 holds \\ud800, half a surrogate.*Good .*take"):
        correct([labelled], [change()])
    assert labelled.read_bytes() == before
    # A line that is not corrected stays byte for byte, whatever is in it.
    assert correct([labelled], [change(doc_id="b", old="praise", new="blame")]).applied == 1
    patch = tmp_path / "patch.jsonl"
    row = '{"doc_id": "a", "sentence": 0, "task": "tone", "old": "blame", "new": "praise", '
    patch.write_text(row + '"reason": "\\ud800"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1: the line: Invalid JSON"):
        read_corrections(patch)


def test_the_corpus_holds_its_corrections() -> None:
    corpus = ROOT / "seeds" / "corpus"
    files = [corpus / "register.jsonl", corpus / "error-led.jsonl"]
    corrections = read_corrections(corpus / "corrections.jsonl")
    done = correct(files, corrections)
    assert (done.applied, done.already) == (0, len(corrections))
