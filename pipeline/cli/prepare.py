"""From options to what the workflows take; imported by a command when it runs."""

from __future__ import annotations

import atexit
import json
import shutil
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.options import (
    DEFAULT_CODEBOOK,
    DEFAULT_CONFIG,
    SHIPPED_ATTRIBUTION,
    SHIPPED_BUNDLE,
    Method,
)
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import SettingsError, near_matches
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.weak import Labels, WeakTargets
from pipeline.validated_yaml import validate_model

if TYPE_CHECKING:
    from pipeline.attribution import Attributor
    from pipeline.settings.classifiers import ClassifierSettings
    from pipeline.settings.experiment import PipelineSettings


def bundle_folder(given: Path | None) -> Path:
    """Return the model folder that was asked for, or the shipped one.

    A registered model ("models:/stance@champion") is fetched from $MLFLOW_TRACKING_URI, else from
    experiments/mlflow.db, into a folder that is gone when the process ends.

    The shipped model is looked for in the folder `stance` is started in, in the source tree the
    package runs from, and where the wheel puts it.

    Raises:
        InputError: there is no such registered model.
        OutputError: its store does not answer.
        MissingExtra: it needs MLflow, which is not installed.
    """
    if given is not None and str(given).startswith("models:"):
        return _registered(str(given))
    if given is not None:
        return given
    return _shipped(SHIPPED_BUNDLE)


def attributor_of(method: Method, folder: Path | None) -> Attributor:
    """Return what finds holders and targets.

    Raises:
        BundleError: the model is missing or was changed.
    """
    from pipeline.attribution import RuleAttributor
    from pipeline.attribution.combined import CombinedAttributor
    from pipeline.attribution.spans import load_span_model

    if method is Method.RULES:
        return RuleAttributor()
    model, _ = load_span_model(folder or _shipped(SHIPPED_ATTRIBUTION))
    return model if method is Method.SPANS else CombinedAttributor(model)


def _shipped(folder: Path) -> Path:
    """Return where a shipped model stands: here, in the source tree, or where the wheel puts it."""
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    places = (
        folder,
        Path(__file__).resolve().parents[2] / folder,
        *(
            Path(sysconfig.get_path("data", scheme)) / "share" / "stance-pipeline" / folder
            for scheme in schemes
        ),
    )
    return next((place for place in places if place.exists()), folder)


def _registered(reference: str) -> Path:
    from pipeline.tracking import open_store
    from pipeline.tracking.registered import download_version, resolve_reference

    store = open_store(None)
    version = resolve_reference(store, reference)
    into = tempfile.mkdtemp(prefix="stance-model-")
    atexit.register(shutil.rmtree, into, ignore_errors=True)
    return download_version(store, version, Path(into))


def codebook_file(given: Path) -> Path:
    """Return the codebook asked for; outside the project, the one of the shipped model."""
    if given != DEFAULT_CODEBOOK or given.exists():
        return given
    from pipeline.bundle.folder import CODEBOOK

    return bundle_folder(None) / CODEBOOK


def require_ending(out: Path, what: str, *endings: str) -> None:
    """Check how the name of an output ends; `what` says in which format it is written.

    Raises:
        SettingsError: it ends in none of `endings`; .htm counts as .html.
    """
    ending = out.suffix.lower()
    if (".html" if ending == ".htm" else ending) not in endings:
        mistake = f"'{out}': {what}; give a name in {' or '.join(endings)}"
        raise SettingsError([mistake], where="options")


def classifier_settings(config: Path | None, name: str | None) -> ClassifierSettings:
    """Return the settings of the classifier that was asked for; of the linear one by default.

    Raises:
        InputError: the settings cannot be read.
        SettingsError: they are wrong, or have no model of this name.
    """
    from pipeline.settings.classifiers import LinearSettings
    from pipeline.settings.experiment import load_settings

    if name is None:
        return LinearSettings()
    models = load_settings(config or DEFAULT_CONFIG).models
    if name not in models:
        raise SettingsError([f"no model '{name}'.{near_matches(name, models)}"], where="options")
    return models[name]


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings of the pipeline, their codebook, and the file as it was written."""

    settings: PipelineSettings
    codebook: Codebook
    text: str

    def shown(self) -> str:
        """Return the settings, defaults filled in, as indented JSON; see `recorded`."""
        return json.dumps(self.settings.recorded(), indent=2, ensure_ascii=False)


def read_settings(
    config: Path,
    tracking_uri: str | None,
    *,
    external: Sequence[Path] = (),
    labels: Labels | None = None,
    weak: Sequence[Path] = (),
    weak_targets: WeakTargets | None = None,
) -> LoadedSettings:
    """Read and validate settings and codebook; options given on the command line win.

    Raises:
        InputError: a file cannot be read.
        SettingsError: all mistakes of the file at once.
    """
    # Building the settings of all stages takes a tenth of a second, which most commands can save.
    from pipeline.settings.experiment import load_settings

    settings = load_settings(config)
    changes: dict[str, object] = {}
    if tracking_uri is not None:
        changes["tracking"] = settings.tracking.model_copy(update={"uri": tracking_uri})
    if external:
        more = (*settings.evaluation.external, *external)
        changes["evaluation"] = settings.evaluation.model_copy(update={"external": more})
    told = {"labels": labels, "weak": tuple(weak), "weak_targets": weak_targets}
    changes["data"] = settings.data.model_copy(update={k: v for k, v in told.items() if v})
    settings = settings.model_copy(update=changes)
    if (weak or weak_targets) and settings.data.labels is Labels.CORPUS:
        raise SettingsError(
            ["--weak and --weak-targets need --labels weak or both; data.labels is 'corpus'"],
            where=str(config),
        )
    if mistake := settings.weak_mistake():
        raise SettingsError([mistake], where=str(config))
    return LoadedSettings(
        settings, load_codebook(settings.codebook), config.read_text(encoding="utf-8")
    )


def ingest_settings(
    *,
    column: list[str] | None = None,
    max_bytes: int | None = None,
    speaker: str | None = None,
    date: str | None = None,
    genre: str | None = None,
    stdin_format: str | None = None,
) -> IngestSettings:
    """Return the settings of reading documents that these options ask for.

    Raises:
        SettingsError: an option has a value that does not fit; all of them at once.
    """
    columns: dict[str, str] = {}
    wrong: list[str] = []
    for pair in column or []:
        field, equals, name = pair.partition("=")
        if equals:
            columns[field] = name
        else:
            wrong.append(f"--column '{pair}': expected FIELD=NAME, for example text=content")
    if wrong:
        raise SettingsError(wrong, where="options")
    given = {
        "columns": columns,
        "max_bytes": max_bytes,
        "speaker": speaker,
        "date": date,
        "genre": genre,
        "stdin_format": stdin_format,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    return validate_model(IngestSettings, wanted, where="options")
