"""The files that a training is said to read are those that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.settings.weak import Labels
from pipeline.workflows.files_read import file_digests, files_changed


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> PipelineSettings:
    monkeypatch.chdir(project)
    return load_settings(Path("settings.yaml"))


@pytest.mark.parametrize("labels", Labels)
def test_a_weak_file_is_recorded_where_it_is_learned_from(
    settings: PipelineSettings, labels: Labels
) -> None:
    weak = Path("weak.jsonl")
    weak.write_text("{}\n", encoding="utf-8")
    data = settings.data.model_copy(update={"weak": (weak,), "labels": labels})
    found = file_digests(settings.model_copy(update={"data": data}), "majority")
    assert ("weak.jsonl" in found) is (labels is not Labels.CORPUS)
    assert found.keys() - {"weak.jsonl"} == file_digests(settings, "majority").keys()


def test_only_files_that_are_read_can_have_changed(settings: PipelineSettings) -> None:
    recorded = file_digests(settings, "majority")
    unread = {"weak.jsonl": "0" * 64}
    assert files_changed({**recorded, **unread}, settings, "majority") == []
    with settings.data.gold.open("a", encoding="utf-8") as file:
        file.write("\n")
    assert files_changed(recorded, settings, "majority") == [settings.data.gold.as_posix()]
