"""Settings for a command: what the file says, and what the command line says instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.prepare import ingest_settings, read_settings, require_ending
from pipeline.errors import SettingsError
from pipeline.settings.weak import Labels, WeakTargets


def test_what_is_learned_from_can_be_said_on_the_command_line(
    make_project: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_project(tmp_path))
    path = Path("settings.yaml")
    as_written = read_settings(path, None).settings.data
    assert (as_written.labels, as_written.weak_targets) == (Labels.CORPUS, WeakTargets.LABELS)
    changed = read_settings(
        path,
        None,
        labels=Labels.BOTH,
        weak=[Path("weak.jsonl")],
        weak_targets=WeakTargets.PROBABILITIES,
    ).settings.data
    assert changed == as_written.model_copy(
        update={
            "labels": Labels.BOTH,
            "weak": (Path("weak.jsonl"),),
            "weak_targets": WeakTargets.PROBABILITIES,
        }
    )


@pytest.mark.parametrize(
    "said", [{"weak": [Path("weak.jsonl")]}, {"weak_targets": WeakTargets.PROBABILITIES}]
)
def test_what_would_change_nothing_is_refused(
    make_project: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: dict[str, object],
) -> None:
    monkeypatch.chdir(make_project(tmp_path))
    with pytest.raises(SettingsError, match="need --labels weak or both"):
        read_settings(Path("settings.yaml"), None, **said)  # type: ignore[arg-type]


def test_settings_are_shown_without_the_address_of_the_store(
    make_project: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_project(tmp_path))
    shown = read_settings(Path("settings.yaml"), "postgresql://me:secret@db/runs").shown()
    assert "secret" not in shown
    assert json.loads(shown)["tracking"]["registered_model"] == "stance"


@pytest.mark.parametrize("date", ["2023-03-14", "2023-03", "2023"])
def test_dates_that_count(date: str) -> None:
    assert ingest_settings(date=date).date == date


@pytest.mark.parametrize(
    "date", ["14.03.2023", "2023-3-14", "2023-13", "2023-03-14T10:00", "2023\n1"]
)
def test_a_date_of_another_form_is_refused_in_words(date: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ingest_settings(date=date)
    (mistake,) = caught.value.mistakes
    assert mistake == f"options: 'date': expected YYYY-MM-DD, YYYY-MM or YYYY (got {date!r})"


@pytest.mark.parametrize("name", ["a.csv", "a.HTML", "a.htm"])
def test_an_output_with_an_ending_that_is_written(name: str) -> None:
    require_ending(Path(name), "curves are CSV or HTML", ".csv", ".html")


@pytest.mark.parametrize("name", ["a.pdf", "a", "-"])
def test_an_output_with_another_ending_is_refused(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        require_ending(Path(name), "curves are CSV or HTML", ".csv", ".html")
    (mistake,) = caught.value.mistakes
    assert mistake == f"'{name}': curves are CSV or HTML; give a name in .csv or .html"
