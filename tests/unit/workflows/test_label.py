"""Statements to a labelled file by rules, and what of it is learned from."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.classifiers.targets import encode_targets, training_targets
from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError
from pipeline.labelling import RuleSet, read_labelled
from pipeline.labelling.annotations import Annotation, CodebookStamp, Item, to_line
from pipeline.labelling.label_model import WeakLabels, hard_labels
from pipeline.records import Sentence
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.weak import LabelModel, Labels, WeakTargets
from pipeline.workflows.label import LabelSummary, _sentence, label
from pipeline.workflows.rules_report import measure_rules
from pipeline.workflows.train import learned_from, split_corpus
from pipeline.workflows.watcher import Silent


def run(
    folder: Path,
    codebook: Codebook,
    *,
    model: LabelModel = LabelModel.WEIGHTS,
    known: Sequence[Path] = (),
    annotations: Sequence[Path] = (),
) -> LabelSummary:
    return label(
        [str(folder / "docs")],
        codebook,
        model=model,
        confidence=0.65,
        known=known,
        annotations=annotations,
        settings=IngestSettings(),
        out=folder / "weak.jsonl",
        watcher=Silent(),
    )


def sentences(folder: Path) -> dict[str, dict[str, object]]:
    lines = (folder / "weak.jsonl").read_text(encoding="utf-8").splitlines()
    return {s["text"]: s for line in lines for s in json.loads(line)["sentences"]}


@pytest.mark.parametrize("model", LabelModel)
def test_labels_come_with_probabilities_and_the_votes_behind_them(
    project: Path, tiny: Codebook, model: LabelModel
) -> None:
    summary = run(project, tiny, model=model)
    rude = sentences(project)["A rude waiter brought it."]
    assert rude["votes"] == {"topic.service.names_staff": 1, "tone.blame.harsh_words": 1}
    chances = rude["probabilities"]
    assert isinstance(chances, dict)
    assert chances["topic"]["service"] > chances["topic"]["food"]
    assert max(chances["tone"], key=chances["tone"].get) == "blame"
    assert summary.sentences == len(sentences(project))
    assert summary.rejected  # the empty file
    assert summary.rejects_file.exists()


def test_the_file_is_a_labelled_file_in_which_doubt_is_unknown(
    project: Path, tiny: Codebook
) -> None:
    run(project, tiny)
    documents, rejected = read_labelled(project / "weak.jsonl", tiny)
    assert not rejected
    assert {document.part for document in documents} == {"weak"}
    labels = {s.sentence.text: s.labels for d in documents for s in d.sentences}
    assert labels["A rude waiter brought it."] == {"topic": None, "tone": ("blame",)}
    assert labels["We sat by the window."] == {"topic": (), "tone": None}


@given(data=st.data(), confidence=st.floats(0.5, 1.0))
def test_what_is_learned_is_what_the_label_model_said(
    data: st.DataObject,
    confidence: float,
    tiny: Codebook,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Written and read again: probabilities to four digits, NaN where the labels are unknown."""
    share = st.floats(0.0, 1.0) | st.sampled_from([0.0, 5e-5, 0.49996, 0.5, 0.50004, 1.0])
    parts = data.draw(st.lists(share, min_size=tiny.width, max_size=tiny.width))
    said = np.array([parts])
    for task in tiny.multiclass_tasks():
        part = tiny.slice_of(task)
        said[:, part] = (said[:, part] + 1e-9) / (said[:, part] + 1e-9).sum()
    for column in data.draw(st.sets(st.sampled_from(range(tiny.slice_of("topic").stop)))):
        said[0, column] = np.nan
    rules = RuleSet(tiny)
    weak = WeakLabels(said, np.full((len(rules), 2), np.nan), True)
    [hard] = hard_labels(said, tiny, confidence=confidence)
    votes = np.zeros(len(rules), dtype=np.int8)
    row = _sentence(Sentence("d#0", "d", "Soup."), hard, weak, votes, 0, rules)
    always = {"text": "Bread.", "topic": []}  # a file without a label is refused
    path = tmp_path_factory.mktemp("round-trip") / "weak.jsonl"
    path.write_text(json.dumps({"doc_id": "d", "sentences": [row, always]}), encoding="utf-8")
    [document], rejected = read_labelled(path, tiny, probabilities=True)
    assert not rejected
    read = document.sentences[:1]
    known = np.isfinite(encode_targets(read, tiny))
    # Rounded as it is written: numpy rounds 0.00005 down, Python up.
    digits = [round(p, 4) for p in said[0].tolist()]
    wanted = np.where(known, [digits], np.nan).astype(np.float32)
    np.testing.assert_array_equal(training_targets(read, tiny), wanted)


