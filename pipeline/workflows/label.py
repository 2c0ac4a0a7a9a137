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
from pipeline.ingest import Reading, find_inputs
from pipeline.labelling import RuleSet
from pipeline.labelling.label_model import WeakLabels, hard_labels, label_votes
from pipeline.output import whole_file
from pipeline.records import LabelledSentence, Rejection, RejectReason, Sentence, Statement
from pipeline.segmentation import segment
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.weak import LabelModel
from pipeline.workflows.documents import nothing_usable, written_with
from pipeline.workflows.record_files import Rejects, rejects_path
from pipeline.workflows.scoring import read_documents
from pipeline.workflows.watcher import Watcher

WEAK_PART = "weak"
"""`part` of the documents that are written."""

Cut = list[tuple[Statement, list[Sentence]]]


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """What was labelled.

    `labels` counts sentences by column, `unknown` by task those that are in doubt, `silent` those
    on which every rule of the task abstains.
    """

    documents: int
    sentences: int
    known: int
    labels: Mapping[str, int]
    unknown: Mapping[str, int]
    silent: Mapping[str, int]
    converged: bool
    rejected: Mapping[RejectReason, int]
    rejects_file: Path


def label(
    patterns: Sequence[str],
    codebook: Codebook,
    *,
    model: LabelModel,
    confidence: float,
    known: Sequence[Path],
    settings: IngestSettings,
    out: Path,
    watcher: Watcher,
) -> LabelSummary:
    """Label the sentences of statements by the rules and write them as a labelled file.

    Every sentence carries its labels (`null` where the model is in doubt), the probability of every
    label, and the votes of the rules that spoke. What cannot be read is listed beside `out`.

    Args:
        known: files labelled by people; where a sentence has the same words, their labels stand.

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
    people = [s for d in read_documents(known, codebook, watcher) for s in d.sentences]
    cuts, rejected = cut(patterns, settings, outputs=written_with(str(out)), watcher=watcher)
    rejects = Rejects()
    for rejection in rejected:
        rejects.add(rejection)
    sentences = [sentence for _, found in cuts for sentence in found]
    if not sentences:
        raise InputError(nothing_usable(rejects, None))
    watcher.note(f"{len(sentences):,} sentences, {len(rules)} rules")
    votes = rules.votes([sentence.text for sentence in sentences])
    given = {_key(one.sentence.text): one.labels for one in people}
    told = [LabelledSentence(s, given.get(_key(s.text), {})) for s in sentences]
    weak = label_votes(votes, rules, model, known=encode_targets(told, codebook).astype(np.float64))
    hard = hard_labels(weak.probabilities, codebook, confidence=confidence)
    with whole_file(out) as file:
        row = 0
        for statement, found in cuts:
            lines: list[Json] = [
                _sentence(sentence, hard[row + i], weak, votes[row + i], row + i, rules)
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
        labels=Counter(
            f"{task}.{name}" for one in hard for task, names in one.items() for name in names or ()
        ),
        unknown={t: sum(one[t] is None for one in hard) for t in codebook.tasks},
        silent={t: int((~votes[:, mask].any(axis=1)).sum()) for t, mask in spoke.items()},
        converged=weak.converged,
        rejected=dict(rejects.counts),
        rejects_file=rejects_path(out),
    )


def cut(
    patterns: Sequence[str], settings: IngestSettings, *, outputs: Sequence[Path], watcher: Watcher
) -> tuple[Cut, list[Rejection]]:
    """Read statements and cut them into sentences; `outputs` are never read.

    Raises:
        InputError: a pattern names nothing, or an output.
    """
    cuts: Cut = []
    rejected: list[Rejection] = []
    for item in Reading(find_inputs(patterns, outputs=outputs), settings):
        if isinstance(item, Rejection):
            rejected.append(item)
        else:
            cuts.append((item, list(segment(item))))
            watcher.progress("statements read", len(cuts), None)
    return cuts, rejected


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


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
        chances[name] = {n: round(float(p), 4) for n, p in zip(task.labels, values, strict=True)}
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
