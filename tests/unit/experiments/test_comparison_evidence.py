"""A small run of the simulation behind experiments/evidence/README.md."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.evidence.comparison import (
    CASES,
    DOCUMENTS,
    by_sentence,
    codebook,
    drawn,
    holds,
    main,
)
from pipeline.evaluation.comparison import compare


@pytest.mark.slow
def test_documents_keep_the_level_where_sentences_do_not() -> None:
    """Of 200 rounds 5 % are 10; fewer than 2 or more than 20 happen in one of 300 such runs."""
    case = next(case for case in CASES if "long documents" in case.name)
    book, draw = codebook(), np.random.default_rng(5)
    found, covered = {"documents": 0, "sentences": 0}, 0
    for number in range(200):
        models = drawn(case, DOCUMENTS // 2, draw)
        scores = compare(*models, book, replicates=200, shuffles=199, seed=number)
        single = compare(*map(by_sentence, models), book, replicates=1, shuffles=199, seed=number)
        found["documents"] += scores[0].p <= 0.05
        found["sentences"] += single[0].p <= 0.05
        covered += holds(scores[0], 0.0)
    assert 2 <= found["documents"] <= 20
    assert found["sentences"] > 50
    assert 178 <= covered <= 198


@pytest.mark.slow
def test_the_script_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rounds", "2", "--shuffles", "19", "--replicates", "20"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 4 * len(CASES)
    assert len({line.count("|") for line in lines}) == 1
