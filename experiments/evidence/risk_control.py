"""Does abstention at a bounded risk keep its promise? By simulation, and on labelled statements.

    python -m experiments.evidence.risk_control simulate
    python -m experiments.evidence.risk_control halves FILE.jsonl [--model FOLDER]

`simulate` knows the true risk of every margin from 50,000 made-up documents, and chooses margins on
few of them by three rules: conformal risk control over documents, the same with sentences taken for
the units, and the least margin whose measured risk is low enough. `halves` chooses margins on a
random half of the documents of a labelled file and measures them on the other, many times over.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipeline.bundle import load_bundle
from pipeline.classifiers.targets import encode_targets
from pipeline.evaluation.metrics import ratio
from pipeline.evaluation.risk_control import Decided, decided, least_documents, margin_for
from pipeline.workflows.scoring import EvaluationSet, read_documents
from pipeline.workflows.watcher import Silent

RISKS = (0.05, 0.1, 0.2)
POPULATION = 50_000
Choose = Callable[[Decided, float], float]


def made_up(documents: int, draw: np.random.Generator) -> Decided:
    """Documents of 1 to about 30 sentences; short ones are harder, and errors come in clusters."""
    size = 1 + draw.geometric(0.2, documents)
    size[draw.random(documents) < 0.3] = 1
    hard = draw.normal(0.0, 1.0, documents) + np.where(size == 1, 0.7, 0.0)
    document = np.repeat(np.arange(documents), size)
    evidence = np.abs(draw.normal(0.0, 2.0, len(document)))
    chance_of_error = 1.0 / (1.0 + np.exp(0.2 + 1.1 * evidence - 1.2 * hard[document]))
    return Decided(
        margin=np.tanh(evidence / 2).astype(np.float32),
        wrong=draw.random(len(document)) < chance_of_error,
        document=document,
    )


def subset(seen: Decided, documents: np.ndarray) -> Decided:
    """The decisions of some documents, numbered anew."""
    place = np.full(seen.documents, -1)
    place[documents] = np.arange(len(documents))
    rows = place[seen.document] >= 0
    return Decided(seen.margin[rows], seen.wrong[rows], place[seen.document[rows]])


def by_sentence(seen: Decided, risk: float) -> float:
    """Risk control that takes sentences for exchangeable units."""
    return margin_for(Decided(seen.margin, seen.wrong, np.arange(len(seen.margin))), risk)


def plug_in(seen: Decided, risk: float) -> float:
    """The least margin at which the measured risk is at most `risk`."""
    steps = np.append(np.float32(0), np.sort(np.nextafter(seen.margin, np.float32(2))))
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        if seen.losses(steps[middle]).mean() <= risk:
            high = middle
        else:
            low = middle + 1
    return float(steps[low])


RULES: dict[str, Choose] = {
    "risk control, by document": margin_for,
    "risk control, by sentence": by_sentence,
    "measured risk, no correction": plug_in,
}


def simulate(runs: int, seed: int) -> None:
    """Print true risk and coverage of the margins that each rule chooses."""
    draw = np.random.default_rng(seed)
    population = made_up(POPULATION, draw)
    order = np.argsort(population.margin)
    margins = population.margin[order]
    cost = population.wrong / np.bincount(population.document)[population.document] / POPULATION
    risk_from = np.append(np.cumsum(cost[order][::-1])[::-1], 0.0)
    print(f"{runs} runs a row; without abstention the risk is {risk_from[0]:.3f}\n")
    print("| bound | documents | rule | expected risk | runs above the bound | coverage |")
    print("|---:|---:|---|---:|---:|---:|")
    for risk in RISKS:
        for documents in (20, 50, 125, 400):
            if documents < least_documents(risk):
                continue
            chosen: dict[str, list[float]] = {name: [] for name in RULES}
            for _ in range(runs):
                drawn = subset(population, draw.choice(POPULATION, documents, replace=False))
                for name, choose in RULES.items():
                    chosen[name].append(choose(drawn, risk))
            for name, values in chosen.items():
                at = np.searchsorted(margins, np.array(values, dtype=np.float32), side="left")
                true = risk_from[at]
                error = 1.96 * true.std() / np.sqrt(runs)
                print(
                    f"| {risk:g} | {documents} | {name} | {true.mean():.4f} ± {error:.4f} "
                    f"| {(true > risk).mean():.0%} | {1 - at.mean() / len(margins):.0%} |"
                )


def halves(path: Path, model: Path, repeats: int, seed: int) -> None:
    """Print what margins chosen on one half of the documents do on the other."""
    bundle = load_bundle(model)
    data = EvaluationSet(path.stem, read_documents([path], bundle.codebook, Silent()))
    probabilities, _ = bundle.predict([one.sentence for one in data.sentences])
    targets = encode_targets(data.sentences, bundle.codebook)
    draw = np.random.default_rng(seed)
    print(f"{bundle.model_id}, {len(data.documents)} documents, {repeats} random halves\n")
    print(
        "| task | bound | mean risk | halves above the bound | coverage | wrong among decisions "
        "| without abstention | margin, middle 90 % |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for task in bundle.codebook.tasks:
        seen = decided(data.groups, probabilities, targets, bundle.rule, bundle.codebook, task)
        for risk in RISKS:
            found = np.array([_one_half(seen, risk, draw) for _ in range(repeats)])
            margin, measured, coverage, error, before = found.T
            low, high = np.quantile(margin, [0.05, 0.95])
            print(
                f"| {task} | {risk:g} | {measured.mean():.4f} | {(measured > risk).mean():.0%} "
                f"| {coverage.mean():.0%} | {np.nanmean(error):.3f} | {before.mean():.3f} "
                f"| {low:.2f} to {high:.2f} |"
            )


def _one_half(
    seen: Decided, risk: float, draw: np.random.Generator
) -> tuple[float, float, float, float, float]:
    order = draw.permutation(seen.documents)
    half = seen.documents // 2
    margin = margin_for(subset(seen, order[:half]), risk)
    other = subset(seen, order[half:])
    made = other.margin >= np.float32(margin)
    error = float(ratio((made & other.wrong).sum(), made.sum()))
    return margin, other.losses(margin).mean(), made.mean(), error, other.losses(0.0).mean()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    simulated = commands.add_parser("simulate")
    simulated.add_argument("--runs", type=int, default=2000)
    real = commands.add_parser("halves")
    real.add_argument("file", type=Path)
    real.add_argument("--model", type=Path, default=Path("models/default"))
    real.add_argument("--repeats", type=int, default=1000)
    for one in (simulated, real):
        one.add_argument("--seed", type=int, default=13)
    asked = parser.parse_args(arguments)
    if asked.command == "simulate":
        simulate(asked.runs, asked.seed)
    else:
        halves(asked.file, asked.model, asked.repeats, asked.seed)


if __name__ == "__main__":
    main()
