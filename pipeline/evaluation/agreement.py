"""Agreement between coders: Krippendorff's alpha, Cohen's kappa and percent, with intervals.

Everything is computed from coincidences or crossed answers summed by document, so that one draw of
documents (see `bootstrap`) is one weighted sum.

Krippendorff (2011), Computing Krippendorff's alpha-reliability. Passonneau (2006), Measuring
agreement on set-valued items (MASI) for semantic and pragmatic annotation, LREC. Cohen (1960), A
coefficient of agreement for nominal scales, Educational and Psychological Measurement 20(1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.errors import ShapeError
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.metrics import ratio
from pipeline.records import Score

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Value = TypeVar("Value", bound=Hashable)
Distance = Callable[[Value, Value], float]

SILENT = -1
"""Code of a coder who gave no answer: he did not see the unit, or abstained."""


def nominal(first: Hashable, second: Hashable) -> float:
    """Return 0 for equal values, else 1."""
    return 0.0 if first == second else 1.0


def masi(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the MASI distance of two sets, in [0, 1]: one minus Jaccard times monotonicity.

    Monotonicity is 1 for equal sets, 2/3 where one contains the other, 1/3 where they overlap and
    each has something of its own, and 0 where they have nothing in common. Two empty sets are equal
    (Passonneau, 2006).
    """
    if first == second:
        return 0.0
    common = first & second
    if not common:
        return 1.0
    monotonicity = 2 / 3 if first < second or second < first else 1 / 3
    return 1.0 - len(common) / len(first | second) * monotonicity


@dataclass(frozen=True)
class Reliability(Generic[Value]):
    """Answers of k coders to n units in d documents.

    Attributes:
        coders: k names.
        values: the v values that occur.
        codes: shape (n, k), index into `values`, or SILENT.
        documents: shape (n,), document of each unit, 0 to d - 1.
    """

    coders: tuple[str, ...]
    values: tuple[Value, ...]
    codes: Codes
    documents: Codes

    @classmethod
    def of(
        cls,
        coders: Sequence[str],
        answers: Sequence[Sequence[Value | None]],
        documents: Sequence[Hashable],
    ) -> Reliability[Value]:
        """Take answers as they are: a row a unit, a column a coder, `None` for no answer.

        Raises:
            ShapeError: rows differ in length from `coders`, or are not as many as `documents`.
        """
        if len(answers) != len(documents) or any(len(row) != len(coders) for row in answers):
            raise ShapeError(
                f"got {len(answers)} rows for {len(documents)} units; expected one a unit, with "
                f"{len(coders)} answers each"
            )
        values = {value: j for j, value in enumerate(_distinct(answers))}
        names = {name: i for i, name in enumerate(dict.fromkeys(documents))}
        codes = [[SILENT if value is None else values[value] for value in row] for row in answers]
        return cls(
            tuple(coders),
            tuple(values),
            np.array(codes, dtype=np.intp).reshape(len(answers), len(coders)),
            np.array([names[name] for name in documents], dtype=np.intp),
        )

    @property
    def document_count(self) -> int:
        """Number of documents."""
        return int(self.documents.max()) + 1 if len(self.documents) else 0

    @property
    def units(self) -> int:
        """Number of units that two or more coders answered."""
        return int(((self.codes != SILENT).sum(axis=1) >= 2).sum())

    def coincidences(self) -> Array:
        """Return pairable values by document, shape (d, v, v); see Krippendorff (2011).

        Each unit that m > 1 coders answered adds, for every ordered pair of its answers, 1/(m - 1).
        """
        count = len(self.values)
        given = np.zeros((len(self.codes), count))
        for column in self.codes.T:
            seen = np.flatnonzero(column != SILENT)
            given[seen, column[seen]] += 1.0
        answers = given.sum(axis=1)
        scale = np.divide(1.0, answers - 1.0, out=np.zeros_like(answers), where=answers > 1)
        pairs = np.einsum("nc,nk,n->nck", given, given, scale)
        pairs[:, np.arange(count), np.arange(count)] -= given * scale[:, None]
        return self._by_document(pairs)

    def crossed(self, first: int, second: int) -> Array:
        """Return answers of coder `first` (rows) against `second`, by document: (d, v, v)."""
        both = np.flatnonzero((self.codes[:, first] != SILENT) & (self.codes[:, second] != SILENT))
        table = np.zeros((self.document_count, len(self.values), len(self.values)))
        cells = (self.documents[both], self.codes[both, first], self.codes[both, second])
        np.add.at(table, cells, 1.0)
        return table

    def _by_document(self, per_unit: Array) -> Array:
        table = np.zeros((self.document_count, *per_unit.shape[1:]))
        np.add.at(table, self.documents, per_unit)
        return table


