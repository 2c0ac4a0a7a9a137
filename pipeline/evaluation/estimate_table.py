"""Shares of all labels by group and method, with what speaks against reading them too closely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook
from pipeline.evaluation.share_estimates import (
    Array,
    Estimate,
    Mask,
    Survey,
    adjusted_count,
    classify_and_count,
    cross_fitted,
    design_based,
    evidence,
    prediction_powered,
    sample_only,
)
from pipeline.evaluation.share_intervals import (
    LEAST_DOCUMENTS,
    LEAST_EVIDENCE,
    difference,
    interval,
)

METHODS = {
    "dsl": "DSL",
    "ppi": "PPI++",
    "acc": "Adjusted count",
    "sample": "Sample only",
    "cc": "Classify and count",
}
"""What each method is called, in the order of tables."""

OVERALL = "(all)"
NO_GROUP = "(none)"
"""The group of sentences whose column is empty."""

FEW_DOCUMENTS = 20
FEW_MET = 20
"""Below these an interval is read with caution: in experiments/evidence it covers too seldom."""

NO_SAMPLE = "no sampled sentence"
FEW = f"under {FEW_DOCUMENTS} sampled documents"
RARE = f"label met (or lacking) in under {FEW_MET} documents"
OUTSIDE = "cut to [0, 1]"
BORROWED = "errors of other groups assumed"


@dataclass(frozen=True, slots=True)
class Population:
    """All n sentences: document numbers (n,), decisions and predictions (n, width), group names.

    `given` holds 1.0 where the model gives a label, else 0.0; `scores` its probability. `groups`
    has one name a sentence, or is empty.
    """

    documents: npt.NDArray[np.intp]
    given: Array
    scores: Array
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sentences and documents of a group, those sampled, and sampled sentences with the label."""

    sentences: int
    documents: int
    sampled_sentences: int
    sampled_documents: int
    sampled_positives: int


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """A share, or with `contrast` the difference of two, of one label by one method.

    `value` is NaN where it is undefined, `low` and `high` bound the 95 % interval and are `None`
    where there is none. The sizes of a contrast are those of both groups, added up.
    """

    task: str
    label: str
    group: str
    method: str
    value: float
    low: float | None
    high: float | None
    sizes: Sizes
    cautions: tuple[str, ...] = ()
    contrast: bool = False


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    survey: Survey
    members: Mask
    fitted: Array


def estimate_rows(
    population: Population,
    inclusion: Array,
    truth: Array,
    codebook: Codebook,
    *,
    methods: Sequence[str],
    contrast: tuple[str, str] | None = None,
) -> list[EstimateRow]:
    """Return the rows of every label with known truth, overall and by group, then the contrast.

    Args:
        inclusion: inclusion probabilities of sampled sentences, (n,), NaN elsewhere.
        truth: true labels of sampled sentences, (n, width), NaN elsewhere and in the columns of
            tasks that were not labelled.
        methods: keys of `METHODS`.
        contrast: two of the groups; the first less the second is estimated.
    """
    names = np.asarray(population.groups, dtype=np.str_)
    groups = {OVERALL: np.ones(len(inclusion), dtype=np.bool_)}
    groups |= {str(name): names == name for name in np.unique(names)}
    rows: list[EstimateRow] = []
    for j, (task, label) in enumerate(codebook.columns):
        if np.isnan(truth[:, j]).all():
            continue
        survey = Survey(
            population.documents,
            population.given[:, j],
            population.scores[:, j],
            inclusion,
            truth[:, j],
        )
        fitted = cross_fitted(survey)
        parts = {name: _part(name, survey, members, fitted) for name, members in groups.items()}
        found = {name: {m: _estimate(m, part) for m in methods} for name, part in parts.items()}
        for name, part in parts.items():
            rows += [_row(task, label, part, m, found[name][m]) for m in methods]
        if contrast is not None:
            a, b = contrast
            for m in methods:
                pair = found[a][m], found[b][m]
                rows.append(_contrast(task, label, m, parts[a], parts[b], pair))
    return rows


