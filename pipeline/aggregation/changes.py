"""Whether an actor's statements begin, or cease, to hold a label: at most one change a series.

A series is the statements in which an actor holds anything of a task, by month; each has the label
or has it not. A change splits the months into an earlier and a later part with different shares of
statements that have the label.

- Scan: the binomial log likelihood ratio of two shares against one, at its largest over all splits
  that leave `LEAST_A_SIDE` statements on either side (Worsley, 1983, Biometrika 70, 455-464).
- Test: without a change the order of the months is of no matter. `p` is the share of random orders
  of the months, each with all its statements, whose scan is at least as large, (count + 1) /
  (shuffles + 1) (Phipson and Smyth, 2010); drawing ends early at `_ENOUGH` of them, p then being
  their share (Besag and Clifford, 1991). Whole months are permuted because statements of one month
  are about the same events: permuting statements finds changes where there are none, in up to half
  of such series (experiments/evidence/README.md).
- Several series: Holm (1979) over all that are tested.
- When: the months whose log likelihood lies within `SUPPORT` of the largest (support interval;
  Edwards, 1972, Likelihood).

The test takes months as exchangeable without a change. It cannot tell a change of the actor from
one of the sources, nor a level from a slow drift or from events that last for several months.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.aggregation.expressed import Expressed, Party
from pipeline.evaluation.comparison import holm
from pipeline.evaluation.comparison_table import SIGNIFICANCE

LEAST_MONTHS = 12
"""Months with statements that a series needs; with few, no order of months is rare enough."""

LEAST_STATEMENTS = 20
"""Statements that a series needs."""

LEAST_EITHER = 5
"""Statements with the label, and statements without it, that a series needs."""

LEAST_A_SIDE = 5
"""Statements before, and from a change on."""

SHUFFLES = 9_999
"""Permutations behind a p-value; more where many series are tested, see `find_changes`."""

SUPPORT = 2.0
"""Months this near to the best one in log likelihood are as good as it."""

_ENOUGH = 100
"""So many permutations as large as what was seen settle the p-value before `SHUFFLES` are made."""

_BLOCK = 1_000
"""Permutations held in memory at once."""

_TIE = 1e-9
"""Equal likelihoods may come out unequal in the last digits."""

Counts = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]


class Verdict(StrEnum):
    """What can be said of a series."""

    CHANGE = "change"
    NO_CHANGE = "no change seen"
    TOO_LITTLE = "too little to say"


@dataclass(frozen=True, slots=True)
class Change:
    """What can be said of one series; see the module.

    `before` and `after` are (statements with the label, statements), split at `month`, the first
    of the later part; `earliest` and `latest` bound the months that fit nearly as well. These are
    `None`, and the p-values NaN, where the series was not tested.
    """

    holder: Party
    task: str
    label: str
    months: int
    statements: int
    with_label: int
    verdict: Verdict
    words: str
    month: str | None = None
    earliest: str | None = None
    latest: str | None = None
    before: tuple[int, int] | None = None
    after: tuple[int, int] | None = None
    p: float = math.nan
    p_holm: float = math.nan


def find_changes(rows: Iterable[Expressed], *, seed: int = 13) -> list[Change]:
    """Test every series of an actor and a label; report too those that hold too little.

    Parties that are mere words are left out: the same words may mean different ones in different
    statements. So are statements without a month. Where n series are tested there are at least
    100 n permutations, so that Holm's correction leaves room for the smallest p-value.
    """
    series = _series(rows)
    untested = [_too_little(*key, has, total) for key, (_, has, total) in series.items()]
    family = sum(one is None for one in untested)
    shuffles = max(SHUFFLES, 100 * family - 1)
    draw = np.random.default_rng(seed)
    found = [
        one or _tested(*key, months, has, total, shuffles, draw)
        for one, (key, (months, has, total)) in zip(untested, series.items(), strict=True)
    ]
    corrected = holm([one.p for one in found])
    return [
        _judged(replace(one, p_holm=p), family) if one.month else one
        for one, p in zip(found, corrected, strict=True)
    ]


def scan(has: Counts, total: Counts) -> Array:
    """Return the log likelihood ratio of a change before each month but the first.

    Args:
        has: statements with the label by month, shape (..., months).
        total: all statements by month, of the same shape.

    Returns:
        Shape (..., months - 1); minus infinity where a side has fewer than `LEAST_A_SIDE`.
    """
    n, k = total.sum(axis=-1, keepdims=True), has.sum(axis=-1, keepdims=True)
    n_before, k_before = (x.cumsum(axis=-1)[..., :-1] for x in (total, has))
    ratio = (
        _log_likelihood(k_before, n_before)
        + _log_likelihood(k - k_before, n - n_before)
        - _log_likelihood(k, n)
    )
    allowed = (n_before >= LEAST_A_SIDE) & (n - n_before >= LEAST_A_SIDE)
    scanned: Array = np.where(allowed, ratio, -np.inf)
    return scanned


def _log_likelihood(k: Counts, n: Counts) -> Array:
    """Return the largest binomial log likelihood of k of n, without its constant."""

    def part(x: Counts) -> Array:
        share = np.where(x > 0, x, 1) / np.maximum(n, 1)
        terms: Array = np.where(x > 0, x * np.log(share), 0.0)
        return terms

    return part(k) + part(n - k)


Key = tuple[Party, str, str]
Series = tuple[list[str], Counts, Counts]


def _series(rows: Iterable[Expressed]) -> dict[Key, Series]:
    """Return months with statements of the actor, those with the label, and all, by series."""
    months: dict[tuple[Party, str], dict[str, str]] = defaultdict(dict)
    having: dict[Key, set[str]] = defaultdict(set)
    for row in rows:
        if row.month is None:
            continue
        for holder in row.holders:
            if holder.linked:
                months[holder, row.task][row.doc_id] = row.month
                having[holder, row.task, row.label].add(row.doc_id)
    found: dict[Key, Series] = {}
    for (holder, task, label), documents in having.items():
        of_document = months[holder, task]
        names = sorted(set(of_document.values()))
        place = {name: i for i, name in enumerate(names)}
        total, has = np.zeros((2, len(names)), dtype=np.int64)
        for document, month in of_document.items():
            total[place[month]] += 1
            has[place[month]] += document in documents
        found[holder, task, label] = (names, has, total)
    return found


def _too_little(holder: Party, task: str, label: str, has: Counts, total: Counts) -> Change | None:
    months, statements, with_label = len(total), int(total.sum()), int(has.sum())
    without = statements - with_label
    lacks = [
        f"{least} {what} needed, {got} found"
        for got, least, what in (
            (months, LEAST_MONTHS, "months"),
            (statements, LEAST_STATEMENTS, "statements"),
            (with_label, LEAST_EITHER, "statements with the label"),
            (without, LEAST_EITHER, "statements without it"),
        )
        if got < least
    ]
    if not lacks:
        return None
    words = f"Nothing can be said about a change: {'; '.join(lacks)}."
    return Change(holder, task, label, months, statements, with_label, Verdict.TOO_LITTLE, words)


def _tested(
    holder: Party,
    task: str,
    label: str,
    months: Sequence[str],
    has: Counts,
    total: Counts,
    shuffles: int,
    draw: np.random.Generator,
) -> Change:
    ratios = scan(has, total)
    best = int(ratios.argmax())
    near = np.flatnonzero(ratios >= ratios[best] - SUPPORT)
    cut = best + 1
    return Change(
        holder,
        task,
        label,
        len(months),
        int(total.sum()),
        int(has.sum()),
        Verdict.NO_CHANGE,
        "",
        month=months[cut],
        earliest=months[int(near[0]) + 1],
        latest=months[int(near[-1]) + 1],
        before=(int(has[:cut].sum()), int(total[:cut].sum())),
        after=(int(has[cut:].sum()), int(total[cut:].sum())),
        p=_permutation_p(has, total, shuffles, draw),
    )


def _permutation_p(has: Counts, total: Counts, shuffles: int, draw: np.random.Generator) -> float:
    seen, as_large = scan(has, total).max(), 0
    for done in range(0, shuffles, _BLOCK):
        size = min(_BLOCK, shuffles - done)
        orders = draw.permuted(np.tile(np.arange(len(total)), (size, 1)), axis=1)
        hits = np.flatnonzero(scan(has[orders], total[orders]).max(axis=1) >= seen - _TIE)
        if as_large + len(hits) >= _ENOUGH:
            return _ENOUGH / (done + int(hits[_ENOUGH - as_large - 1]) + 1)
        as_large += len(hits)
    return (as_large + 1) / (shuffles + 1)


def _judged(one: Change, family: int) -> Change:
    if one.before is None or one.after is None:
        return one
    tests = f"p = {one.p_holm:.2g} after correction for {family} series"
    sides = (
        f"{one.before[0]} of {one.before[1]} statements before {one.month}, "
        f"{one.after[0]} of {one.after[1]} from then on"
    )
    if one.p_holm > SIGNIFICANCE:
        words = (
            f"No change can be told from chance ({tests}); that does not show that there was none. "
            f"The largest difference: {sides}."
        )
        return replace(one, words=words)
    when = "" if one.earliest == one.latest else f" (or from {one.earliest} to {one.latest})"
    words = (
        f"The share of statements with the label changes at {one.month}{when}: {sides} ({tests}). "
        "Whether the actor or the sources changed, only the statements show."
    )
    return replace(one, verdict=Verdict.CHANGE, words=words)
