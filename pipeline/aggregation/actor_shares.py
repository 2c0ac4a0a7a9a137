"""How often an actor holds a label, by month or year, and the share among all it holds."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.aggregation.expressed import Expressed, Party
from pipeline.evaluation.estimate_table import FEW_DOCUMENTS, FEW_MET, NO_GROUP, OVERALL
from pipeline.evaluation.share_estimates import Survey, sample_only
from pipeline.evaluation.share_intervals import LEAST_DOCUMENTS, LEAST_EVIDENCE, interval
from pipeline.settings.aggregation import Period


@dataclass(frozen=True, slots=True)
class ActorShare:
    """One holder, period and label; counts are of predictions, not corrected for their errors.

    `period` is a month, a year, `NO_GROUP` without a usable date, or `OVERALL`. `sentences` and
    `statements` are those in which the holder has the label, `attributed_sentences` and
    `attributed_statements` those in which it has any label of the task. `share` is `sentences` of
    `attributed_sentences`, with its 95 % interval clustered by statement, `None` where there is
    none; `cautions` say why, or why it is rough.
    """

    holder: Party
    period: str
    task: str
    label: str
    sentences: int
    statements: int
    attributed_sentences: int
    attributed_statements: int
    share: float
    low: float | None
    high: float | None
    cautions: tuple[str, ...]


@dataclass(slots=True)
class _Held:
    """Sentences in which a holder has a label of a task: where they stand, and which labels."""

    places: dict[tuple[str, str], int] = field(default_factory=dict)
    documents: list[str] = field(default_factory=list)
    periods: list[str] = field(default_factory=list)
    labels: list[set[str]] = field(default_factory=list)

    def add(self, row: Expressed, period: str) -> None:
        place = (row.doc_id, row.sentence_id)
        if place not in self.places:
            self.places[place] = len(self.places)
            self.documents.append(row.doc_id)
            self.periods.append(period)
            self.labels.append(set())
        self.labels[self.places[place]].add(row.label)


def actor_shares(rows: Iterable[Expressed], by: Period) -> list[ActorShare]:
    """Return the shares of every holder, overall and by period, of every label of its tasks.

    Labels of a task that occur anywhere in `rows` are listed for each of its holders and periods,
    with zeros where the holder does not have them. Periods without any are not listed.
    """
    held: dict[tuple[Party, str], _Held] = defaultdict(_Held)
    labels: dict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        period = (row.month if by is Period.MONTH else row.year) or NO_GROUP
        labels[row.task][row.label] = None
        for holder in row.holders:
            held[holder, row.task].add(row, period)
    return [
        share
        for (holder, task), sentences in held.items()
        for share in _shares_of(holder, task, list(labels[task]), sentences)
    ]


def _shares_of(holder: Party, task: str, labels: list[str], held: _Held) -> Iterator[ActorShare]:
    documents = np.unique(np.asarray(held.documents, dtype=np.str_), return_inverse=True)[1]
    periods = np.asarray(held.periods, dtype=np.str_)
    given = np.array([[name in has for name in labels] for has in held.labels], dtype=np.float64)
    for period in (OVERALL, *sorted(set(held.periods))):
        inside = np.ones(len(periods), np.bool_) if period == OVERALL else periods == period
        here = np.unique(documents[inside], return_inverse=True)[1]
        for j, label in enumerate(labels):
            yield _share(holder, period, task, label, here, given[inside, j])


def _share(
    holder: Party,
    period: str,
    task: str,
    label: str,
    documents: npt.NDArray[np.intp],
    given: npt.NDArray[np.float64],
) -> ActorShare:
    """One share; statements count as draws from texts of their kind (see `share_estimates`).

    All attributed sentences are taken as sampled, so that the rules of `share_intervals` about few
    documents, and about labels that few of them have, hold here as they do for samples.
    """
    everyone = np.ones(len(given))
    survey = Survey(documents, given, given, everyone, given)
    estimate = sample_only(survey, everyone == 1.0)
    low, high = interval(estimate) or (None, None)
    return ActorShare(
        holder=holder,
        period=period,
        task=task,
        label=label,
        sentences=int(given.sum()),
        statements=survey.count_documents(given == 1.0),
        attributed_sentences=len(given),
        attributed_statements=estimate.clusters,
        share=estimate.value,
        low=low,
        high=high,
        cautions=tuple(_cautions(estimate.clusters, estimate.evidence, low is not None)),
    )


def _cautions(statements: int, evidence: float, has_interval: bool) -> Iterator[str]:
    if statements < LEAST_DOCUMENTS:
        yield f"no interval: under {LEAST_DOCUMENTS} statements"
    elif evidence < LEAST_EVIDENCE:
        yield f"no interval: label met (or lacking) in under {LEAST_EVIDENCE} statements"
    elif not has_interval:
        yield "no interval: no statement differs from the others"
    elif statements < FEW_DOCUMENTS:
        yield f"rough: under {FEW_DOCUMENTS} statements"
    elif evidence < FEW_MET and not math.isinf(evidence):
        yield f"rough: label met (or lacking) in under {FEW_MET} statements"
