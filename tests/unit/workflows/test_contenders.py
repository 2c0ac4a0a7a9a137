"""What a model has learned from, weak labels included, is known and left out of comparisons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.codebook import Codebook
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.tracking import Store, open_store
from pipeline.workflows.comparison_data import comparison_data
from pipeline.workflows.contenders import Learned, find_contender, learned_by
from pipeline.workflows.train import split_corpus, train_model
from pipeline.workflows.watcher import Silent

WEAK = "A rude waiter brought it."


def rows(*texts: str) -> str:
    said = [{"text": text, "topic": [], "tone": "neither"} for text in texts]
    return "".join(
        json.dumps({"doc_id": f"w{i}", "sentences": [one]}) + "\n" for i, one in enumerate(said)
    )


@pytest.fixture
def settings(project: Path, tiny: Codebook, monkeypatch: pytest.MonkeyPatch) -> PipelineSettings:
    """Weak labels of a sentence of the gold labels, of one that is held out, and of a new one."""
    monkeypatch.chdir(project)
    path = project / "settings.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("  gold: gold", "  labels: both\n  weak: [weak.jsonl]\n  gold: gold"),
        encoding="utf-8",
    )
    found = load_settings(path)
    _, split = split_corpus(found, tiny, Silent())
    held = split.test[0].sentences[0].sentence.text
    gold = json.loads((project / "gold.jsonl").read_text(encoding="utf-8").splitlines()[0])
    texts = (WEAK, held.upper(), gold["sentences"][0]["text"].replace(".", " !"))
    (project / "weak.jsonl").write_text(rows(*texts), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("store")
    return open_store(f"sqlite:///{root / 'mlflow.db'}")


def test_weakly_labelled_sentences_count_as_learned(
    project: Path, tiny: Codebook, settings: PipelineSettings, store: Store
) -> None:
    trained = train_model("majority", settings, tiny, store, config="", watcher=Silent())
    contender = find_contender(store, trained.run_id, settings.tracking)

    def found() -> Learned | str:
        return learned_by(contender, tiny, store, Silent())

    learned = found()
    assert isinstance(learned, Learned)
    assert learned.changed == ""
    _, split = split_corpus(settings, tiny, Silent())
    documents = (*split.train, *split.calibration)
    texts = [one.sentence.text for one in learned.seen]
    assert texts == [*(s.sentence.text for d in documents for s in d.sentences), WEAK]
    on = project / "on.jsonl"
    on.write_text(rows("Nobody has seen this.", "a RUDE waiter -- brought it", "Nor this."))
    chosen = comparison_data({"one": learned}, on, settings.data, tiny, Silent())
    assert (chosen.read, chosen.seen, chosen.cautions) == (3, 1, ())

    with (project / "weak.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    learned = found()
    assert isinstance(learned, Learned)
    assert learned.changed == "weak.jsonl was changed"
    (project / "weak.jsonl").unlink()
    gone = found()
    assert isinstance(gone, str)
    assert "weak.jsonl" in gone
