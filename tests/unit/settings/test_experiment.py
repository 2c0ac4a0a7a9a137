"""The settings of the pipeline: the files that are shipped, and every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.codebook import load_codebook
from pipeline.errors import InputError, SettingsError
from pipeline.settings.experiment import PipelineSettings, load_settings

ROOT = Path(__file__).parents[3]
CODEBOOK = ROOT / "configs" / "codebook.yaml"
NAMES = ROOT / "configs" / "names.yaml"
CONFIGS = sorted(set((ROOT / "configs").glob("*.yaml")) - {CODEBOOK, NAMES})

LEAST = """\
codebook: codebook.yaml
inputs: [docs]
work: work
data:
  corpus: [corpus.jsonl]
  gold: gold.jsonl
  gold_statements: statements
models:
  majority: {kind: majority}
classify: {out: predictions.jsonl}
report: {out: report.html}
"""


def load(tmp_path: Path, text: str) -> PipelineSettings:
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert caught.value.exit_code == 2
    return [mistake.removeprefix(f"{tmp_path}/") for mistake in caught.value.mistakes]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_settings_are_valid_and_name_files_that_are_there(path: Path) -> None:
    settings = load_settings(path)
    data = settings.data
    load_codebook(ROOT / settings.codebook)
    behaviour = settings.behaviour
    assert behaviour
    cases = behaviour.files.values()
    for name in (*data.corpus, data.gold, data.gold_statements, *settings.inputs, *cases):
        assert (ROOT / name).exists(), name


def test_there_are_shipped_settings() -> None:
    assert [path.name for path in CONFIGS if path.name == "demo.yaml"] == ["demo.yaml"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_settings_survive_being_written_as_json(path: Path) -> None:
    """The resolved settings are kept with every run; they must say all."""
    settings = load_settings(path)
    assert PipelineSettings.model_validate_json(settings.model_dump_json()) == settings


def test_the_least_settings_are_enough(tmp_path: Path) -> None:
    settings = load(tmp_path, LEAST)
    assert settings.promote.to == Path("models/default")
    assert settings.tracking.uri is None
    assert settings.behaviour is None
    assert list(settings.models) == ["majority"]


def test_all_mistakes_at_once_with_lines_and_near_matches(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        """\
codebook: codebook.yaml
inputs: []
work: work
sed: 13
data:
  corpus: [corpus.jsonl]
  golt: gold.jsonl
  gold_statements: statements
split:
  test: 0.7
models:
  Majority: {kind: majority}
  rules: {kind: ruls}
  net: {kind: transformer, epoch: 3, warmup: 2}
promote: {largest_share_flipped: often}
classify: {out: predictions.jsonl}
""",
    )
    expected = {
        "settings.yaml:2: 'inputs'": "at least 1 item",
        "settings.yaml:4: unknown key 'sed'": "Did you mean 'seed'?",
        "settings.yaml:7: unknown key 'data.golt'": "Did you mean 'gold'",
        "settings.yaml:5: 'data.gold' is missing": "",
        "settings.yaml:10: 'split.test'": "less than 0.5",
        "settings.yaml:12: 'models.Majority'": "at most 40 of a-z",
        "settings.yaml:13: 'models.rules": "'rules'",
        "settings.yaml:14: unknown key 'models.net.epoch'": "Did you mean 'epochs'?",
        "settings.yaml:14: 'models.net.warmup'": "less than or equal to 1",
        "settings.yaml:15: 'promote.largest_share_flipped'": "valid number",
        "settings.yaml: 'report' is missing": "",
    }
    for start, part in expected.items():
        assert [m for m in found if m.startswith(start) and part in m], (start, found)
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("change", "start", "part"),
    [
        (("{kind: majority}", "{}"), "settings.yaml:9:", "kind"),
        (("majority: {kind", "-m: {kind"), "settings.yaml:9: 'models.-m'", "at most 40"),
        (("[corpus.jsonl]", "[]"), "settings.yaml:5: 'data.corpus'", "at least 1"),
        (("work: work", "work: 3"), "settings.yaml:3: 'work'", "path"),
        (("inputs: [docs]", "inputs: docs"), "settings.yaml:2: 'inputs'", "tuple"),
        (("work: work", "work: work\nseed: -1"), "settings.yaml:4: 'seed'", "greater"),
        (("work: work", "work: work\nseed: 1.5"), "settings.yaml:4: 'seed'", "integer"),
        (
            (
                "work: work",
                "work: work\nbehaviour: {names: n.yaml, direction: d, functionality: f, "
                "thresholds: {invariance: 0}}",
            ),
            "settings.yaml:4: 'behaviour.thresholds.inv",
            "greater",
        ),
        (("work: work", "work: work\nsplit: {folds: 21}"), "settings.yaml:4: 'split.folds'", "20"),
    ],
)
def test_one_mistake(tmp_path: Path, change: tuple[str, str], start: str, part: str) -> None:
    (found,) = mistakes(tmp_path, LEAST.replace(*change))
    assert found.startswith(start)
    assert part in found


def test_only_a_model_of_the_settings_can_be_promoted(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, LEAST + "promote: {model: majorty}\n")
    assert "promote.model is 'majorty', not a model here. Did you mean 'majority'?" in found
    assert load(tmp_path, LEAST + "promote: {model: majority}\n").promote.model == "majority"


def test_no_model_can_be_called_best(tmp_path: Path) -> None:
    """`promote.model: best` would not say which is meant."""
    (found,) = mistakes(tmp_path, LEAST.replace("majority: {", "best: {"))
    assert "'best'" in found


def test_an_ensemble_needs_a_weight_for_every_member(tmp_path: Path) -> None:
    members = "{kind: ensemble, members: [{kind: rules}, {kind: majority}], weights: [1, 1, 1]}"
    (found,) = mistakes(tmp_path, LEAST.replace("{kind: majority}", members))
    assert found.startswith("settings.yaml:9:")
    assert "2 members but 3 weights" in found


def test_ensembles_do_not_nest(tmp_path: Path) -> None:
    inner = "{kind: ensemble, members: [{kind: rules}, {kind: rules}], weights: [1, 1]}"
    outer = f"{{kind: ensemble, members: [{inner}, {{kind: rules}}], weights: [1, 1]}}"
    found = mistakes(tmp_path, LEAST.replace("{kind: majority}", outer))
    assert found[0].startswith("settings.yaml:9: 'models.majority.members.0'")
    assert "'ensemble'" in found[0]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_settings(tmp_path / "nowhere.yaml")
