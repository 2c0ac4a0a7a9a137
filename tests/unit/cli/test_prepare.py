"""Settings for a command: what the file says, and what the command line says instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.prepare import read_settings
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
