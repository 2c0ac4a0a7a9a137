"""What can be wrong with settings that are valid by themselves, found before anything starts."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from pipeline.bundle.folder import MANIFEST
from pipeline.classifiers.encoder import PACKAGED, resolve_encoder
from pipeline.classifiers.ensemble import EnsembleClassifier
from pipeline.classifiers.majority import MajorityClassifier
from pipeline.codebook import Codebook
from pipeline.errors import BundleError, InputError, SettingsError
from pipeline.labelling.name_lists import load_names
from pipeline.settings.classifiers import (
    ClassifierSettings,
    EmbeddingSettings,
    EncoderSettings,
    EnsembleSettings,
    MajoritySettings,
    TransformerSettings,
    files_read,
    parts,
)
from pipeline.settings.experiment import PipelineSettings
from pipeline.training.transfer import expected_shares, require_multiclass
from pipeline.workflows.behaviour import read_suite


def preflight(
    settings: PipelineSettings,
    codebook: Codebook,
    *,
    models: Collection[str] | None = None,
    where: str = "settings",
) -> None:
    """Hold the settings against the codebook and the disk; nothing is written or downloaded.

    Args:
        models: which of the settings' models are wanted; default: all.
        where: what the error names as the place of the mistakes, such as the settings file.

    Raises:
        SettingsError: all mistakes at once: shares of labels that the codebook does not know,
            weights of an ensemble that do not fit the tasks, encoders that are nowhere, labelled
            data that is missing, cases of behaviour tests that do not fit the codebook, outputs
            that cannot be.
    """
    mistakes = [
        *_data(settings),
        *_transfer(settings, codebook),
        *_behaviour(settings, codebook),
        *(
            mistake
            for name, model in settings.models.items()
            if models is None or name in models
            for mistake in _model(name, model, codebook)
        ),
        *_outputs(settings),
    ]
    if mistakes:
        raise SettingsError(mistakes, where=where)


def _data(settings: PipelineSettings) -> Iterator[str]:
    files = [(f"data.corpus[{i}]", path) for i, path in enumerate(settings.data.corpus)]
    files += [(f"data.weak[{i}]", path) for i, path in enumerate(settings.data.weak)]
    files += [
        (f"attribution.corpus[{i}]", path) for i, path in enumerate(settings.attribution.corpus)
    ]
    files.append(("data.gold", settings.data.gold))
    files += [
        (f"evaluation.external[{i}]", path) for i, path in enumerate(settings.evaluation.external)
    ]
    if (gate := settings.promote.gate.data) is not None:
        files.append(("promote.gate.data", gate))
    for key, path in files:
        if (kind := _kind(path)) != "file":
            got = "is a folder; expected a labelled file" if kind == "folder" else "no such file"
            yield f"{key} '{path}': {got} (.jsonl)"
    card = settings.card.data_card
    if card is not None and _kind(card) != "file":
        yield f"card.data_card '{card}': no such file"
    texts = settings.data.gold_statements
    if (kind := _kind(texts)) != "folder":
        got = "is a file; expected a folder" if kind == "file" else "no such folder"
        yield f"data.gold_statements '{texts}': {got}"


def _transfer(settings: PipelineSettings, codebook: Codebook) -> Iterator[str]:
    try:
        expected_shares(settings.prevalence, codebook)
    except SettingsError as error:
        yield from (f"prevalence: {mistake}" for mistake in error.mistakes)
    try:
        require_multiclass(settings.temperature, codebook)
    except SettingsError as error:
        yield from (f"temperature: {mistake}" for mistake in error.mistakes)


def _behaviour(settings: PipelineSettings, codebook: Codebook) -> Iterator[str]:
    if (behaviour := settings.behaviour) is None:
        return
    missing = {key: path for key, path in behaviour.files.items() if _kind(path) != "file"}
    yield from (f"behaviour.{key} '{path}': no such file" for key, path in missing.items())
    if not missing:
        try:
            read_suite(behaviour, codebook)
        except SettingsError as error:
            yield from error.mistakes
        except InputError as error:
            yield str(error)


def _model(name: str, model: ClassifierSettings, codebook: Codebook) -> Iterator[str]:
    key = f"models.{name}"
    for path in dict.fromkeys(files_read(model)):
        yield from _lists(f"{key}: augment.lists", path)
    if isinstance(model, EnsembleSettings):
        yield from (f"{key}.{mistake}" for mistake in _weights(model, codebook))
    for place, part in parts(model, key):
        if isinstance(part, EmbeddingSettings | TransformerSettings):
            yield from _encoder(f"{place}.encoder", part.encoder)


def _lists(key: str, path: Path) -> Iterator[str]:
    try:
        load_names(path)
    except SettingsError as error:
        yield from (f"{key} '{path}': {mistake}" for mistake in error.mistakes)
    except InputError as error:
        yield f"{key}: {error}"


def _weights(model: EnsembleSettings, codebook: Codebook) -> tuple[str, ...]:
    # The weights are checked when an ensemble is made; members that cost nothing will do for that.
    members = [MajorityClassifier(codebook, MajoritySettings()) for _ in model.members]
    try:
        EnsembleClassifier.of(codebook, members, model.weights)
    except SettingsError as error:
        return error.mistakes
    return ()


def _encoder(key: str, encoder: EncoderSettings) -> Iterator[str]:
    if encoder.name == PACKAGED:
        return
    if _kind(_expanded(encoder.name)) == "folder":
        try:
            resolve_encoder(encoder)
        except (InputError, BundleError) as error:
            yield f"{key}: {error}"
    elif encoder.name[0] in "/.~" or encoder.name.count("/") > 1:
        remedy = (
            "; 'make teacher' fetches that of configs/default.yaml" if ".teacher." in key else ""
        )
        yield f"{key}.name '{encoder.name}': no such folder{remedy}"
    elif encoder.revision is None:
        yield (
            f"{key}.name '{encoder.name}': no such folder. Expected '{PACKAGED}', a folder, or a "
            f"hub name; a hub name needs {key}.revision, the full commit hash"
        )


def _outputs(settings: PipelineSettings) -> Iterator[str]:
    predictions, report, bundle = settings.classify.out, settings.report.out, settings.promote.to
    if predictions.suffix.lower() != ".jsonl":
        yield f"classify.out '{predictions}': must end in .jsonl, since the report reads it"
    for key, path in (("classify.out", predictions), ("report.out", report)):
        if _kind(path) == "folder":
            yield f"{key} '{path}': is a folder; give the name of a file"
    if os.path.realpath(predictions) == os.path.realpath(report):
        yield f"report.out '{report}': is classify.out as well; give the report another name"
    if os.path.lexists(bundle) and not _replaceable(bundle):
        yield (
            f"promote.to '{bundle}': exists and is no model folder (no {MANIFEST} in it); give "
            "a new or empty folder"
        )


def _replaceable(folder: Path) -> bool:
    if _kind(folder / MANIFEST) == "file":
        return True
    try:
        return not any(folder.iterdir())
    except OSError:  # a file, a broken link, or a folder that cannot be opened
        return False


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # no such user
        return Path(name)


def _kind(path: Path) -> str:
    """Return "file", "folder" or, where nothing can be reached, ""."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    return "folder" if stat.S_ISDIR(mode) else "file"
