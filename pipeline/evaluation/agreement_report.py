"""Everything about the agreement of some coders: scores, confusions, disputes, error rates."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.codebook import Codebook, TaskType
from pipeline.evaluation.agreement import (
    SILENT,
    Agreement,
    Reliability,
    agreement,
    masi,
    nominal,
)
from pipeline.labelling.codings import Coding
from pipeline.labelling.dawid_skene import dawid_skene

LEAST_FOR_ERRORS = 3
"""Error rates of fewer coders cannot be told from their answers (see `dawid_skene`)."""

Labels = frozenset[str]


@dataclass(frozen=True, slots=True)
class Question:
    """Agreement on a task (`label` is `None`) or on whether one label is given.

    `given` counts by coder how often the label (of a task: any) was given; `errors` is the
    estimated share of wrong answers by coder, empty where it cannot be known.
    """

    task: str
    label: str | None
    agreement: Agreement
    given: Mapping[str, int]
    errors: Mapping[str, float]

    @property
    def name(self) -> str:
        """Name as in tables: "task" or "task.label"."""
        return self.task if self.label is None else f"{self.task}.{self.label}"


@dataclass(frozen=True, slots=True)
class Confusion:
    """Answers of coder `first` (rows) against `second` (columns) to a task."""

    task: str
    first: str
    second: str
    answers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A sentence that coders answered differently, or that none of them could decide.

    `score` sums over tasks the mean distance of two coders (MASI for label sets), `words` says that
    they give the same labels to different holders or targets, or pair these otherwise.
    """

    doc_id: str
    unit: str
    text: str
    score: float
    words: bool
    codings: tuple[Coding, ...]


@dataclass(frozen=True, slots=True)
class WordsAgreement:
    """How many of the labels that two coders both gave have the same words in a role."""

    task: str
    role: str
    same: int
    both: int


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """What `report_agreement` finds. `shared` counts sentences with two codings or more."""

    coders: tuple[str, ...]
    documents: int
    sentences: int
    shared: int
    questions: tuple[Question, ...]
    confusions: tuple[Confusion, ...]
    words: tuple[WordsAgreement, ...]
    disputes: tuple[Dispute, ...]


def report_agreement(
    codings: Sequence[Coding], codebook: Codebook, *, replicates: int, seed: int
) -> AgreementReport:
    """Measure agreement on every task and label, with 95 % intervals by documents."""
    coders = tuple(dict.fromkeys(coding.coder for coding in codings))
    units: dict[tuple[str, str], dict[str, Coding]] = {}
    for coding in codings:
        units.setdefault((coding.doc_id, coding.unit), {})[coding.coder] = coding
    documents = [doc_id for doc_id, _ in units]
    questions: list[Question] = []
    confusions: list[Confusion] = []
    for name, task in codebook.tasks.items():
        sets: list[list[Labels | None]] = [
            [_labels(unit.get(coder), name) for coder in coders] for unit in units.values()
        ]
        whole = Reliability.of(coders, sets, documents)
        several = task.type is TaskType.MULTILABEL
        measured = agreement(whole, masi if several else nominal, replicates=replicates, seed=seed)
        given = {coder: sum(bool(row[k]) for row in sets) for k, coder in enumerate(coders)}
        errors = {} if several else _errors(whole)
        questions.append(Question(name, None, measured, given, errors))
        confusions += _confusions(name, whole, list(task.labels))
        for label in task.labels:
            yes_no = [[None if s is None else label in s for s in row] for row in sets]
            single = Reliability.of(coders, yes_no, documents)
            questions.append(
                Question(
                    name,
                    label,
                    agreement(single, nominal, replicates=replicates, seed=seed),
                    {c: sum(row[k] is True for row in yes_no) for k, c in enumerate(coders)},
                    _errors(single),
                )
            )
    return AgreementReport(
        coders=coders,
        documents=len(set(documents)),
        sentences=len(units),
        shared=sum(len(unit) > 1 for unit in units.values()),
        questions=tuple(questions),
        confusions=tuple(confusions),
        words=tuple(_words_agreement(list(units.values()), codebook)),
        disputes=tuple(disputes(list(units.values()), codebook)),
    )


