"""The model card says what a reader must know."""

from __future__ import annotations

from pathlib import Path

from pipeline.bundle import BundleFacts, write_bundle
from pipeline.bundle.card import render_card
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import DecisionRule
from pipeline.settings.classifiers import RulesSettings


def card_of(codebook: Codebook, facts: BundleFacts, folder: Path) -> str:
    k = codebook.width
    rule = DecisionRule(
        scale=tuple(1.5 + j for j in range(k)),
        bias=tuple(0.25 - j for j in range(k)),
        threshold=tuple(0.321 + j / 1000 for j in range(k)),
    )
    manifest = write_bundle(folder, RulesClassifier(codebook, RulesSettings()), rule, facts)
    text = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert text == render_card(manifest, codebook, rule)
    assert text.startswith(f"# Model card: {manifest.model_id}\n")
    return text


def test_the_card_names_origin_limits_and_figures(
    codebook: Codebook, facts: BundleFacts, tmp_path: Path
) -> None:
    text = card_of(codebook, facts, tmp_path / "bundle")
    for part in (
        facts.description,
        "- Kind: rules;",
        f"- Codebook: {codebook.name} {codebook.version}",
        "- Licence: CC0-1.0",
        "- Training run: 0123456789abcdef",
        "- Knows nothing of desserts.",
        "| held-out | x.macro_f1 | 0.500 | 0.250 to 0.750 | 9 |",
        "| gold | x.macro_f1 | 0.400 | too few documents | 3 |",
        "- documents for train: 7",
        "- flipped: 0.0025",
    ):
        assert part in text


def test_the_card_names_every_threshold(
    codebook: Codebook, facts: BundleFacts, tmp_path: Path
) -> None:
    text = card_of(codebook, facts, tmp_path / "bundle")
    for j, (task, label) in enumerate(codebook.columns):
        multilabel = codebook.tasks[task].type is TaskType.MULTILABEL
        shown = f"{0.321 + j / 1000:.3f}" if multilabel else "most probable"
        assert f"| {task}.{label} | {1.5 + j:.3f} | {0.25 - j:+.3f} | {shown} |" in text


def test_a_card_without_figures_says_so(
    codebook: Codebook, facts: BundleFacts, tmp_path: Path
) -> None:
    bare = facts.model_copy(update={"figures": (), "parity": {}, "run_id": None, "limits": ()})
    text = card_of(codebook, bare, tmp_path / "bundle")
    assert "None recorded." in text
    assert "None stated." in text
    assert "Training run" not in text
    assert "Exported against" not in text


def test_every_table_is_well_formed(codebook: Codebook, facts: BundleFacts, tmp_path: Path) -> None:
    lines = card_of(codebook, facts, tmp_path / "bundle").splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 2 + 2 + codebook.width
    assert {row.count("|") for row in rows} == {6, 5}


def test_the_band_of_abstention_is_named(
    codebook: Codebook, facts: BundleFacts, tmp_path: Path
) -> None:
    """Who reads a card must learn that some decisions are withheld."""
    rule = DecisionRule.plain(codebook)
    manifest = write_bundle(tmp_path / "b", RulesClassifier(codebook, RulesSettings()), rule, facts)
    withholding = DecisionRule(rule.scale, rule.bias, rule.threshold, abstain_within=0.125)
    assert "0.125" in render_card(manifest, codebook, withholding)
    assert "withheld" in render_card(manifest, codebook, withholding)
    assert "withheld" not in render_card(manifest, codebook, rule)
    by_task = dict.fromkeys(codebook.tasks, 0.25) | {next(iter(codebook.tasks)): 0.5}
    apart = DecisionRule(rule.scale, rule.bias, rule.threshold, abstain_within=by_task)
    card = render_card(manifest, codebook, apart)
    assert f"0.500 ({next(iter(codebook.tasks))})" in card
    assert f"0.250 ({list(codebook.tasks)[-1]})" in card
