"""Measure what `stance aggregate` finds of changes over time, on series whose truth is known.

    python experiments/evidence/changes.py --rounds 500

Every round makes one actor's statements over 24 months, as many in a month as chance gives. Printed
are, for each world: in how many rounds the series was tested, how often p is at most 0.05, and,
where there is a step, how often among these the month named is the true one or next to it, and how
often the support interval holds the true month. The last column is p at most 0.05 where single
statements are permuted instead of months, which the command does not do.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.aggregation import Change, Expressed, Party, find_changes
from pipeline.aggregation.changes import scan

MONTHS = tuple(f"{year}-{month:02}" for year in (2022, 2023) for month in range(1, 13))
ACTOR = Party("ACT", "country", "Actor")
LEVEL = 0.05


@dataclass(frozen=True)
class World:
    """How likely a statement is to have the label, month by month.

    The share goes from `before` to `after` at month `step` (counted from 0), or bit by bit with
    `drift`. `alike` is the correlation of statements of one month: they are about the same events.
    """

    name: str
    statements: int
    before: float
    after: float
    step: int | None = None
    drift: bool = False
    alike: float = 0.0

    def shares(self, draw: np.random.Generator) -> Sequence[float]:
        """Return the share of each month."""
        place = np.arange(len(MONTHS))
        later = place / (len(MONTHS) - 1) if self.drift else (place >= (self.step or 0)) * 1.0
        means = self.before + (self.after - self.before) * later
        if not self.alike:
            return [float(mean) for mean in means]
        size = (1 - self.alike) / self.alike
        return [float(draw.beta(mean * size, (1 - mean) * size)) for mean in means]


WORLDS = (
    World("no change, share 0.3", 40, 0.3, 0.3),
    World("no change, share 0.3", 120, 0.3, 0.3),
    World("no change, share 0.1", 120, 0.1, 0.1),
    World("no change, alike within months (0.1)", 120, 0.3, 0.3, alike=0.1),
    World("no change, alike within months (0.3)", 120, 0.3, 0.3, alike=0.3),
    World("step 0.2 to 0.4 in the middle", 120, 0.2, 0.4, step=12),
    World("step 0.2 to 0.6 in the middle", 40, 0.2, 0.6, step=12),
    World("step 0.2 to 0.6 in the middle", 120, 0.2, 0.6, step=12),
    World("step 0.2 to 0.6, last four months", 120, 0.2, 0.6, step=20),
    World("drift from 0.2 to 0.6", 120, 0.2, 0.6, drift=True),
)


def series(world: World, draw: np.random.Generator) -> list[Expressed]:
    """Return the rows of one round: a row a statement, with the label or with another."""
    shares = world.shares(draw)
    rows = []
    for number, month in enumerate(draw.integers(len(MONTHS), size=world.statements)):
        label = "label" if draw.random() < shares[month] else "other"
        place = f"d{number}"
        rows.append(
            Expressed(
                doc_id=place,
                sentence_id=f"{place}#0",
                text="",
                task="task",
                label=label,
                probability=1.0,
                holders=(ACTOR,),
                targets=(),
                date=f"{MONTHS[month]}-15",
            )
        )
    return rows


def measure(world: World, *, rounds: int, seed: int) -> tuple[str, ...]:
    """Return the row of a world."""
    draw = np.random.default_rng(seed)
    tested: list[Change] = []
    by_statements = 0
    for number in range(rounds):
        rows = series(world, draw)
        by_statements += p_by_statements(rows, draw) <= LEVEL
        for one in find_changes(rows, seed=seed + number):
            if one.label == "label" and one.month is not None:
                tested.append(one)
    found = [one for one in tested if one.p <= LEVEL]
    cells = [world.name, str(world.statements), share(len(tested), rounds)]
    cells.append(share(len(found), len(tested)))
    naive = share(by_statements, rounds)
    if world.step is None:
        return (*cells, "", "", naive)
    near = set(MONTHS[world.step - 1 : world.step + 2])
    true = MONTHS[world.step]
    cells.append(share(sum(one.month in near for one in found), len(found)))
    held = sum(str(one.earliest) <= true <= str(one.latest) for one in found)
    return (*cells, share(held, len(found)), naive)


def p_by_statements(rows: Sequence[Expressed], draw: np.random.Generator) -> float:
    """Return the p-value of 999 permutations of the statements over the months."""
    places = [MONTHS.index(str(row.month)) for row in rows]
    total = np.bincount(places, minlength=len(MONTHS))
    having = [place for place, row in zip(places, rows, strict=True) if row.label == "label"]
    seen = scan(np.bincount(having, minlength=len(MONTHS)), total).max()
    drawn = draw.multivariate_hypergeometric(total, len(having), size=999)
    totals = np.broadcast_to(total, drawn.shape)
    as_large = int((scan(drawn, totals).max(axis=1) >= seen - 1e-9).sum())
    return (as_large + 1) / 1000


def share(part: int, whole: int) -> str:
    """Return a share in per cent."""
    return f"{100 * part / whole:.0f} %" if whole else "-"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args(arguments)
    header = (
        *("world", "statements", "tested", "p <= 0.05", "month right to 1"),
        *("interval holds it", "by statements"),
    )
    print("| " + " | ".join(header) + " |")
    print("|---" * len(header) + "|")
    for world in WORLDS:
        print("| " + " | ".join(measure(world, rounds=given.rounds, seed=given.seed)) + " |")


if __name__ == "__main__":
    main()
