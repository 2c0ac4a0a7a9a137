"""Small runs of the simulations of risk control and slices behind the evidence README."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments.evidence import risk_control, slices
from experiments.evidence.risk_control import by_sentence, made_up, plug_in, subset
from pipeline.bundle import BundleFacts, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.evaluation.risk_control import margin_for
from pipeline.settings.classifiers import RulesSettings

TINY = Path(__file__).parents[2] / "codebooks" / "tiny.yaml"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A model that needs no training."""
    tiny = load_codebook(TINY)
    facts = BundleFacts(name="kitchen", description="Rules.", limits=("None known.",))
    classifier = RulesClassifier(tiny, RulesSettings())
    write_bundle(tmp_path / "bundle", classifier, DecisionRule.plain(tiny), facts)
    return tmp_path / "bundle"


def test_without_a_correction_the_margin_is_smaller() -> None:
    seen = made_up(60, np.random.default_rng(1))
    measured = plug_in(seen, 0.1)
    assert seen.losses(measured).mean() <= 0.1
    assert seen.losses(np.nextafter(np.float32(measured), np.float32(0))).mean() > 0.1
    assert by_sentence(seen, 0.1) < margin_for(seen, 0.1)
    assert measured < margin_for(seen, 0.1)


def test_a_subset_keeps_the_losses_of_its_documents() -> None:
    seen = made_up(30, np.random.default_rng(2))
    chosen = np.array([20, 3, 11])
    assert subset(seen, chosen).losses(0.2).tolist() == seen.losses(0.2)[chosen].tolist()


def test_both_commands_print_their_tables(
    make_project: Callable[[Path], Path],
    rules: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    risk_control.main(["simulate", "--runs", "2"])
    rows = capsys.readouterr().out.splitlines()
    assert len([row for row in rows if row.startswith("| 0.1 |")]) == 12
    corpus = make_project(tmp_path / "project") / "corpus.jsonl"
    asked = ["halves", str(corpus), "--model", str(rules), "--repeats", "3"]
    risk_control.main(asked)
    rows = capsys.readouterr().out.splitlines()
    assert len([row for row in rows if row.startswith(("| topic |", "| tone |"))]) == 6


@pytest.mark.slow
def test_a_bad_genre_is_found_and_equal_ones_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    slices.main(["--rounds", "10"])
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if "|" in line]
    level = next(row for row in rows if row[1].strip() == "documents")
    assert float(level[5].strip(" %")) <= 30
    worst = next(row for row in rows if row[1].strip() == "+2")
    assert max(int(cell.strip(" %")) for cell in worst[3:5]) >= 50
