"""`stance evaluate --report`: the page holds what the scores say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.bundle import Bundle
from pipeline.errors import OutputError
from pipeline.workflows import evaluation_page
from pipeline.workflows.evaluate import Further, evaluate_file
from pipeline.workflows.watcher import Silent, Watcher


def test_a_page_of_a_real_evaluation(project: Path, bundle: Bundle, watcher: Watcher) -> None:
    out = project / "page.html"
    done = evaluate_file(
        bundle,
        project / "corpus.jsonl",
        replicates=100,
        seed=1,
        watcher=watcher,
        further=Further(page=out, max_risk=0.2),
    )
    html = out.read_text(encoding="utf-8")
    assert "Evaluation on corpus" in html
    assert bundle.model_id in html
    assert done.slices is not None
    assert {one.facet for one in done.slices.slices} >= {"speaker"}
    assert len(done.abstention) == len(bundle.codebook.tasks)
    errors = re.findall(r'<article class="error" data-task="(\w+)"', html)
    assert errors
    steps = watcher.steps  # type: ignore[attr-defined]
    assert steps[-1][0] == "words left out"
    assert steps[-1][1] == steps[-1][2]


def test_no_more_errors_than_the_page_has_room_for(
    project: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def errors(name: str) -> list[str]:
        out = project / name
        evaluate_file(
            bundle,
            project / "corpus.jsonl",
            replicates=100,
            seed=1,
            watcher=Silent(),
            further=Further(page=out),
        )
        html = out.read_text(encoding="utf-8")
        return re.findall(r'<article class="error" data-task="(\w+)"', html)

    every = errors("all.html")
    monkeypatch.setattr(evaluation_page, "MOST_ERRORS", 2)
    few = errors("few.html")
    for task in bundle.codebook.tasks:
        assert few.count(task) == min(every.count(task), 2)
    assert len(few) < len(every)


def test_a_page_that_cannot_be_written_costs_no_scoring(project: Path, bundle: Bundle) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        evaluate_file(
            bundle,
            project / "no such file.jsonl",
            replicates=100,
            seed=1,
            watcher=Silent(),
            further=Further(page=project),
        )
