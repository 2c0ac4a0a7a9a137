"""Measure whether `stance compare` keeps its promises, on documents whose truth is known.

    python experiments/evidence/comparison.py --rounds 500

Documents of 1 to 9 sentences (in one case 39) differ in how often they carry each of three labels
and in how hard they are; each model has good and bad documents of its own besides. 125 documents
are drawn in every round. Printed are, for each case: how often a true difference of zero is called
one (testing with whole documents, and with single sentences), how often anything in the family is
after correction, how often the interval holds the truth, and how often a true difference is found.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, Label, Task, TaskType
from pipeline.evaluation.comparison import ScoreComparison, compare, holm, score_names
from pipeline.evaluation.metrics import Outcomes

DOCUMENTS = 125
POPULATION = 200_000
SHARES = {"common": 0.4, "less_common": 0.15, "rare": 0.05}
"""Labels and the share of sentences that carry them."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """Log-odds of finding a label that is there and of giving one that is not."""

    recall: float
    false: float


@dataclass(frozen=True)
class Case:
    """Two models, and the standard deviations (log-odds) of what documents share.

    `common` is how hard a document is for both, `own` what only one model finds hard in it;
    documents have 1 to `longest` sentences.
    """

    name: str
    first: Model
    second: Model
    common: float
    own: float
    longest: int = 9


PLAIN = Model(recall=1.0, false=-2.5)
CASES = (
    Case("equal, sentences independent", PLAIN, PLAIN, 0.0, 0.0),
    Case("equal, documents alike", PLAIN, PLAIN, 1.0, 0.7),
    Case("equal, documents very alike", PLAIN, PLAIN, 1.0, 1.5),
    Case("equal, long documents, very alike", PLAIN, PLAIN, 1.0, 1.5, longest=39),
    Case("equal macro-F1, other errors", Model(1.7, -2.0), PLAIN, 1.0, 0.7),
    Case("better by what is detectable", Model(1.49, -2.845), PLAIN, 1.0, 0.7),
)


def codebook() -> Codebook:
    """Return a task with the three labels."""
    labels = {name: Label(title=name, colour="#000000", definition="d") for name in SHARES}
    task = Task(type=TaskType.MULTILABEL, question="q", labels=labels)
    return Codebook(name="simulated", version="1", about="a", unit="u", tasks={"task": task})


def drawn(case: Case, documents: int, draw: np.random.Generator) -> tuple[Outcomes, Outcomes]:
    """Return what both models say about newly drawn documents."""
    sizes = draw.integers(1, case.longest + 1, size=documents)
    document = np.repeat(np.arange(documents), sizes)
    n, k = len(document), len(SHARES)
    share = np.array(list(SHARES.values()))
    gold = (
        draw.random((n, k)) < draw.beta(2 * share, 2 * (1 - share), size=(documents, k))[document]
    )
    hard = case.common * draw.normal(size=(documents, k))
    found = []
    for model in (case.first, case.second):
        ease = (hard + case.own * draw.normal(size=(documents, k)))[document]
        odds = np.where(gold, model.recall + ease, model.false - ease)
        given = draw.random((n, k)) < 1.0 / (1.0 + np.exp(-odds))
        found.append(
            Outcomes(
                probabilities=given.astype(np.float64),
                given=given,
                withheld=np.zeros((n, k), dtype=bool),
                targets=gold.astype(np.float64),
                documents=document,
            )
        )
    return found[0], found[1]


def by_sentence(seen: Outcomes) -> Outcomes:
    """Return the same with every sentence for a document of its own."""
    return replace(seen, documents=np.arange(len(seen.documents)))


def truth(case: Case, book: Codebook) -> Array:
    """Return the differences in a population so large that chance does not matter."""
    if case.first == case.second:
        return np.zeros(len(score_names(book)))
    draw = np.random.default_rng(99)
    scores = compare(*drawn(case, POPULATION, draw), book, replicates=1, shuffles=1, seed=0)
    return np.array([score.difference for score in scores])


def holds(score: ScoreComparison, value: float) -> bool:
    """Return whether the interval of a score holds a value."""
    return score.low is not None and score.high is not None and score.low <= value <= score.high


def rows(case: Case, book: Codebook, *, rounds: int, shuffles: int, replicates: int) -> list[str]:
    """Return the lines of the table of one case."""
    real = truth(case, book)
    names = score_names(book)
    tested = {unit: np.zeros(len(names)) for unit in ("documents", "sentences", "holm")}
    covered = {unit: np.zeros(len(names)) for unit in ("documents", "sentences")}
    effects, reach = np.zeros(len(names)), np.zeros(len(names))
    family = 0
    draw = np.random.default_rng(7)
    for number in range(rounds):
        models = drawn(case, DOCUMENTS, draw)
        whole = compare(*models, book, replicates=replicates, shuffles=shuffles, seed=number)
        single = compare(
            *map(by_sentence, models),
            book,
            replicates=replicates,
            shuffles=shuffles,
            seed=number,
        )
        corrected = holm([score.p for score in whole])
        family += min(corrected) <= 0.05
        for j, value in enumerate(real):
            tested["documents"][j] += whole[j].p <= 0.05
            tested["sentences"][j] += single[j].p <= 0.05
            tested["holm"][j] += corrected[j] <= 0.05
            covered["documents"][j] += holds(whole[j], value)
            covered["sentences"][j] += holds(single[j], value)
            effects[j] += whole[j].design_effect / rounds
            reach[j] += whole[j].detectable / rounds
    lines = []
    for j, name in enumerate(names):
        cells = [case.name if j == 0 else "", name.removeprefix("task.")]
        cells += [f"{real[j]:+.3f}" if real[j] else "0", f"{reach[j]:.3f}", f"{effects[j]:.2f}"]
        cells += [f"{tested[u][j] / rounds:.1%}" for u in ("documents", "sentences", "holm")]
        cells += [f"{covered[u][j] / rounds:.1%}" for u in ("documents", "sentences")]
        cells.append(f"{family / rounds:.1%}" if j == 0 else "")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--shuffles", type=int, default=999)
    parser.add_argument("--replicates", type=int, default=500)
    options = parser.parse_args(arguments)
    book = codebook()
    head = (
        *("case", "score", "true difference", "detectable", "design effect"),
        *("found, documents", "found, sentences", "found, Holm"),
        *("covered, documents", "covered, sentences", "anything found, Holm"),
    )
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for case in CASES:
        found = rows(
            case,
            book,
            rounds=options.rounds,
            shuffles=options.shuffles,
            replicates=options.replicates,
        )
        print("\n".join(found), flush=True)


if __name__ == "__main__":
    main()