def test_labels_of_people_stand(project: Path, tiny: Codebook) -> None:
    known = project / "people.jsonl"
    said = {"text": "We  SAT by the “window”!", "topic": ["service"], "tone": "praise"}
    known.write_text(json.dumps({"doc_id": "p", "sentences": [said]}) + "\n", encoding="utf-8")
    summary = run(project, tiny, model=LabelModel.DAWID_SKENE, known=[known])
    found = sentences(project)["We sat by the window."]
    assert (found["topic"], found["tone"]) == (["service"], "praise")
    assert summary.known == 1


def test_coders_vote_beside_the_rules_and_are_named(project: Path, tiny: Codebook) -> None:
    stamp = CodebookStamp.of(tiny)
    item = Item("other", "other#7", "We sat by the WINDOW!")
    said = [
        Annotation(item, "ann", stamp, labels={"topic": ("service",), "tone": ("praise",)}),
        Annotation(item, "bob", stamp, labels={"topic": ("service",)}, abstained=("tone",)),
        Annotation(Item("o", "o#1", "Nobody said this."), "cleo", stamp, labels={"topic": ()}),
    ]
    path = project / "annotations.jsonl"
    path.write_bytes(b"".join(map(to_line, said)) + b"not JSON\n")
    summary = run(project, tiny, model=LabelModel.MAJORITY, annotations=[path])
    assert summary.coders == {"ann": 1, "bob": 1, "cleo": 0}
    assert sum(summary.rejected.values()) == 2  # the empty file and the line that is none
    found = sentences(project)
    window = found["We sat by the window."]
    assert window["coders"] == {
        "ann": {"topic": ["service"], "tone": ["praise"]},
        "bob": {"topic": ["service"]},
    }
    assert window["votes"] == {}
    chances = window["probabilities"]
    assert isinstance(chances, dict)
    assert chances["topic"]["service"] > 2 / 3
    assert chances["tone"]["praise"] > 0.5
    assert "coders" not in found["A rude waiter brought it."]
    assert read_labelled(project / "weak.jsonl", tiny)[1] == []


def test_a_label_without_a_rule_is_unknown_and_never_denied(project: Path, tiny: Codebook) -> None:
    data = tiny.model_dump(mode="json")
    data["tasks"]["topic"]["labels"]["service"]["rules"] = []
    known = project / "people.jsonl"
    said = {"text": "We sat by the window.", "topic": [], "tone": "neither"}
    known.write_text(json.dumps({"doc_id": "p", "sentences": [said]}) + "\n", encoding="utf-8")
    codebook = Codebook.model_validate(data)
    summary = run(project, codebook, known=[known])
    assert summary.without_rules == ("topic.service",)
    assert summary.unknown["topic"] == summary.sentences - 1
    found = sentences(project)
    assert found["We sat by the window."]["topic"] == []
    rude = found["A rude waiter brought it."]
    assert rude["topic"] is None
    chances = rude["probabilities"]
    assert isinstance(chances, dict)
    assert chances["topic"]["service"] is None
    assert chances["topic"]["food"] is not None
    documents, rejected = read_labelled(project / "weak.jsonl", codebook)
    assert documents
    assert not rejected


def test_labels_with_few_rules_are_said_to_be_left_to_the_majority(
    project: Path, tiny: Codebook
) -> None:
    summary = run(project, tiny, model=LabelModel.DAWID_SKENE)
    assert {"topic.food", "topic.service"} <= set(summary.voted)
    assert summary.without_rules == ()
    assert not run(project, tiny, model=LabelModel.WEIGHTS).voted


def test_a_codebook_without_rules_labels_nothing(project: Path, tiny: Codebook) -> None:
    data = tiny.model_dump(mode="json")
    for task in data["tasks"].values():
        for one in task["labels"].values():
            one["rules"] = []
    with pytest.raises(SettingsError, match="no label has 'rules'"):
        run(project, Codebook.model_validate(data))
    assert not (project / "weak.jsonl").exists()