def disputes(units: Sequence[Mapping[str, Coding]], codebook: Codebook) -> list[Dispute]:
    """Return the sentences on which coders differ, the most disputed first.

    They are those that `adjudicate` would leave open without a decision.
    """
    found: list[Dispute] = []
    for unit in units:
        codings = tuple(unit.values())
        score = sum(_distance(codings, name, codebook) for name in codebook.tasks)
        words = any(
            _pairs(one, label) != _pairs(other, label)
            for one, other in itertools.combinations(codings, 2)
            for task in codebook.tasks
            for label in _both(one, other, task)
            if codebook.tasks[task].attribution
        )
        if score or words or any(_undecided(codings, task) for task in codebook.tasks):
            one = codings[0]
            text = next((coding.text for coding in codings if coding.text), "")
            found.append(Dispute(one.doc_id, one.unit, text, score, words, codings))
    return sorted(found, key=lambda dispute: -dispute.score)


def _labels(coding: Coding | None, task: str) -> Labels | None:
    given = None if coding is None else coding.labels.get(task)
    return None if given is None else frozenset(given)


def _undecided(codings: Sequence[Coding], task: str) -> bool:
    """Tell whether coders tried to answer a task and none could."""
    return any(task in coding.abstained for coding in codings) and all(
        coding.labels.get(task) is None for coding in codings
    )


def _distance(codings: Sequence[Coding], task: str, codebook: Codebook) -> float:
    sets = [s for s in (_labels(coding, task) for coding in codings) if s is not None]
    pairs = list(itertools.combinations(sets, 2))
    if not pairs:
        return 0.0
    several = codebook.tasks[task].type is TaskType.MULTILABEL
    return sum(masi(a, b) if several else nominal(a, b) for a, b in pairs) / len(pairs)


def _errors(data: Reliability[Labels] | Reliability[bool]) -> dict[str, float]:
    seen = (data.codes != SILENT).any(axis=1)
    if len(data.coders) < LEAST_FOR_ERRORS or not seen.any():
        return {}
    codes = data.codes[seen]
    counts = np.zeros((*codes.shape, len(data.values)))
    rows, columns = np.nonzero(codes != SILENT)
    counts[rows, columns, codes[rows, columns]] = 1.0
    estimate = dawid_skene(counts)
    if not estimate.converged:
        return {}
    return dict(zip(data.coders, map(float, estimate.error()), strict=True))


def _confusions(task: str, data: Reliability[Labels], order: Sequence[str]) -> list[Confusion]:
    """Cross the answers of every pair; sets of labels are answers of their own."""
    shown = [" + ".join(sorted(v, key=order.index)) or "(none)" for v in data.values]
    rank = sorted(
        range(len(shown)),
        key=lambda j: (
            len(data.values[j]),
            [order.index(x) for x in sorted(data.values[j], key=order.index)],
        ),
    )
    found: list[Confusion] = []
    for (i, first), (j, second) in itertools.combinations(enumerate(data.coders), 2):
        crossed = data.crossed(i, j).sum(axis=0)[np.ix_(rank, rank)]
        found.append(
            Confusion(
                task,
                first,
                second,
                tuple(shown[r] for r in rank),
                tuple(tuple(int(n) for n in row) for row in crossed),
            )
        )
    return found


def _words_agreement(
    units: Sequence[Mapping[str, Coding]], codebook: Codebook
) -> list[WordsAgreement]:
    found: list[WordsAgreement] = []
    for task, facts in codebook.tasks.items():
        if not facts.attribution:
            continue
        for role in ("holder", "target"):
            same = both = 0
            for unit in units:
                for one, other in itertools.combinations(unit.values(), 2):
                    for label in _both(one, other, task):
                        both += 1
                        same += _words(one, label, role) == _words(other, label, role)
            found.append(WordsAgreement(task, role, same, both))
    return found


def _both(one: Coding, other: Coding, task: str) -> list[str]:
    theirs = other.labels.get(task) or ()
    return [label for label in one.labels.get(task) or () if label in theirs]


def _words(coding: Coding, label: str, role: str) -> list[str]:
    words = (
        given.holder if role == "holder" else given.target
        for given in coding.attributions
        if given.label == label
    )
    return sorted(word for word in words if word is not None)


def _pairs(coding: Coding, label: str) -> set[tuple[str | None, str | None]]:
    """Return who holds a label toward whom; that neither is named says nothing."""
    pairs = {(given.holder, given.target) for given in coding.attributions if given.label == label}
    return pairs - {(None, None)}
