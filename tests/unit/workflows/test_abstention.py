"""Abstention at a bounded risk, from a labelled file to the decisions of a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.bundle import Bundle
from pipeline.errors import InputError, SettingsError
from pipeline.workflows.abstention import abstaining, abstention_table, check_abstention
from pipeline.workflows.scoring import EvaluationSet, Scored, read_documents, score
from pipeline.workflows.watcher import Silent


def scored_on(bundle: Bundle, path: Path) -> Scored:
    data = EvaluationSet(path.stem, read_documents([path], bundle.codebook, Silent()))
    return score(bundle.classifier, bundle.rule, data, replicates=100, seed=1)


def wrong_by_document(bundle: Bundle, path: Path, task: str) -> list[float]:
    """The loss of each document from the decisions of the bundle, by definition."""
    scored = scored_on(bundle, path)
    part = bundle.codebook.slice_of(task)
    made = ~scored.decisions.withheld[:, part].any(axis=1)
    wrong = (scored.decisions.given[:, part] != (scored.targets[:, part] == 1)).any(axis=1)
    groups = np.array(scored.data.groups)
    return [float((made & wrong)[groups == d].mean()) for d in dict.fromkeys(groups.tolist())]


def test_the_margin_keeps_the_bound_on_the_documents_it_is_chosen_on(
    project: Path, bundle: Bundle
) -> None:
    path = project / "corpus.jsonl"
    risk = 0.05
    before = {task: wrong_by_document(bundle, path, task) for task in bundle.codebook.tasks}
    cautious = abstaining(bundle, path, risk, Silent())
    assert cautious.model_id == bundle.model_id
    abstains = False
    for task in bundle.codebook.tasks:
        losses = wrong_by_document(cautious, path, task)
        assert len(losses) == 40
        assert 40 / 41 * np.mean(losses) + 1 / 41 <= risk + 1e-9
        needed = 40 / 41 * np.mean(before[task]) + 1 / 41 > risk
        assert (cautious.rule.within(task) > 0) == needed
        abstains |= needed
    assert abstains  # else nothing was tested


def test_what_was_chosen_is_said(project: Path, bundle: Bundle, watcher: Silent) -> None:
    abstaining(bundle, project / "corpus.jsonl", 0.2, watcher)
    notes = watcher.notes  # type: ignore[attr-defined]
    assert [note.partition(":")[0] for note in notes] == list(bundle.codebook.tasks)
    for note in notes:
        assert "40 documents" in note
        assert "expected share of sentences with a wrong decision is at most 0.2" in note


def test_too_few_documents_name_file_and_task(project: Path, bundle: Bundle) -> None:
    with pytest.raises(InputError, match=r"gold\.jsonl, task 'topic': .* at least 9 documents"):
        abstaining(bundle, project / "gold.jsonl", 0.1, Silent())
    with pytest.raises(InputError, match="at least 10 documents"):
        check_abstention(
            bundle,
            scored_on(bundle, project / "gold.jsonl"),
            0.1,
            None,
            replicates=50,
            seed=1,
            watcher=Silent(),
        )
    with pytest.raises(SettingsError, match="expected between 0 and 1"):
        abstaining(bundle, project / "corpus.jsonl", 1.2, Silent())


def test_checks_on_other_documents_and_on_the_same(project: Path, bundle: Bundle) -> None:
    path = project / "corpus.jsonl"
    cautious = abstaining(bundle, path, 0.05, Silent())
    there = check_abstention(
        bundle,
        scored_on(bundle, project / "gold.jsonl"),
        0.05,
        path,
        replicates=50,
        seed=1,
        watcher=Silent(),
    )
    for check in there:
        assert check.margin == cautious.rule.within(check.task)
        losses = wrong_by_document(cautious, project / "gold.jsonl", check.task)
        assert check.risk.value == pytest.approx(np.mean(losses))
    here = check_abstention(
        bundle, scored_on(bundle, path), 0.05, None, replicates=50, seed=1, watcher=Silent()
    )
    for check in here:
        assert check.margin == cautious.rule.within(check.task)
        assert check.risk.support == 40
    header, *rows = abstention_table(here)
    assert len(rows) == len(bundle.codebook.tasks)
    assert {len(row) for row in rows} == {len(header)}