def test_without_a_sentence_nothing_is_written(project: Path, tiny: Codebook) -> None:
    for file in (project / "docs").iterdir():
        file.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="Nothing usable"):
        run(project, tiny)
    assert not (project / "weak.jsonl").exists()


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> PipelineSettings:
    monkeypatch.chdir(project)
    return load_settings(project / "settings.yaml")


@pytest.mark.parametrize("labels", Labels)
def test_what_is_learned_from(
    project: Path, tiny: Codebook, settings: PipelineSettings, labels: Labels
) -> None:
    _, split = split_corpus(settings, tiny, Silent())
    held = split.test[0].sentences[0].sentence.text
    (project / "docs" / "a.txt").write_text(f"{held} A rude waiter brought it.", encoding="utf-8")
    run(project, tiny)
    data = settings.data.model_copy(update={"labels": labels, "weak": (project / "weak.jsonl",)})
    told = settings.model_copy(update={"data": data})
    texts = [one.sentence.text for one in learned_from(split, told, tiny, Silent())]
    gold = [s.sentence.text for d in split.train for s in d.sentences]
    weak = ["A rude waiter brought it."]
    assert held not in texts
    if labels is Labels.CORPUS:
        assert texts == gold
    elif labels is Labels.BOTH:
        assert texts[: len(gold)] == gold
        assert set(weak) < set(texts[len(gold) :])
    else:
        assert set(weak) < set(texts)
        assert not set(gold) & set(texts)


@pytest.mark.parametrize("wanted", WeakTargets)
def test_weak_labels_are_learned_as_labels_or_as_sure_as_they_are(
    project: Path, tiny: Codebook, settings: PipelineSettings, wanted: WeakTargets
) -> None:
    (project / "docs" / "a.txt").write_text("A rude waiter brought it.", encoding="utf-8")
    run(project, tiny)
    weak = project / "weak.jsonl"
    chances = sentences(project)["A rude waiter brought it."]["probabilities"]
    assert isinstance(chances, dict)
    update = {"labels": Labels.BOTH, "weak": (weak,), "weak_targets": wanted}
    told = settings.model_copy(update={"data": settings.data.model_copy(update=update)})
    _, split = split_corpus(settings, tiny, Silent())
    learned = learned_from(split, told, tiny, Silent())
    (rude,) = [one for one in learned if one.sentence.text == "A rude waiter brought it."]
    assert rude.labels == {"topic": None, "tone": ("blame",)}
    targets = training_targets([rude], tiny)[0]
    assert np.isnan(targets[tiny.slice_of("topic")]).all()
    tone = targets[tiny.slice_of("tone")]
    if wanted is WeakTargets.LABELS:
        assert tone.tolist() == [0.0, 1.0, 0.0]
    else:
        assert 0.5 < chances["tone"]["blame"] < 1
        np.testing.assert_allclose(tone, list(chances["tone"].values()), rtol=1e-6)


def test_weak_labels_without_a_file_are_a_mistake_of_the_settings(project: Path) -> None:
    path = project / "settings.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  gold: gold", "  labels: weak\n  gold: gold"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"data\.weak names no file; make one"):
        load_settings(path)


def test_the_report_on_rules_counts_gold_and_unlabelled_sentences(
    project: Path, tiny: Codebook
) -> None:
    page, table = project / "rules.html", project / "rules.csv"
    gold = project / "gold.jsonl"
    row = json.loads(gold.read_text(encoding="utf-8").splitlines()[0])
    row["sentences"][0] |= {"text": "<b>Lamb</b> was tender.", "topic": ["food"]}
    with gold.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**row, "file": "more.txt"}) + "\n")
    summary = measure_rules(
        [str(project / "docs")],
        [gold],
        tiny,
        replicates=50,
        seed=1,
        page=page,
        table=table,
        watcher=Silent(),
    )
    assert summary.report.known < summary.report.sentences
    assert [one.reason for one in summary.rejected] == ["empty"]
    html = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;Lamb&lt;/b&gt; was tender." in html  # missed, and escaped
    assert "https://" not in html
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = {row["rule"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(summary.report.rules)
    assert 0 < float(rows["topic.food.names_a_dish"]["precision"]) <= 1


def test_a_report_needs_something_to_report_on(tiny: Codebook) -> None:
    with pytest.raises(InputError, match="Give statements, or labelled files"):
        measure_rules([], [], tiny, replicates=0, seed=1, page=None, table=None, watcher=Silent())