def distances(values: Sequence[Value], distance: Distance[Value]) -> Array:
    """Return the distance of every pair of values, shape (v, v)."""
    return np.array(
        [[distance(one, other) for other in values] for one in values], dtype=np.float64
    ).reshape(len(values), len(values))


def alpha(coincidences: Array, distance: Array) -> Array:
    """Return Krippendorff's alpha of r tables of coincidences, shape (r, v, v) -> (r,).

    One minus observed over expected disagreement. NaN where all pairable values are equal, because
    then chance alone explains the agreement.
    """
    values = coincidences.sum(axis=2)
    total = values.sum(axis=1)
    observed = ratio(np.einsum("rck,ck->r", coincidences, distance), total)
    expected = ratio(np.einsum("rc,rk,ck->r", values, values, distance), total * (total - 1.0))
    return 1.0 - ratio(observed, expected)


def kappa(crossed: Array) -> Array:
    """Return Cohen's kappa of r tables of two coders' answers, shape (r, v, v) -> (r,).

    NaN where agreement by chance is certain.
    """
    total = crossed.sum(axis=(1, 2))
    observed = ratio(np.trace(crossed, axis1=1, axis2=2), total)
    expected = ratio(np.einsum("rc,rc->r", crossed.sum(axis=2), crossed.sum(axis=1)), total * total)
    return ratio(observed - expected, 1.0 - expected)


def percent(coincidences: Array) -> Array:
    """Return the share of pairable values that are equal, shape (r, v, v) -> (r,)."""
    return ratio(np.trace(coincidences, axis1=1, axis2=2), coincidences.sum(axis=(1, 2)))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far coders agree on one question; `kappas` by pairs of coders."""

    alpha: Score
    percent: Score
    kappas: dict[tuple[str, str], Score]


def agreement(
    data: Reliability[Value], distance: Distance[Value], *, replicates: int, seed: int
) -> Agreement:
    """Measure agreement with 95 % intervals by resampling documents.

    `support` of a score is the number of units it rests on. Kappa and percent treat values as
    nominal, whatever the distance.
    """
    count = data.document_count
    weights = (
        np.vstack([np.ones((1, count)), document_weights(count, replicates=replicates, seed=seed)])
        if count
        else np.ones((1, 0))
    )

    def score(name: str, tables: Array, measure: Callable[[Array], Array], units: int) -> Score:
        values = measure(np.tensordot(weights, tables, axes=1))
        value = float(values[0])
        none = math.isnan(value) or count < 2
        low, high = (None if none else percentile_interval(values[1:])) or (None, None)
        return Score(name, value, low, high, units)

    pairs = data.coincidences()
    apart = distances(data.values, distance)
    kappas: dict[tuple[str, str], Score] = {}
    for i, first in enumerate(data.coders):
        for j in range(i + 1, len(data.coders)):
            crossed = data.crossed(i, j)
            units = int(crossed.sum())
            kappas[first, data.coders[j]] = score("kappa", crossed, kappa, units)
    return Agreement(
        alpha=score("alpha", pairs, lambda tables: alpha(tables, apart), data.units),
        percent=score("percent", pairs, percent, data.units),
        kappas=kappas,
    )


def _distinct(answers: Sequence[Sequence[Value | None]]) -> list[Value]:
    return list(dict.fromkeys(value for row in answers for value in row if value is not None))
