"""Slices: a planted bad one is found, small ones are not judged, the level is kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.codebook import Codebook, TaskType
from pipeline.decision import Decisions
from pipeline.evaluation.facets import facets
from pipeline.evaluation.slices import (
    DIRECT,
    HOLDER,
    MIN_DOCUMENTS,
    REPORTED,
    Slice,
    SliceAnalysis,
    analyse_slices,
)
from pipeline.records import SPEAKER, Attribution, LabelledDocument, LabelledSentence, Sentence

Errors = Callable[[LabelledDocument, int], float]
"""Chance of an error in a document, and in its sentence of this number."""


def make(
    codebook: Codebook,
    documents: int,
    error: Errors,
    *,
    genre: Callable[[int], str] = lambda n: "abc"[n % 3],
    sentences: int = 6,
    seed: int = 1,
) -> tuple[list[LabelledDocument], Decisions]:
    """Documents with random labels, and decisions that are wrong as often as `error` says."""
    draw = np.random.default_rng(seed)
    made, rows = [], []
    for number in range(documents):
        inside = []
        for i in range(sentences):
            labels: dict[str, tuple[str, ...] | None] = {}
            held = []
            for name, task in codebook.tasks.items():
                names = list(task.labels)
                drawn = draw.random(len(names)) < 0.4
                one = names[int(draw.integers(len(names)))]
                multiclass = task.type is TaskType.MULTICLASS
                labels[name] = (one,) if multiclass else tuple(np.array(names)[drawn].tolist())
                if task.attribution:
                    holder = SPEAKER if i % 2 else "a guest"
                    held += [Attribution(label, holder, None) for label in labels[name] or ()]
            text = " ".join(["word"] * (5 if i % 3 else 25))
            sentence = Sentence(f"{number}#{i}", f"{number}", text)
            inside.append(LabelledSentence(sentence, labels, tuple(held)))
        document = LabelledDocument(
            f"{number}",
            tuple(inside),
            genre=genre(number),
            speaker=f"speaker {number}",
            date=f"{2001 + number % 2}-03-04" if number % 5 else "4/3/2001",
        )
        made.append(document)
        for i, labelled in enumerate(inside):
            row = np.zeros(codebook.width, dtype=bool)
            for name, task in codebook.tasks.items():
                part = codebook.slice_of(name)
                gold = np.array([label in (labelled.labels[name] or ()) for label in task.labels])
                row[part] = np.roll(gold, 1) if draw.random() < error(document, i) else gold
            rows.append(row)
    given = np.array(rows)
    return made, Decisions(given, np.zeros_like(given))


def analysed(codebook: Codebook, *args: object, **kwargs: object) -> SliceAnalysis:
    documents, decisions = make(codebook, *args, **kwargs)  # type: ignore[arg-type]
    return analyse_slices(documents, decisions, codebook, replicates=200, seed=3, shuffles=999)


def pick(found: SliceAnalysis, facet: str, task: str | None = None) -> list[Slice]:
    return [s for s in found.slices if s.facet == facet and task in (None, s.task)]


def test_a_planted_bad_genre_is_found_and_nothing_else(codebook: Codebook) -> None:
    def error(document: LabelledDocument, _: int) -> float:
        return 0.7 if document.genre == "b" else 0.15

    found = analysed(codebook, 90, error)
    assert {(s.task, s.name) for s in found.differing if s.difference < 0} == {
        (task, "b") for task in codebook.tasks
    }
    assert {s.facet for s in found.differing} == {"genre"}
    for bad in pick(found, "genre"):
        if bad.name == "b":
            assert bad.difference < -0.2
            assert bad.low is not None
            assert bad.high is not None
            assert bad.low < bad.score < bad.high
            assert bad.p <= bad.p_holm <= 0.05


def test_a_slice_too_small_is_not_judged_however_bad(codebook: Codebook) -> None:
    """Nine documents with nothing but errors get neither score nor test."""

    def error(document: LabelledDocument, _: int) -> float:
        return 1.0 if document.genre == "rare" else 0.1

    def genre(number: int) -> str:
        return "rare" if number < MIN_DOCUMENTS - 1 else "xy"[number % 2]

    found = analysed(codebook, 60, error, genre=genre)
    for one in pick(found, "genre"):
        assert one.judged == (one.name != "rare")
        assert (
            math.isnan(one.score) == math.isnan(one.p) == math.isnan(one.p_holm) == (not one.judged)
        )
    assert all(not one.differs for one in found.slices if one.name == "rare")
    assert not any(one.judged for one in pick(found, "speaker"))
    assert len(pick(found, "speaker", next(iter(codebook.tasks)))) == 60


def test_a_bad_length_is_found_across_documents(codebook: Codebook) -> None:
    found = analysed(codebook, 60, lambda _, i: 0.6 if i % 3 == 0 else 0.1)
    long = [s for s in pick(found, "length") if s.name == "21 to 30 words"]
    assert len(long) == len(codebook.tasks)
    assert all(s.differs and s.difference < 0 for s in long)
    # Two lengths are each other's rest: one test, the same p-value, opposite differences.
    for task in codebook.tasks:
        first, second = pick(found, "length", task)
        assert first.p == second.p
        assert first.difference == pytest.approx(-second.difference)
    keys = {(s.task, s.facet) for s in found.slices if s.judged}
    two = {"length", "year", HOLDER}
    assert found.tests == sum(1 if facet in two else 3 for _, facet in keys)


def test_by_holder_what_is_found_of_the_labels_counts(codebook: Codebook) -> None:
    """Odd sentences are the speaker's own; the model finds nothing of what even ones report."""
    documents, decisions = make(codebook, 40, lambda *_: 0.0)
    given = decisions.given.copy()
    even = np.arange(len(given)) % 2 == 0
    given[even] = False
    found = analyse_slices(
        documents,
        Decisions(given, decisions.withheld),
        codebook,
        replicates=100,
        seed=1,
        shuffles=999,
    )
    tasks = [name for name, task in codebook.tasks.items() if task.attribution]
    assert tasks
    for task in tasks:
        own, reported = pick(found, HOLDER, task)
        assert (own.name, reported.name, own.measure) == (DIRECT, REPORTED, "recall")
        assert (own.score, reported.score) == (1.0, 0.0)
        assert reported.differs
    assert {s.task for s in pick(found, HOLDER)} == set(tasks)


