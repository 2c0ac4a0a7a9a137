"""What `stance tune` may search: every mistake with its line, values put in their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from pipeline.errors import SettingsError
from pipeline.settings.classifiers import ClassifierSettings
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.settings.tuning import (
    DEFAULT_SPACES,
    Range,
    TuneSettings,
    space_mistakes,
    space_of,
    takes_whole_numbers,
    value_of,
    with_values,
)

LEAST = """\
codebook: codebook.yaml
inputs: [docs]
work: work
data: {corpus: [corpus.jsonl], gold: gold.jsonl, gold_statements: statements}
models:
  majority: {kind: majority}
  linear: {kind: linear, c: 2}
  net: {kind: transformer, encoder: {max_tokens: 64}}
  both: {kind: ensemble, members: [{kind: rules}, {kind: majority}], weights: [1, 1]}
classify: {out: predictions.jsonl}
report: {out: report.html}
tune:
  space:
"""


def load(tmp_path: Path, space: str) -> PipelineSettings:
    path = tmp_path / "settings.yaml"
    path.write_text(LEAST + space, encoding="utf-8")
    return load_settings(path)


def model(text: dict[str, object]) -> ClassifierSettings:
    adapter: TypeAdapter[ClassifierSettings] = TypeAdapter(ClassifierSettings)
    return adapter.validate_python(text)


def test_all_that_does_not_fit_the_models_at_once_with_lines(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(
            tmp_path,
            """\
    linar: {c: {low: 1, high: 2}}
    both: {weights: [[1, 1], [1, 2]]}
    linear:
      cc: {low: 1, high: 2}
      word_ngrams:
        - [1, 2]
        - [0, 9]
      c: {low: -1, high: 4}
      balanced: [true, maybe]
    net:
      encoder.max_token: [32, 64]
      dropout: {low: 0, high: 3}
""",
        )
    found = [mistake.removeprefix(f"{tmp_path}/") for mistake in caught.value.mistakes]
    expected = {
        "settings.yaml:14: 'tune.space.linar'": "Did you mean 'linear'?",
        "settings.yaml:15: 'tune.space.both'": "tune its members",
        "settings.yaml:17: 'tune.space.linear.cc'": "Did you mean 'c'?",
        "settings.yaml:20: 'tune.space.linear.word_ngrams.1'": "greater than or equal to 1",
        "settings.yaml:21: 'tune.space.linear.c.low'": "greater than 0 (got -1)",
        "settings.yaml:22: 'tune.space.linear.balanced.1'": "(got 'maybe')",
        "settings.yaml:24: 'tune.space.net.encoder.max_token'": "'encoder.max_tokens'",
        "settings.yaml:25: 'tune.space.net.dropout.high'": "less than or equal to 1 (got 3)",
    }
    for start, part in expected.items():
        assert [m for m in found if m.startswith(start) and part in m], (start, found)
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("domain", "part"),
    [
        ("3", "expected a range {low: ..., high: ...} or a list of choices"),
        ("{low: 4, high: 2}", "low 4 must lie below high 2"),
        ("{low: 0, high: 2, log: true}", "log needs a low above 0"),
        ("{low: 1}", "is missing"),
        ("{low: 1, high: 2, lgo: true}", "unknown key"),
        ("[1]", "at least 2 items"),
    ],
)
def test_domains_that_are_none(tmp_path: Path, domain: str, part: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f"    linear: {{c: {domain}}}\n")
    (mistake,) = caught.value.mistakes
    assert mistake.removeprefix(f"{tmp_path}/").startswith("settings.yaml:14:")
    assert part in mistake


def test_a_space_survives_being_written_as_json(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        "    linear: {c: {low: 0.1, high: 9, log: true}, min_df: {low: 1, high: 4},\n"
        "      word_ngrams: [[1, 1], [1, 2]], balanced: [true, false]}\n",
    )
    assert PipelineSettings.model_validate_json(settings.model_dump_json()) == settings
    assert settings.tune.space["linear"]["word_ngrams"] == ((1, 1), (1, 2))


@pytest.mark.parametrize("kind", DEFAULT_SPACES)
def test_the_spaces_of_the_kinds_fit_them_and_hold_their_defaults(kind: str) -> None:
    wanted = model({"kind": kind})
    space = space_of("any", wanted, TuneSettings())
    assert not list(space_mistakes({"any": space}, {"any": wanted}))
    for key, domain in space.items():
        value = value_of(wanted, key)
        if isinstance(domain, Range):
            assert isinstance(value, int | float)
            assert domain.low <= value <= domain.high
        else:
            assert value in domain


def test_a_model_without_a_space(tmp_path: Path) -> None:
    settings = load(tmp_path, "    linear: {c: [1, 2]}\n")
    with pytest.raises(SettingsError, match=r"'majority' of kind majority: give tune\.space\.maj"):
        space_of("majority", settings.models["majority"], settings.tune)


def test_values_go_to_their_place_and_the_rest_stays_as_it_was_written() -> None:
    wanted = model({"kind": "transformer", "encoder": {"max_tokens": 64}, "epochs": 4})
    changed = with_values(wanted, {"encoder.max_tokens": 32, "dropout": 0.2})
    assert value_of(changed, "encoder.max_tokens") == 32
    assert changed.model_dump(exclude_unset=True) == {
        "kind": "transformer",
        "encoder": {"max_tokens": 32},
        "epochs": 4,
        "dropout": 0.2,
    }
    assert value_of(wanted, "encoder.max_tokens") == 64


def test_whole_numbers_are_told_from_others_by_the_key() -> None:
    linear, bounds = model({"kind": "linear"}), Range(low=1, high=4)
    assert takes_whole_numbers(linear, "min_df", bounds)
    assert not takes_whole_numbers(linear, "c", bounds)
