"""Folder and registry change together or not at all, and a model is registered once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.codebook import Codebook
from pipeline.errors import InputError, OutputError
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.tracking import Store, open_store
from pipeline.tracking.registered import CHALLENGER, CHAMPION, version_with
from pipeline.workflows.promote import promote, roll_back
from pipeline.workflows.train import train_model
from pipeline.workflows.watcher import Silent

pytestmark = pytest.mark.slow

NAME = "stance"


class Failing:
    """A client that does everything but set aliases."""

    def __init__(self, client: object) -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        if name == "set_registered_model_alias":
            return self._refuse
        return getattr(self._client, name)

    def _refuse(self, *_: str) -> None:
        raise OSError("database is locked")


class Noting(Silent):
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> PipelineSettings:
    monkeypatch.chdir(project)
    return load_settings(project / "settings.yaml")


@pytest.fixture
def store(settings: PipelineSettings) -> Store:
    return open_store(settings.tracking.uri)


@pytest.fixture
def ship(settings: PipelineSettings, tiny: Codebook, store: Store) -> Callable[[str, Store], str]:
    """Train a model once, and promote it; return the version that it is."""
    runs: dict[str, str] = {}

    def shipped(name: str, into: Store) -> str:
        if name not in runs:
            trained = train_model(name, settings, tiny, store, config="", watcher=Silent())
            runs[name] = trained.run_id
        to = settings.promote.to
        done = promote(runs[name], settings, tiny, into, to=to, watcher=Silent())
        return done.version.version

    return shipped


def test_what_the_store_refuses_changes_neither_folder_nor_alias(
    settings: PipelineSettings,
    tiny: Codebook,
    store: Store,
    ship: Callable[[str, Store], str],
) -> None:
    folder = settings.promote.to

    def state() -> tuple[str | None, str | None, list[str]]:
        """Return the shipped model, the champion, and what stands beside the folder."""
        manifest = folder / "manifest.json"
        model = json.loads(manifest.read_text())["model_id"] if manifest.exists() else None
        champion = version_with(store, NAME, CHAMPION)
        beside = sorted(path.name for path in folder.parent.iterdir())
        return model, champion and champion.version, beside

    failing = replace(store, client=Failing(store.client))
    with pytest.raises(OutputError, match="database is locked"):
        ship("majority", failing)
    assert state() == (None, None, [])
    assert ship("majority", store) == "1"
    weak = state()
    assert weak[1:] == ("1", [folder.name])
    with pytest.raises(OutputError, match="database is locked"):
        ship("rules", failing)
    assert state() == weak

    assert ship("rules", store) == "2"
    strong = state()
    with pytest.raises(OutputError, match="database is locked"):
        roll_back(settings, tiny, failing, to=folder, watcher=Silent())
    assert state() == strong
    roll_back(settings, tiny, store, to=folder, watcher=Silent())
    assert state() == weak
    challenger = version_with(store, NAME, CHALLENGER)
    assert challenger is not None
    assert challenger.version == "2"

    assert ship("rules", store) == "2"
    assert state() == strong
    assert version_with(store, NAME, CHALLENGER) is None
    versions = store.client.search_model_versions(f"name = '{NAME}'")
    assert sorted(str(one.version) for one in versions) == ["1", "2"]
    roll_back(settings, tiny, store, to=folder, watcher=Silent())
    assert state() == weak


def test_sets_to_evaluate_on_are_read_before_the_export(
    settings: PipelineSettings, tiny: Codebook, store: Store
) -> None:
    trained = train_model("majority", settings, tiny, store, config="", watcher=Silent())
    external = settings.evaluation.model_copy(update={"external": (settings.data.gold,)})
    twice = settings.model_copy(update={"evaluation": external})
    watcher = Noting()
    with pytest.raises(InputError, match="evaluation sets are called"):
        promote(trained.run_id, twice, tiny, store, to=settings.promote.to, watcher=watcher)
    assert "exporting" not in watcher.notes