def test_scores_by_hand(codebook: Codebook) -> None:
    documents, decisions = make(codebook, 40, lambda *_: 0.3)
    found = analyse_slices(documents, decisions, codebook, replicates=0, seed=1, shuffles=99)
    rows = np.array(["abc"[n % 3] == "a" for n in range(40) for _ in range(6)])
    for name, task in codebook.tasks.items():
        part = codebook.slice_of(name)
        labelled = [one for document in documents for one in document.sentences]
        gold = np.array([[lab in (s.labels[name] or ()) for lab in task.labels] for s in labelled])
        given = decisions.given[:, part]
        hits = (gold & given)[rows].sum()
        if task.type is TaskType.MULTILABEL:
            score = 2 * hits / (gold[rows].sum() + given[rows].sum())
        else:
            score = hits / rows.sum()
        one = next(s for s in pick(found, "genre", name) if s.name == "a")
        assert one.score == pytest.approx(score)
        assert (one.documents, one.sentences) == (14, 84)
        assert one.positives == gold[rows].sum()
        assert one.low is None


def test_facets(codebook: Codebook) -> None:
    documents, decisions = make(codebook, 20, lambda *_: 0.3)
    labelled = [one for document in documents for one in document.sentences]
    values = facets(documents, labelled)
    assert set(values["year"]) == {"2001", "2002", None}
    assert set(values["length"]) == {"up to 10 words", "21 to 30 words"}
    found = analyse_slices(documents, decisions, codebook, replicates=0, seed=1, shuffles=99)
    assert not pick(found, "block")  # one value only
    assert not pick(found, "part")  # none at all
    assert [s.name for s in pick(found, "year", next(iter(codebook.tasks)))] == ["2001", "2002"]


def test_sentences_without_labels_count_for_nothing(codebook: Codebook) -> None:
    documents, decisions = make(codebook, 30, lambda *_: 0.3)
    unknown = dict.fromkeys(codebook.tasks)
    blank = [
        replace(d, sentences=tuple(replace(s, labels=unknown) for s in d.sentences)) if n < 3 else d
        for n, d in enumerate(documents)
    ]
    found = analyse_slices(blank, decisions, codebook, replicates=0, seed=1, shuffles=99)
    assert sum(s.documents for s in pick(found, "genre", next(iter(codebook.tasks)))) == 27
    assert analyse_slices([], decisions, codebook, replicates=9, seed=1).slices == ()


def test_the_level_is_kept_where_documents_are_alike_within() -> None:
    """No slice differs, but documents do: single tests reject in about 5 % of cases, not more."""
    from pathlib import Path

    from pipeline.codebook import load_codebook

    tiny = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")
    draw = np.random.default_rng(8)
    p: dict[str, list[float]] = {"genre": [], "length": []}
    family = 0
    for seed in range(40):
        hard = draw.beta(1, 2, size=60)
        documents, decisions = make(
            tiny,
            60,
            lambda document, _, hard=hard: float(hard[int(document.doc_id)]),  # type: ignore[misc]
            seed=seed,
        )
        found = analyse_slices(documents, decisions, tiny, replicates=0, seed=seed, shuffles=199)
        for facet, values in p.items():
            values += [s.p for s in pick(found, facet) if s.judged]
        family += bool(found.differing)
    for values in p.values():
        assert 0.0 < np.mean(np.array(values) <= 0.05) < 0.11
        assert 0.3 < np.mean(values) < 0.7
    assert family <= 6
