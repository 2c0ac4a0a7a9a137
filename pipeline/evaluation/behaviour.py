"""Behaviour tests: what must not change a decision, what must, and what must simply be right.

After CheckList (Ribeiro et al., 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with
CheckList"): invariance to changes that keep the labels, direction after changes that do not, and
minimum functionality on cases written for the purpose. Intervals are Wilson's (1927).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook
from pipeline.evaluation.score_text import interval_text, value_text
from pipeline.labelling.cases import DirectionCase, FunctionalityCase
from pipeline.labelling.perturbation import Perturbation, perturbed
from pipeline.records import Sentence

Decide = Callable[[Sequence[Sentence]], npt.NDArray[np.bool_]]
"""Returns which labels are given, bool of shape (n, codebook.width)."""

INVARIANCE, DIRECTION, FUNCTIONALITY = "invariance", "direction", "functionality"
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class BehaviourResult:
    """Outcome of one test.

    Of `n` decisions, `count` are what `rate` is the share of: flips in an invariance test, where
    the rate must lie below `threshold`, right decisions in the others, where it must reach it.
    `low` and `high` bound the 95 % interval. `left_out` cases say nothing about this model (a text
    that the change leaves as it is; a pair whose first sentence is misjudged). With `n` of 0 rate
    and interval are NaN: an invariance test then found nothing to change and judges nobody, any
    other is not passed. `failures` shows the first of them.
    """

    name: str
    n: int
    count: int
    left_out: int
    threshold: float
    failures: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Share of `count` in `n`."""
        return self.count / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate."""
        return wilson(self.count, self.n)

    @property
    def below(self) -> bool:
        """Whether the rate must stay below the threshold instead of reaching it."""
        return self.name.startswith(f"{INVARIANCE}.")

    @property
    def judged(self) -> bool:
        """Whether there was anything to judge by."""
        return self.n > 0 or not self.below

    @property
    def passed(self) -> bool:
        """Whether the rate is on the right side of the threshold; false where it is undefined."""
        return self.rate < self.threshold if self.below else self.rate >= self.threshold


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; NaN where `n` is 0."""
    if not n:
        return math.nan, math.nan
    p, z2 = count / n, _Z * _Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def invariance(
    decide: Decide,
    codebook: Codebook,
    sentences: Sequence[Sentence],
    changes: Mapping[str, Perturbation],
    *,
    threshold: float,
    seed: int,
    shown: int = 5,
) -> list[BehaviourResult]:
    """Count the decisions (one a sentence and task) that each change of the sentences flips.

    Sentences that a change leaves as they are do not count, even where it changes their context.
    """
    before = decide(sentences)
    results: list[BehaviourResult] = []
    for number, (name, change) in enumerate(changes.items()):
        random = np.random.default_rng([seed, number])
        pairs = [(i, perturbed(one, change, random)) for i, one in enumerate(sentences)]
        pairs = [(i, new) for i, new in pairs if new.text != sentences[i].text]
        after = decide([new for _, new in pairs])
        differs = before[[i for i, _ in pairs]] != after
        flips = np.stack(
            [differs[:, codebook.slice_of(task)].any(axis=1) for task in codebook.tasks], axis=1
        )
        failures = [
            f"{sentences[i].text} -> {new.text}"
            for row, (i, new) in enumerate(pairs)
            if flips[row].any()
        ]
        results.append(
            BehaviourResult(
                name=f"{INVARIANCE}.{name}",
                n=flips.size,
                count=int(flips.sum()),
                left_out=(len(sentences) - len(pairs)) * len(codebook.tasks),
                threshold=threshold,
                failures=tuple(failures[:shown]),
            )
        )
    return results


def direction(
    decide: Decide, cases: Sequence[DirectionCase], *, threshold: float, shown: int = 5
) -> list[BehaviourResult]:
    """Count, for each test of the cases, the pairs whose second sentence is decided right.

    Only pairs whose first sentence is decided right say what the change does to a decision: a model
    that never gives a label would otherwise pass every test that takes it away. The other pairs are
    left out, and counted as such.
    """
    before = decide([_sentence(case.before) for case in cases])
    after = decide([_sentence(case.after) for case in cases])
    outcomes: dict[str, list[tuple[bool, bool, str]]] = {}
    for i, case in enumerate(cases):
        stated = bool(before[i, case.column]) == case.before_present
        right = bool(after[i, case.column]) == case.after_present
        outcomes.setdefault(case.test, []).append((stated, right, case.after))
    results: list[BehaviourResult] = []
    for test, seen in outcomes.items():
        counted = [(right, text) for stated, right, text in seen if stated]
        results.append(
            BehaviourResult(
                name=f"{DIRECTION}.{test}",
                n=len(counted),
                count=sum(right for right, _ in counted),
                left_out=len(seen) - len(counted),
                threshold=threshold,
                failures=tuple([text for right, text in counted if not right][:shown]),
            )
        )
    return results


def functionality(
    decide: Decide,
    codebook: Codebook,
    cases: Sequence[FunctionalityCase],
    *,
    threshold: float,
    shown: int = 5,
) -> list[BehaviourResult]:
    """Count, for each label and kind of case, the sentences on which the label is decided right."""
    given = decide([_sentence(case.text) for case in cases])
    outcomes: dict[tuple[int, str], list[tuple[bool, str]]] = {}
    for i, case in enumerate(cases):
        right = bool(given[i, case.column]) == case.present
        outcomes.setdefault((case.column, case.kind), []).append((right, case.text))
    return [
        BehaviourResult(
            name=f"{FUNCTIONALITY}.{codebook.column_names[column]}.{kind}",
            n=len(seen),
            count=sum(right for right, _ in seen),
            left_out=0,
            threshold=threshold,
            failures=tuple([text for right, text in seen if not right][:shown]),
        )
        for (column, kind), seen in sorted(outcomes.items())
    ]


def pooled(results: Iterable[BehaviourResult]) -> dict[str, float]:
    """Return the rate of each family over all its decisions; those without any are left out."""
    counts: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for result in results:
        family = result.name.partition(".")[0]
        counts[family] += result.count
        totals[family] += result.n
    return {family: counts[family] / n for family, n in totals.items() if n}


def behaviour_json(results: Iterable[BehaviourResult]) -> list[dict[str, object]]:
    """Return the results as JSON values; undefined ones are NaN, which `output` writes as null."""
    rows: list[dict[str, object]] = []
    for result in results:
        low, high = result.interval
        passed = result.passed if result.judged else None
        rows.append(
            {**asdict(result), "rate": result.rate, "low": low, "high": high, "passed": passed}
        )
    return rows


def behaviour_table(results: Iterable[BehaviourResult]) -> list[tuple[str, ...]]:
    """Return a header and one row a test."""
    header = ("test", "rate", "95 % interval", "decisions", "left out", "wanted", "passed")
    rows: list[tuple[str, ...]] = [header]
    for one in results:
        wanted = f"{'< ' if one.below else '>= '}{one.threshold:g}"
        rate, interval = value_text(one.rate), interval_text(*one.interval) if one.n else ""
        passed = "-" if not one.judged else "yes" if one.passed else "NO"
        rows.append((one.name, rate, interval, str(one.n), str(one.left_out), wanted, passed))
    return rows


def _sentence(text: str) -> Sentence:
    return Sentence(sentence_id="", doc_id="", text=text, end=len(text))
