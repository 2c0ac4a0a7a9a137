"""Models to compare: found by run, alias or folder, and what each of them has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from pipeline.bundle.folder import MANIFEST, read_facts
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.records import LabelledDocument, LabelledSentence
from pipeline.settings.experiment import TrackingSettings
from pipeline.settings.weak import Labels
from pipeline.tracking import Store, data_digests, digest_of, download_bundle, find_run, read_json
from pipeline.tracking.registered import (
    ALIASES,
    download_version,
    find_version,
    is_reference,
    resolve_reference,
)
from pipeline.workflows.files_read import FILES_ARTIFACT, file_digest
from pipeline.workflows.scoring import read_documents, sentences_of
from pipeline.workflows.train import CONFIG_ARTIFACT, SPLIT_ARTIFACT, without_held_out
from pipeline.workflows.watcher import Watcher

_USES = ("train", "calibration", "test")


class _Data(BaseModel):
    corpus: tuple[Path, ...]
    weak: tuple[Path, ...] = ()
    labels: Labels = Labels.CORPUS
    gold: Path | None = None


class _Evaluation(BaseModel):
    external: tuple[Path, ...] = ()


class _Settings(BaseModel):
    """What is read of the settings that a run keeps; the rest may be of another version."""

    data: _Data
    evaluation: _Evaluation = _Evaluation()


@dataclass(frozen=True, slots=True)
class Contender:
    """A model to compare.

    `label` is what tables call it; `run_id` the run that trained it, if it names one; `fetch`
    copies its bundle into a folder that is there and returns where it lies.
    """

    label: str
    reference: str
    run_id: str | None
    fetch: Callable[[Path], Path]


@dataclass(frozen=True, slots=True)
class Learned:
    """What a run learned from and what it held out, read from the files it names.

    `seen` are the sentences of its training and calibration documents, and the weakly labelled ones
    that it was fitted on. `changed` says how what is read differs from what the run recorded, empty
    where it does not.
    """

    seen: tuple[LabelledSentence, ...]
    held_out: tuple[LabelledDocument, ...]
    changed: str = ""


def find_contender(store: Store, reference: str, tracking: TrackingSettings) -> Contender:
    """Return the model that a reference means.

    That is an alias of the registered model (`champion`, `challenger`), the address of any version
    (models:/NAME@ALIAS, models:/NAME/VERSION), the folder of a bundle, or a run by its id, the
    beginning of one, or its name (the latest).

    Raises:
        InputError: there is no such model; the message lists runs.
        BundleError: the folder holds a bundle that is not sound.
        OutputError: the store does not answer.
    """
    if reference in ALIASES or is_reference(reference):
        version = (
            find_version(store, tracking.registered_model, reference)
            if reference in ALIASES
            else resolve_reference(store, reference)
        )
        return Contender(
            f"{reference} (version {version.version})" if reference in ALIASES else version.address,
            reference,
            version.run_id,
            lambda into: download_version(store, version, into),
        )
    folder = Path(reference)
    if (folder / MANIFEST).is_file():
        manifest, _ = read_facts(folder)
        label = f"{folder.resolve().name} {manifest.model_id.rpartition('-')[2][:8]}"
        return Contender(label, reference, manifest.facts.run_id, lambda _: folder)
    run = find_run(store, reference, experiment=tracking.experiment)
    return Contender(
        f"{run.name} {run.run_id[:8]}",
        reference,
        run.run_id,
        lambda into: download_bundle(store, run.run_id, into),
    )


def require_different(contenders: Sequence[Contender]) -> None:
    """Check that no model is named twice.

    Raises:
        InputError: two references mean one model.
    """
    by_label: dict[str, str] = {}
    for one in contenders:
        if one.label in by_label:
            raise InputError(
                f"'{by_label[one.label]}' and '{one.reference}' are the same model, {one.label}. "
                "Name another one; of runs with the same name the latest is taken, so give the id."
            )
        by_label[one.label] = one.reference


def learned_by(
    contender: Contender, codebook: Codebook, store: Store, watcher: Watcher
) -> Learned | str:
    """Return what a model was trained on, or why that is not known.

    The corpora are read where the run says they lie, and held against the digests it recorded.

    Raises:
        OutputError: the store does not answer.
    """
    if contender.run_id is None:
        return "it names no run"
    try:
        recorded = TypeAdapter(dict[str, list[str]]).validate_python(
            read_json(store, contender.run_id, SPLIT_ARTIFACT)
        )
        settings = _Settings.model_validate(read_json(store, contender.run_id, CONFIG_ARTIFACT))
        corpus = read_documents(settings.data.corpus, codebook, watcher)
        weak = _weak_files(settings, contender.run_id, store)
        sets = _evaluated(settings, codebook, watcher) if weak else ()
        read = read_documents(list(weak), codebook, watcher)
    except (InputError, ValidationError) as error:
        return str(error).partition("\n")[0]
    documents = {document.doc_id: document for document in corpus}
    digests = data_digests(store, contender.run_id)
    parts: dict[str, tuple[LabelledDocument, ...]] = {}
    changed = []
    for use in _USES:
        ids = recorded.get(use, [])
        parts[use] = tuple(documents[i] for i in ids if i in documents)
        if len(parts[use]) < len(ids):
            changed.append(f"{len(ids) - len(parts[use])} {use} documents are gone")
        elif digest_of(parts[use], codebook) != digests.get(use):
            changed.append(f"{use} documents were changed")
    changed += [f"{path} was changed" for path, same in weak.items() if not same]
    held_out = (*parts["calibration"], *parts["test"], *sets)
    seen = (
        *sentences_of((*parts["train"], *parts["calibration"])),
        *without_held_out(sentences_of(read), held_out),
    )
    return Learned(seen, parts["test"], ", ".join(changed))


def _weak_files(settings: _Settings, run_id: str, store: Store) -> dict[Path, bool]:
    """Return the weakly labelled files that were learned from, and whether they are as they were.

    Raises:
        InputError: one is gone, or the run did not record what was in them.
        ValidationError: what it recorded is of another form.
    """
    if settings.data.labels is Labels.CORPUS or not settings.data.weak:
        return {}
    recorded = TypeAdapter(dict[str, str]).validate_python(read_json(store, run_id, FILES_ARTIFACT))
    return {path: recorded.get(path.as_posix()) == file_digest(path) for path in settings.data.weak}


def _evaluated(
    settings: _Settings, codebook: Codebook, watcher: Watcher
) -> tuple[LabelledDocument, ...]:
    """Return the documents that a run reported on, of which no weak label was learned."""
    gold = () if settings.data.gold is None else (settings.data.gold,)
    return read_documents((*gold, *settings.evaluation.external), codebook, watcher)
