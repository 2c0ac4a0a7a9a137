from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.records import LabelledDocument, LabelledSentence, Sentence
from pipeline.settings.experiment import DataSettings
from pipeline.workflows.comparison_data import comparison_data
from pipeline.workflows.contenders import Contender, Learned, require_different

if TYPE_CHECKING:
    from conftest import Recorder


def document(name: str, *texts: str, tone: str = "neither") -> LabelledDocument:
    sentences = (
        LabelledSentence(Sentence(f"{name}#{i}", name, text), {"topic": (), "tone": (tone,)})
        for i, text in enumerate(texts)
    )
    return LabelledDocument(name, tuple(sentences))


def learned(
    seen: Iterable[LabelledDocument], held_out: Iterable[LabelledDocument], changed: str = ""
) -> Learned:
    sentences = tuple(one for document in seen for one in document.sentences)
    return Learned(sentences, tuple(held_out), changed)


@pytest.fixture
def data(tmp_path: Path) -> DataSettings:
    gold = [
        {"doc_id": f"gold-{n}", "sentences": [{"text": f"Gold {n}.", "topic": [], "tone": "blame"}]}
        for n in range(3)
    ]
    (tmp_path / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in gold))
    return DataSettings(
        corpus=(tmp_path / "corpus.jsonl",), gold=tmp_path / "gold.jsonl", gold_statements=tmp_path
    )


A, B, C = (document(n, f"{n} one.", f"{n} two.") for n in "abc")


def test_shared_held_out_documents_without_what_either_learned(
    data: DataSettings, tiny: Codebook, watcher: Recorder
) -> None:
    models = {
        "one": learned([document("t", "B  ONE!")], [A, B]),
        "two": learned([document("u", "Something else.")], [B, C, A]),
    }
    found = comparison_data(models, None, data, tiny, watcher)
    assert found.data.name == "held-out"
    assert [one.sentence.text for one in found.data.sentences] == ["a one.", "a two.", "b two."]
    assert (found.read, found.seen, found.cautions) == (4, 1, ())


def test_a_document_labelled_otherwise_is_not_shared(
    data: DataSettings, tiny: Codebook, watcher: Recorder
) -> None:
    other = document("c", "c one.", "c two.", tone="blame")
    models = {"one": learned([], [A, B, C]), "two": learned([], [A, B, other])}
    found = comparison_data(models, None, data, tiny, watcher)
    assert [one.doc_id for one in found.data.documents] == ["a", "b"]


def test_gold_where_nothing_is_shared_or_a_model_is_unknown(
    data: DataSettings, tiny: Codebook, watcher: Recorder
) -> None:
    apart = {"one": learned([], [A]), "two": learned([document("t", "gold 1")], [B])}
    found = comparison_data(apart, None, data, tiny, watcher)
    assert found.data.name == "gold"
    assert "no document in common" in found.origin
    assert (found.read, found.seen) == (3, 1)
    unknown = {"one": learned([], [A, B]), "two": "it names no run"}
    found = comparison_data(unknown, None, data, tiny, watcher)
    assert found.data.name == "gold"
    (caution,) = found.cautions
    assert "What two learned from is not known (it names no run)" in caution


def test_a_file_is_taken_as_it_is_but_for_what_was_learned(
    data: DataSettings, tiny: Codebook, watcher: Recorder
) -> None:
    models = {"one": learned([], [A, B]), "two": learned([], [A, B], "2 train documents are gone")}
    found = comparison_data(models, data.gold, data, tiny, watcher)
    assert (found.data.name, found.read, found.seen) == ("gold", 3, 0)
    assert found.origin == str(data.gold)
    (caution,) = found.cautions
    assert "2 train documents are gone" in caution
    seen = {"one": learned([document("t", "Gold 0", "Gold 2")], [])}
    with pytest.raises(InputError, match=r"2 of 3 sentences(.|\n)*1 document\(s\) remain"):
        comparison_data(seen, data.gold, data, tiny, watcher)


def test_one_model_under_two_names_is_not_compared() -> None:
    def contender(label: str, reference: str) -> Contender:
        return Contender(label, reference, None, lambda into: into)

    require_different([contender("a 1", "a"), contender("b 2", "b")])
    with pytest.raises(InputError, match="'a' and '1f' are the same model, a 1"):
        require_different([contender("a 1", "a"), contender("a 1", "1f")])
