"""Constraints between labels: what rules what out, what requires what, and what may stand together.

Labels of a multiclass task exclude each other without any constraint.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from pipeline.validated_yaml import StrictModel, written

MOST_COMBINATIONS = 4096
"""Combinations that labels linked by constraints may have; each is weighed for each sentence."""

Reference = Annotated[str, written(r"[^.\s]+\.[^.\s]+", "TASK.LABEL")]


class Constraint(StrictModel):
    """What must not (`never`) or must (`always`) be given where label `when` is.

    Labels are called "task.label". `never` holds both ways, `always` in one only.
    """

    when: Reference
    never: Reference | None = None
    always: Reference | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.never is None) == (self.always is None):
            raise ValueError("a constraint takes either 'never' or 'always' beside 'when'")
        if self.when == self.other:
            raise ValueError(f"'{self.when}' stands on both sides; name two labels")
        return self

    def __str__(self) -> str:
        verb = "never goes with" if self.always is None else "always goes with"
        return f"{self.when} {verb} {self.other}"

    @property
    def other(self) -> str:
        """The label that must or must not be given."""
        return self.never or self.always or ""

    def allows(self, when: bool, other: bool) -> bool:
        """Tell whether the two labels may be given or not given like this."""
        return not when or other == (self.always is not None)

    def broken_by(self, labels: Mapping[str, Sequence[str] | None]) -> bool:
        """Tell whether labels by task break it; an unknown task (absent or `None`) does not."""
        given: list[bool] = []
        for name in (self.when, self.other):
            task, label = name.split(".")
            known = labels.get(task)
            if known is None:
                return False
            given.append(label in known)
        return not self.allows(*given)


@dataclass(frozen=True, slots=True)
class Linked:
    """Columns that constraints link, and how their labels may be combined.

    Attributes:
        columns: shape (w,), columns of a score array.
        combinations: shape (c, w), whether each label is given; all that is allowed.
    """

    columns: npt.NDArray[np.intp]
    combinations: npt.NDArray[np.bool_]


def linked(
    choices: Sequence[slice], names: Sequence[str], constraints: Sequence[Constraint]
) -> list[Linked]:
    """Return the groups of columns that constraints link; other columns are in none.

    Args:
        choices: columns that exclude each other; a choice of one column is a yes or no.
        names: "task.label" by column.
        constraints: theirs are among `names`.

    Raises:
        ValueError: too much hangs together, or a label can never be given.
    """
    column = {name: j for j, name in enumerate(names)}
    owner = {j: k for k, part in enumerate(choices) for j in range(part.start, part.stop)}
    group = list(range(len(choices)))
    for one in constraints:
        first, second = (group[owner[column[name]]] for name in (one.when, one.other))
        group = [first if g == second else g for g in group]
    found: list[Linked] = []
    for mark in dict.fromkeys(group):
        mine = [part for part, g in zip(choices, group, strict=True) if g == mark]
        columns = [j for part in mine for j in range(part.start, part.stop)]
        here = [one for one in constraints if column[one.when] in columns]
        if here:
            place = {names[j]: i for i, j in enumerate(columns)}
            rows = [
                row
                for row in _combined(mine)
                if all(one.allows(row[place[one.when]], row[place[one.other]]) for one in here)
            ]
            never = [name for name, i in place.items() if not any(row[i] for row in rows)]
            if never:
                raise ValueError(f"together they leave no way to give {', '.join(never)}")
            found.append(Linked(np.array(columns, dtype=np.intp), np.array(rows, dtype=np.bool_)))
    return found


def _combined(choices: Sequence[slice]) -> list[tuple[bool, ...]]:
    sizes = [part.stop - part.start for part in choices]
    number = math.prod(max(size, 2) for size in sizes)
    if number > MOST_COMBINATIONS:
        raise ValueError(
            f"together they link {sum(sizes)} labels with {number:,} combinations, of which at "
            f"most {MOST_COMBINATIONS:,} can be weighed; state fewer of them"
        )
    answers: list[list[tuple[bool, ...]]] = [
        [tuple(i == j for j in range(size)) for i in range(size)]
        if size > 1
        else [(False,), (True,)]
        for size in sizes
    ]
    return [tuple(itertools.chain(*row)) for row in itertools.product(*answers)]
