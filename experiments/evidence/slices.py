"""Do the tests of slices keep their level, and do they find a bad slice? By simulation.

    python -m experiments.evidence.slices --rounds 200

125 documents of 1 to about 15 sentences, alike within, of four genres, many speakers and ten years;
the genres differ in length and in how often they carry labels, but not in how good the model is.
Printed is how often anything is said to differ in a round, with p-values corrected and not, with
documents as the units and with sentences; then how often a genre with more errors is found.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.decision import Decisions
from pipeline.evaluation.slices import DIFFERS, SliceAnalysis, analyse_slices
from pipeline.records import Attribution, LabelledDocument, LabelledSentence, Sentence

CODEBOOK = Path(__file__).parents[2] / "configs" / "codebook.yaml"
DOCUMENTS, SHUFFLES = 125, 1999
GENRES, LENGTHS, SHARES = (
    ("letter", "news", "speech", "debate"),
    (1, 3, 8, 5),
    (0.5, 0.25, 0.2, 0.3),
)
BAD = "debate"

Round = tuple[list[LabelledDocument], Decisions]


def one_round(codebook: Codebook, draw: np.random.Generator, worse: float) -> Round:
    """Draw labelled documents and decisions on them.

    `worse` is what the log-odds of an error gain in the genre `BAD`. What documents share (standard
    deviation 1 in log-odds) makes their errors alike.
    """
    documents: list[LabelledDocument] = []
    given: list[npt.NDArray[np.bool_]] = []
    for number in range(DOCUMENTS):
        genre = int(draw.integers(len(GENRES)))
        hard = draw.normal(0.0, 1.0) + (worse if GENRES[genre] == BAD else 0.0)
        sentences = [
            _sentence(codebook, f"{number}", SHARES[genre], draw)
            for _ in range(1 + draw.poisson(LENGTHS[genre]))
        ]
        given += [_decision(codebook, one, hard, draw) for one in sentences]
        documents.append(
            LabelledDocument(
                doc_id=f"{number}",
                sentences=tuple(sentences),
                genre=GENRES[genre],
                speaker=f"speaker {int(draw.zipf(1.6)) % 40}",
                date=f"{2010 + int(draw.integers(10))}",
            )
        )
    rows = np.array(given)
    return documents, Decisions(rows, np.zeros_like(rows))


def _sentence(
    codebook: Codebook, document: str, share: float, draw: np.random.Generator
) -> LabelledSentence:
    labels: dict[str, tuple[str, ...] | None] = {}
    held: list[Attribution] = []
    for name, task in codebook.tasks.items():
        names = list(task.labels)
        if task.type is TaskType.MULTICLASS:
            labels[name] = (names[int(draw.integers(len(names)))],)
        else:
            labels[name] = tuple(one for one in names if draw.random() < share / len(names))
            holder = "SPEAKER" if draw.random() < 0.8 else "somebody else"
            held += [Attribution(one, holder, None) for one in labels[name] or ()]
    text = " ".join(["word"] * int(1 + draw.gamma(4.0, 6.0)))
    return LabelledSentence(Sentence("", document, text), labels, tuple(held))


def _decision(
    codebook: Codebook, one: LabelledSentence, hard: float, draw: np.random.Generator
) -> npt.NDArray[np.bool_]:
    row = np.zeros(codebook.width, dtype=bool)
    for name, task in codebook.tasks.items():
        part, names = codebook.slice_of(name), list(task.labels)
        gold = np.array([label in (one.labels[name] or ()) for label in names])
        if task.type is TaskType.MULTICLASS:
            wrong = draw.random() < _chance(-1.2 + hard)
            row[part] = np.roll(gold, 1) if wrong else gold
        else:
            missed = draw.random(len(names)) < _chance(-1.2 + hard)
            false = draw.random(len(names)) < _chance(-4.5 + hard)
            row[part] = np.where(gold, ~missed, false)
    return row


def _chance(log_odds: float) -> float:
    return float(1.0 / (1.0 + np.exp(-log_odds)))


def alone(documents: Sequence[LabelledDocument]) -> list[LabelledDocument]:
    """Make every sentence a document of its own."""
    return [
        LabelledDocument(
            f"{document.doc_id}.{i}",
            (one,),
            genre=document.genre,
            speaker=document.speaker,
            date=document.date,
        )
        for document in documents
        for i, one in enumerate(document.sentences)
    ]


def analyse(codebook: Codebook, drawn: Round, seed: int) -> SliceAnalysis:
    """Analyse with few rearrangements and no intervals."""
    documents, decisions = drawn
    return analyse_slices(
        documents, decisions, codebook, replicates=0, seed=seed, shuffles=SHUFFLES
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=13)
    asked = parser.parse_args(arguments)
    codebook, draw = load_codebook(CODEBOOK), np.random.default_rng(asked.seed)
    null = [one_round(codebook, draw, 0.0) for _ in range(asked.rounds)]
    print(
        "| no slice differs; units | rounds | tests | any p <= 0.05 | corrected | a single test |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    _level("documents", [analyse(codebook, one, seed) for seed, one in enumerate(null)])
    split = [(alone(documents), decisions) for documents, decisions in null[: asked.rounds // 5]]
    _level("sentences", [analyse(codebook, one, seed) for seed, one in enumerate(split)])
    first, second = codebook.tasks
    print(f"\n| log-odds of an error in one genre | rounds | found, {first} | found, {second} |")
    print("|---:|---:|---:|---:|")
    for worse in (1.0, 1.5, 2.0):
        hits = []
        for seed in range(asked.rounds // 4):
            found = analyse(codebook, one_round(codebook, draw, worse), seed)
            names = {(one.task, one.name) for one in found.differing}
            hits.append([(task, BAD) in names for task in (first, second)])
        shown = " | ".join(f"{share:.0%}" for share in np.mean(hits, axis=0))
        print(f"| +{worse:g} | {len(hits)} | {shown} |", flush=True)


def _level(units: str, found: Sequence[SliceAnalysis]) -> None:
    p = [np.array([one.p for one in each.slices if one.judged]) for each in found]
    print(
        f"| {units} | {len(found)} | {np.mean([each.tests for each in found]):.0f} "
        f"| {np.mean([(values <= DIFFERS).any() for values in p]):.1%} "
        f"| {np.mean([bool(each.differing) for each in found]):.1%} "
        f"| {(np.concatenate(p) <= DIFFERS).mean():.1%} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
