"""Stage `promote`: a trained model becomes the bundle that is shipped."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.bundle import Figure, load_bundle, write_bundle
from pipeline.bundle.export import Parity, check_parity, deployable
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.records import LabelledDocument
from pipeline.settings.experiment import PipelineSettings
from pipeline.tracking import Store, download_bundle, read_json
from pipeline.workflows.model_facts import ALWAYS
from pipeline.workflows.scoring import evaluation_sets, read_documents, score, sentences_of
from pipeline.workflows.train import SPLIT_ARTIFACT
from pipeline.workflows.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Promotion:
    """The model that was written, how far it is from the trained one, and its measured figures."""

    model_id: str
    folder: Path
    parity: Parity
    figures: tuple[Figure, ...]


def promote(
    run_id: str,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    *,
    to: Path,
    watcher: Watcher,
) -> Promotion:
    """Export the model of a run to `to`, if it passes the parity check.

    Transformers become int8 ONNX. Parity is checked on the documents that the run held out, and the
    exported model is measured anew: the figures on its card are its own.

    Raises:
        InputError: the run, its model or its data are not there.
        BundleError: the model does not fit the codebook.
        CheckFailed: exported and trained model differ by more than the settings allow.
    """
    with tempfile.TemporaryDirectory(prefix="stance-promote-") as scratch:
        watcher.note("fetching the trained model")
        trained = load_bundle(download_bundle(store, run_id, Path(scratch)), codebook=codebook)
        held_out = _held_out(run_id, settings, codebook, store, watcher)
        watcher.note("exporting")
        export_folder = Path(scratch) / "export"
        export_folder.mkdir()
        exported = deployable(trained.classifier, export_folder)
        parity = check_parity(
            trained.classifier,
            exported,
            [labelled.sentence for labelled in sentences_of(held_out)],
            trained.rule,
            codebook,
            largest_share_flipped=settings.promote.largest_share_flipped,
        )
        figures: list[Figure] = []
        for data in evaluation_sets(
            held_out, settings.data, settings.evaluation, codebook, watcher
        ):
            watcher.note(f"scoring {data.name}")
            scored = score(
                exported,
                trained.rule,
                data,
                replicates=settings.evaluation.replicates,
                seed=settings.seed,
            )
            figures += scored.figures()
        facts = trained.manifest.facts.model_copy(
            update={
                "figures": tuple(figures),
                "parity": parity.figures(),
                "run_id": run_id,
                "licence": settings.card.licence,
                "limits": (*settings.card.limits, *ALWAYS),
            }
        )
        manifest = write_bundle(to, exported, trained.rule, facts)
    return Promotion(manifest.model_id, to, parity, tuple(figures))


def _held_out(
    run_id: str,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    watcher: Watcher,
) -> Sequence[LabelledDocument]:
    """Return the documents that the run did not learn from; all of them, or an error."""
    split = read_json(store, run_id, SPLIT_ARTIFACT)
    wanted = TypeAdapter(dict[str, list[str]]).validate_python(split)["test"]
    documents = {
        document.doc_id: document
        for document in read_documents(settings.data.corpus, codebook, watcher)
    }
    missing = [doc_id for doc_id in wanted if doc_id not in documents]
    if missing:
        raise InputError(
            f"Run {run_id} held out {len(wanted)} documents, but {len(missing)} of them are not in "
            f"the corpus of the settings (first: {missing[0]}). Use the settings of that run."
        )
    return [documents[doc_id] for doc_id in wanted]
