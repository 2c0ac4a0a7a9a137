"""From options to what the workflows take; imported by a command when it runs."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.cli.options import DEFAULT_CODEBOOK, SHIPPED_BUNDLE
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import SettingsError
from pipeline.settings.experiment import PipelineSettings, load_settings
from pipeline.settings.ingest import IngestSettings
from pipeline.validated_yaml import validate_model


def bundle_folder(given: Path | None) -> Path:
    """Return the model folder that was asked for, or the shipped one.

    The shipped model is looked for in the folder `stance` is started in, in the source tree the
    package runs from, and where the wheel puts it.
    """
    if given is not None:
        return given
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    places = (
        SHIPPED_BUNDLE,
        Path(__file__).resolve().parents[2] / SHIPPED_BUNDLE,
        *(
            Path(sysconfig.get_path("data", scheme)) / "share" / "stance-pipeline" / SHIPPED_BUNDLE
            for scheme in schemes
        ),
    )
    return next((place for place in places if place.exists()), SHIPPED_BUNDLE)


def codebook_file(given: Path) -> Path:
    """Return the codebook asked for; outside the project, the one of the shipped model."""
    if given != DEFAULT_CODEBOOK or given.exists():
        return given
    from pipeline.bundle.folder import CODEBOOK

    return bundle_folder(None) / CODEBOOK


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings of the pipeline, their codebook, and the file as it was written."""

    settings: PipelineSettings
    codebook: Codebook
    text: str

    def shown(self) -> str:
        """Return the settings, defaults filled in, as indented JSON."""
        return self.settings.model_dump_json(indent=2)


def read_settings(
    config: Path, tracking_uri: str | None, *, external: Sequence[Path] = ()
) -> LoadedSettings:
    """Read and validate settings and codebook; options given on the command line win.

    Raises:
        InputError: a file cannot be read.
        SettingsError: all mistakes of the file at once.
    """
    settings = load_settings(config)
    changes: dict[str, object] = {}
    if tracking_uri is not None:
        changes["tracking"] = settings.tracking.model_copy(update={"uri": tracking_uri})
    if external:
        more = (*settings.evaluation.external, *external)
        changes["evaluation"] = settings.evaluation.model_copy(update={"external": more})
    settings = settings.model_copy(update=changes)
    return LoadedSettings(
        settings, load_codebook(settings.codebook), config.read_text(encoding="utf-8")
    )


def ingest_settings(
    column: list[str] | None,
    max_bytes: int | None,
    speaker: str | None,
    date: str | None,
    genre: str | None,
    stdin_format: str | None,
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
