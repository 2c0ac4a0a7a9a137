"""Do the intervals of `stance estimate` cover the true share in 95 of 100 samples?

Populations of documents are drawn from a known process and labelled by a model that errs
differently in two groups; samples are drawn by each design, and every estimator gives the share of
group A, of group B, of both together, and the difference A - B.

    python experiments/evidence/estimation.py

Cells are how many of 100 intervals cover the truth for A, B and A - B; then mean widths of the
interval of A - B, how often the command would say that an interval of A or B is to be read with
caution, and how often DSL gives none for A or B.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline.evaluation.estimate_table import FEW_DOCUMENTS, FEW_MET
from pipeline.evaluation.sampling_design import draw_documents, draw_sentences, strata_by_label
from pipeline.evaluation.share_estimates import (
    Estimate,
    Survey,
    adjusted_count,
    classify_and_count,
    cross_fitted,
    design_based,
    evidence,
    prediction_powered,
    sample_only,
)
from pipeline.evaluation.share_intervals import difference, interval

Array = npt.NDArray[np.float64]

DOCUMENTS = 600
"""Half of them of group A; 3 to 31 sentences each, 17 on average."""

METHODS = ("sample only", "classify and count", "adjusted count", "PPI++", "DSL")


@dataclass(frozen=True)
class World:
    """Shares of the label in the two groups, and how often the model is right about it.

    Within documents labels are alike: the share of a document is beta distributed around that of
    its group, with a correlation of 0.15 between two of its sentences.
    """

    name: str
    shares: tuple[float, float]
    sensitivity: tuple[float, float]
    specificity: tuple[float, float]


WORLDS = (
    World("same errors in both groups", (0.20, 0.10), (0.75, 0.75), (0.95, 0.95)),
    World("other errors in each group", (0.20, 0.20), (0.85, 0.55), (0.90, 0.98)),
    World("rare label, other errors", (0.06, 0.03), (0.80, 0.60), (0.97, 0.99)),
)
CORRELATION = 0.15


@dataclass(frozen=True)
class Population:
    """All sentences of a population with truth, decision, probability, document and group."""

    documents: npt.NDArray[np.intp]
    group: npt.NDArray[np.bool_]
    truth: Array
    given: Array
    score: Array


def make(world: World, draw: np.random.Generator) -> Population:
    """Draw a population; the probability is informative beyond the decision, and not calibrated."""
    sizes = draw.integers(3, 32, size=DOCUMENTS)
    of_b = np.arange(DOCUMENTS) % 2 == 1
    share = np.where(of_b, world.shares[1], world.shares[0])
    spread = 1 / CORRELATION - 1
    share = draw.beta(share * spread, (1 - share) * spread)
    documents = np.repeat(np.arange(DOCUMENTS), sizes)
    group = of_b[documents]
    truth = (draw.random(len(documents)) < share[documents]).astype(np.float64)
    right = np.where(
        truth == 1,
        np.where(group, world.sensitivity[1], world.sensitivity[0]),
        np.where(group, world.specificity[1], world.specificity[0]),
    )
    # Whether the model is right is alike within documents as well.
    ease = np.repeat(draw.normal(0, 1, DOCUMENTS), sizes)
    luck = math.sqrt(0.8) * draw.normal(0, 1, len(documents)) + math.sqrt(0.2) * ease
    levels, which = np.unique(right, return_inverse=True)
    quantile = np.array([NormalDist().inv_cdf(p) for p in levels])[which]
    correct = luck < quantile
    given = np.where(correct, truth, 1 - truth)
    sure = np.clip(np.abs(quantile - luck) / 3, 0, 1)
    score = np.where(given == 1, 0.5 + 0.45 * sure, 0.5 - 0.48 * sure)
    return Population(documents.astype(np.intp), group, truth, given, score)


def sample(population: Population, design: str, size: int, seed: int) -> Survey:
    """Draw about `size` sentences by a design."""
    if design == "documents":
        count = DOCUMENTS * size // len(population.documents)
        inclusion = draw_documents(population.documents, count, seed=seed)
    else:
        strata = np.zeros(len(population.documents), dtype=np.intp)
        if design == "stratified":
            strata = strata_by_label(population.given[:, None] == 1)
        inclusion = draw_sentences(strata, size, seed=seed)
    return Survey(
        documents=population.documents,
        given=population.given,
        score=population.score,
        inclusion=inclusion,
        truth=np.where(np.isnan(inclusion), np.nan, population.truth),
    )


def estimates(survey: Survey, members: npt.NDArray[np.bool_], fitted: Array) -> list[Estimate]:
    """Return one estimate a method, in the order of `METHODS`."""
    return [
        sample_only(survey, members),
        classify_and_count(survey, members),
        adjusted_count(survey, members),
        prediction_powered(survey, members),
        design_based(survey, members, fitted),
    ]


def run(
    world: World, design: str, size: int, repeats: int, seed: int
) -> tuple[Array, float, float]:
    """Return (methods, 3, 3), and the shares of samples with a caution and without an interval.

    For A, B and A - B: the share of intervals that cover the truth, their mean width, and the mean
    error of the estimate. A sample without an interval counts for none of the first two.
    """
    rows = np.full((repeats, len(METHODS), 3, 3), np.nan)
    cautioned = 0
    truth = (*world.shares, world.shares[0] - world.shares[1])
    for r in range(repeats):
        population = make(world, np.random.default_rng([seed, r]))
        survey = sample(population, design, size, seed * 100_000 + r)
        groups = (~population.group, population.group)
        cautioned += any(
            evidence(survey, group) < FEW_MET
            or survey.count_documents(survey.sampled & group) < FEW_DOCUMENTS
            for group in groups
        )
        fitted = cross_fitted(survey)
        pairs = zip(*(estimates(survey, group, fitted) for group in groups), strict=True)
        for m, (a, b) in enumerate(pairs):
            found = [(a.value, interval(a)), (b.value, interval(b)), difference(a, b)]
            for k, (value, bounds) in enumerate(found):
                rows[r, m, k, 2] = value - truth[k]
                if bounds is not None:
                    low, high = bounds
                    rows[r, m, k, :2] = low <= truth[k] <= high, high - low
    known = ~np.isnan(rows)
    means = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    enough = known.sum(axis=0) >= 0.1 * repeats
    without = 1 - known[:, METHODS.index("DSL"), :2, 0].all(axis=1).mean()
    return np.where(enough, means, np.nan), cautioned / repeats, float(without)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 500, 1500])
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    widths = ("sample only", "PPI++", "DSL")
    header = (
        "world",
        "design",
        "sentences",
        *METHODS,
        *(f"width {m}" for m in widths),
        "cautioned",
        "none",
    )
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for world in WORLDS:
        for design in ("sentences", "stratified", "documents"):
            for size in options.sizes:
                found, cautioned, none = run(world, design, size, options.repeats, options.seed)
                cells = [world.name, design, str(size)]
                cells += [" ".join(shown(100 * x, 0) for x in m[:, 0]) for m in found]
                cells += [shown(found[METHODS.index(name), 2, 1], 3) for name in widths]
                cells += [f"{100 * share:.0f} %" for share in (cautioned, none)]
                print(f"| {' | '.join(cells)} |", flush=True)


def shown(value: float, decimals: int) -> str:
    """Return a number, or a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{decimals}f}"


if __name__ == "__main__":
    main()