def _part(name: str, survey: Survey, members: Mask, fitted: Array) -> _Group:
    """Leave out the sentences that are neither members nor sampled: nothing depends on them."""
    kept = members | survey.sampled
    small = Survey(
        survey.documents[kept],
        survey.given[kept],
        survey.score[kept],
        survey.inclusion[kept],
        survey.truth[kept],
    )
    return _Group(name, small, members[kept], fitted[kept])


def _estimate(method: str, part: _Group) -> Estimate:
    if method == "dsl":
        return design_based(part.survey, part.members, part.fitted)
    function = {
        "ppi": prediction_powered,
        "acc": adjusted_count,
        "sample": sample_only,
        "cc": classify_and_count,
    }[method]
    return function(part.survey, part.members)


def _row(task: str, label: str, part: _Group, method: str, estimate: Estimate) -> EstimateRow:
    low, high = interval(estimate) or (None, None)
    cautions = _cautions(method, part)
    value = estimate.value
    if not math.isnan(value) and not 0 <= value <= 1:
        value = min(max(value, 0.0), 1.0)
        cautions = (*cautions, OUTSIDE)
    return EstimateRow(task, label, part.name, method, value, low, high, _sizes(part), cautions)


def _contrast(
    task: str, label: str, method: str, a: _Group, b: _Group, pair: tuple[Estimate, Estimate]
) -> EstimateRow:
    value, bounds = difference(*pair)
    low, high = bounds or (None, None)
    sizes = (astuple(_sizes(part)) for part in (a, b))
    cautions = tuple(dict.fromkeys((*_cautions(method, a), *_cautions(method, b))))
    return EstimateRow(
        task,
        label,
        f"{a.name} - {b.name}",
        method,
        value,
        low,
        high,
        Sizes(*(x + y for x, y in zip(*sizes, strict=True))),
        cautions,
        contrast=True,
    )


def _sizes(part: _Group) -> Sizes:
    sampled = part.survey.sampled & part.members
    return Sizes(
        sentences=int(part.members.sum()),
        documents=part.survey.count_documents(part.members),
        sampled_sentences=int(sampled.sum()),
        sampled_documents=part.survey.count_documents(sampled),
        sampled_positives=int(part.survey.labels()[sampled].sum()),
    )


def _cautions(method: str, part: _Group) -> tuple[str, ...]:
    """Return what a method lacks in a group; counting lacks nothing but is not right either."""
    if method == "cc":
        return ()
    everyone = np.ones(len(part.members), dtype=np.bool_)
    sampled = part.survey.sampled & part.members
    members = everyone if method == "acc" else part.members
    found = []
    if not sampled.any():
        found.append(BORROWED if method == "acc" else NO_SAMPLE)
        if method != "acc":
            return tuple(found)
    if part.survey.count_documents(part.survey.sampled & members) < FEW_DOCUMENTS:
        found.append(FEW)
    if evidence(part.survey, members) < FEW_MET:
        found.append(RARE)
    return tuple(found)


def remarks(rows: Sequence[EstimateRow]) -> list[str]:
    """Return in plain sentences what the cautions of the rows mean."""
    shares = [row for row in rows if not row.contrast]
    unsampled = list(dict.fromkeys(r.group for r in shares if not r.sizes.sampled_sentences))
    found = []
    if unsampled:
        found.append(
            f"No sentence was sampled in {_listed(unsampled)}. Nothing there can be checked: DSL, "
            "PPI++ and the sample give no share; the adjusted count assumes that the model errs "
            "there as often as in the other groups, and classify and count that it never errs."
        )
    few = list(dict.fromkeys(r.group for r in shares if FEW in r.cautions and r.method != "acc"))
    if few:
        found.append(
            f"Fewer than {FEW_DOCUMENTS} documents were sampled in {_listed(few)}: intervals there "
            f"are rough (with fewer than {LEAST_DOCUMENTS} there is none)."
        )
    rare = sum(RARE in row.cautions for row in shares)
    if rare:
        found.append(
            f"{rare} of {len(shares)} shares are of labels met (or lacking) in fewer than "
            f"{FEW_MET} sampled documents, counted by weight: their intervals may be too "
            f"narrow, and with fewer than {LEAST_EVIDENCE} there is none. Draw more sentences; "
            "--design stratified brings more of the rare labels."
        )
    return found


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
