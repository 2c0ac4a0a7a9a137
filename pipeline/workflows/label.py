"""Stage `label`: sentences get probable labels from the codebook's rules, with who said what."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import JsonValue as Json

from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import InputError, SettingsError
from pipeline.labelling import RuleSet
from pipeline.labelling.annotations import Annotation
from pipeline.labelling.label_model import WeakLabels, hard_labels, label_votes
from pipeline.labelling.typography import letters_and_digits
from pipeline.output import whole_file
from pipeline.records import LabelledSentence, RejectReason, Sentence, Statement
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.weak import LabelModel
from pipeline.workflows.annotate import read_annotations
from pipeline.workflows.documents import nothing_usable, read_and_segment, written_with
from pipeline.workflows.record_files import Rejects, rejects_path
from pipeline.workflows.scoring import read_documents, sentences_of
from pipeline.workflows.watcher import Watcher

WEAK_PART = "weak"
"""`part` of the documents that are written."""


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """What was labelled.

    `labels` counts sentences by column, `unknown` by task those that are in doubt, `silent` those
    on which every rule of the task abstains. `voted` names the columns that were left to the
    majority of the rules, having too few for `dawid-skene`; `without_rules` those that no rule
    speaks on and that leave their task unknown. `coders` counts the sentences that each of them
    answered, `contradicted` those whose known labels break a constraint of the codebook.
    """

    documents: int
    sentences: int
    known: int
    contradicted: int
    coders: Mapping[str, int]
    labels: Mapping[str, int]
    unknown: Mapping[str, int]
    silent: Mapping[str, int]
    converged: bool
    voted: Sequence[str]
    without_rules: Sequence[str]
    rejected: Mapping[RejectReason, int]
    rejects_file: Path


def label(
    patterns: Sequence[str],
    codebook: Codebook,
    *,
    model: LabelModel,
    confidence: float,
    known: Sequence[Path],
    annotations: Sequence[Path] = (),
    settings: IngestSettings,
    out: Path,
    watcher: Watcher,
) -> LabelSummary:
    """Label the sentences of statements by the rules and write them as a labelled file.

    Every sentence carries its labels (`null` where the model is in doubt), the probability of every
    label, and the votes of the rules that spoke. What cannot be read is listed beside `out`. The
    format knows unknown tasks, not unknown labels of a task; so a multilabel task in which a label
    has no rule is unknown wherever people did not label it.

    Args:
        known: files labelled by people; where a sentence has the same words, whatever their case
            and punctuation, their labels stand.
        annotations: answers of coders, who vote beside the rules; see `read_annotations`.

    Raises:
        InputError: nothing can be read.
        SettingsError: the codebook has no rules, or a rule could not be run.
        OutputError: `out` cannot be written.
    """
    rules = RuleSet(codebook)
    if not len(rules):
        raise SettingsError(
            ["no label has 'rules'; write some (docs/rules.md)"], where=f"codebook {codebook.name}"
        )
    people = sentences_of(read_documents(known, codebook, watcher))
    cuts, rejected, remarks = read_and_segment(
        patterns, settings, outputs=written_with(str(out)), watcher=watcher
    )
    reader = read_annotations(annotations, codebook)
    rejects = Rejects((*rejected, *reader.rejections))
    sentences = [sentence for _, found in cuts for sentence in found]
    if not sentences:
        raise InputError(nothing_usable(rejects, None))
    for line in (*remarks.left_out(), *remarks.lines()):
        watcher.note(line)
    watcher.note(f"{len(sentences):,} sentences, {len(rules)} rules")
    votes = rules.votes([sentence.text for sentence in sentences])
    given = {letters_and_digits(one.sentence.text): one.labels for one in people}
    given.pop("", None)
    told = [LabelledSentence(s, given.get(letters_and_digits(s.text), {})) for s in sentences]
    said = _answers(reader.annotations, sentences)
    weak = label_votes(
        votes,
        rules,
        model,
        known=encode_targets(told, codebook).astype(np.float64),
        answers=np.array(
            [encode_targets(coder, codebook) for coder in said.values()], dtype=np.float64
        ).reshape(len(said), len(sentences), codebook.width),
    )
    hard = hard_labels(weak.probabilities, codebook, confidence=confidence)
    with whole_file(out) as file:
        row = 0
        for statement, found in cuts:
            lines: list[Json] = [
                _sentence(sentence, hard[row + i], weak, votes[row + i], row + i, rules)
                | _coders(said, row + i)
                for i, sentence in enumerate(found)
            ]
            row += len(found)
            if lines:
                document = {**_document(statement), "part": WEAK_PART, "sentences": lines}
                file.write(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
                file.write(b"\n")
    rejects.write(rejects_path(out))
    spoke = {t: np.array([rule.task == t for rule in rules.rules]) for t in codebook.tasks}
    return LabelSummary(
        documents=sum(bool(found) for _, found in cuts),
        sentences=len(sentences),
        known=sum(bool(one.labels) for one in told),
        contradicted=weak.contradicted,
        coders={name: sum(bool(one.labels) for one in given) for name, given in said.items()},
        labels=Counter(
            f"{task}.{name}" for one in hard for task, names in one.items() for name in names or ()
        ),
        unknown={t: sum(one[t] is None for one in hard) for t in codebook.tasks},
        silent={t: int((~votes[:, mask].any(axis=1)).sum()) for t, mask in spoke.items()},
        converged=weak.converged,
        voted=weak.voted,
        without_rules=_without_rules(rules),
        rejected=dict(rejects.counts),
        rejects_file=rejects_path(out),
    )


def _answers(
    annotations: Sequence[Annotation], sentences: Sequence[Sentence]
) -> dict[str, list[LabelledSentence]]:
    """Return what each coder says of the sentences; what he did not see is unknown."""
    said: dict[str, dict[str, Mapping[str, tuple[str, ...]]]] = {}
    for one in annotations:
        said.setdefault(one.coder, {})[letters_and_digits(one.item.text)] = one.labels
    keys = [letters_and_digits(sentence.text) for sentence in sentences]
    return {
        coder: [
            LabelledSentence(sentence, given.get(key, {}) if key else {})
            for sentence, key in zip(sentences, keys, strict=True)
        ]
        for coder, given in said.items()
    }


def _coders(said: Mapping[str, Sequence[LabelledSentence]], row: int) -> dict[str, Json]:
    """Return by coder and task what was said of a sentence, nothing where nobody answered."""
    found: dict[str, Json] = {
        coder: {
            task: list(labels) for task, labels in given[row].labels.items() if labels is not None
        }
        for coder, given in said.items()
        if given[row].labels
    }
    return {"coders": found} if found else {}


def _without_rules(rules: RuleSet) -> tuple[str, ...]:
    """Return the columns that no rule speaks on and that leave their task unknown.

    Labels of a multiclass task exclude each other, so rules for one speak on all others too.
    """
    spoken = set(rules.columns.tolist())
    tasks = {rule.task for rule in rules.rules}
    codebook = rules.codebook
    return tuple(
        codebook.column_names[j]
        for j, (task, _) in enumerate(codebook.columns)
        if j not in spoken
        and (codebook.tasks[task].type is TaskType.MULTILABEL or task not in tasks)
    )


def _document(statement: Statement) -> dict[str, Json]:
    facts: dict[str, str | None] = {
        "doc_id": statement.doc_id,
        "speaker": statement.speaker,
        "date": statement.date,
        "genre": statement.genre,
        "title": statement.title,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _sentence(
    sentence: Sentence,
    labels: Mapping[str, tuple[str, ...] | None],
    weak: WeakLabels,
    votes: np.ndarray[tuple[int], np.dtype[np.int8]],
    row: int,
    rules: RuleSet,
) -> dict[str, Json]:
    codebook = rules.codebook
    answers: dict[str, Json] = {}
    chances: dict[str, Json] = {}
    for name, task in codebook.tasks.items():
        given = labels[name]
        if given is None:
            answers[name] = None
        else:
            answers[name] = given[0] if task.type is TaskType.MULTICLASS else list(given)
        values = weak.probabilities[row, codebook.slice_of(name)]
        chances[name] = {
            n: None if np.isnan(p) else round(float(p), 4)
            for n, p in zip(task.labels, values, strict=True)
        }
    spoken: dict[str, Json] = {
        rules.rules[j].name: int(votes[j]) for j in np.flatnonzero(votes).tolist()
    }
    return {
        "sentence_id": sentence.sentence_id,
        "text": sentence.text,
        "context": sentence.context,
        **answers,
        "probabilities": chances,
        "votes": spoken,
    }
