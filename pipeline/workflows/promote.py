"""Stage `promote`: a trained model becomes the champion, if the gate lets it, and is shipped."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.bundle import Bundle, BundleFacts, Figure, installed, load_bundle, write_bundle
from pipeline.bundle.export import Parity, deployable, measure_parity
from pipeline.bundle.folder import require_replaceable
from pipeline.codebook import Codebook
from pipeline.errors import CheckFailed, InputError
from pipeline.records import LabelledDocument
from pipeline.settings.experiment import PipelineSettings
from pipeline.tracking import Store, download_bundle, read_json
from pipeline.tracking.promotions import log_promotion
from pipeline.tracking.registered import (
    CHALLENGER,
    CHAMPION,
    MODEL_ID,
    RegisteredVersion,
    champion_before,
    describe_version,
    download_version,
    go_back,
    make_challenger,
    make_champion,
    no_challenger,
    register,
    version_to_reuse,
    version_with,
)
from pipeline.workflows.behaviour import read_suite, run_suite
from pipeline.workflows.gate import (
    BEHAVIOUR,
    Gate,
    behaviour_gate,
    calibration_gate,
    comparison_gate,
    papers_gate,
    parity_gate,
)
from pipeline.workflows.model_facts import ALWAYS
from pipeline.workflows.scoring import (
    HELD_OUT,
    Scored,
    evaluation_sets,
    read_documents,
    score,
    sentences_of,
)
from pipeline.workflows.train import SPLIT_ARTIFACT
from pipeline.workflows.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Promotion:
    """The model that is now the champion, where it was written, and what the gate said of it."""

    model_id: str
    folder: Path
    version: RegisteredVersion
    parity: Parity
    gates: tuple[Gate, ...]


@dataclass(frozen=True, slots=True)
class Rollback:
    """The version that is the champion again, the one that was, and where it was written."""

    version: RegisteredVersion
    left: RegisteredVersion
    model_id: str
    folder: Path


@dataclass(frozen=True, slots=True)
class _Exported:
    """An exported model, the facts for its bundle, and what the gate judges it by."""

    bundle: Bundle
    parity: Parity
    scored: tuple[Scored, ...]
    held_out: tuple[LabelledDocument, ...]
    corpus: tuple[LabelledDocument, ...]


def promote(
    run_id: str,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    *,
    to: Path,
    watcher: Watcher,
) -> Promotion:
    """Export the model of a run; if it passes the gate, make it champion and write it to `to`.

    Transformers become int8 ONNX. The exported model is measured anew: the figures on its card are
    its own. It becomes a version of the registered model whether it passes or not; one that does
    not gets the alias `challenger`, and `to` stays as it is. A model that has a version already
    gets no second one, unless that is a champion that one can go back to. Where the store fails,
    both `to` and the alias `champion` stay as they are.

    Raises:
        InputError: the run, its model or its data are not there.
        BundleError: the model does not fit the codebook.
        CheckFailed: the model cannot run without torch, or the gate refuses it.
        OutputError: `to` or the store cannot be written.
    """
    require_replaceable(to)
    name = settings.tracking.registered_model
    with tempfile.TemporaryDirectory(prefix="stance-promote-") as scratch:
        folder = Path(scratch) / "bundle"
        exported = _exported(run_id, settings, codebook, store, Path(scratch), folder, watcher)
        champion = version_with(store, name, CHAMPION)
        gates = _gates(exported, run_id, champion, settings, codebook, store, watcher)
        passed = all(gate.passed for gate in gates)
        model_id = exported.bundle.model_id
        if champion is not None and champion.model_id == model_id:
            version = champion
        else:
            watcher.note("registering")
            version = _registered(exported.bundle, run_id, champion, gates, settings, store, folder)
        if not passed:
            if version != champion:
                make_challenger(store, version)
            raise CheckFailed(_refusal(model_id, version, version == champion, gates, to))
        if version_with(store, name, CHAMPION) != champion:
            raise CheckFailed(
                f"{model_id} is not promoted: while it was measured, another model became the "
                f"champion of '{name}'. Promote it again; {to} stays as it is."
            )
        with installed(folder, to):
            make_champion(store, version)
    no_challenger(store, version)
    return Promotion(model_id, to, version, exported.parity, gates)


def roll_back(
    settings: PipelineSettings, codebook: Codebook, store: Store, *, to: Path, watcher: Watcher
) -> Rollback:
    """Make the champion before this one the champion again, and write it to `to`.

    The one that was the champion gets the alias `challenger`. Where the store fails, both `to` and
    the alias `champion` stay as they are.

    Raises:
        InputError: there is no champion, or none before it.
        BundleError: the earlier model does not fit the codebook.
        OutputError: `to` or the store cannot be written.
    """
    require_replaceable(to)
    champion, before = champion_before(store, settings.tracking.registered_model)
    with tempfile.TemporaryDirectory(prefix="stance-rollback-") as scratch:
        watcher.note(f"fetching version {before.version}")
        folder = download_version(store, before, Path(scratch))
        model_id = load_bundle(folder, codebook=codebook).model_id
        with installed(folder, to):
            go_back(store, before)
    make_challenger(store, champion)
    return Rollback(before, champion, model_id, to)


def _exported(
    run_id: str,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    scratch: Path,
    folder: Path,
    watcher: Watcher,
) -> _Exported:
    """Export the model of a run, measure it, and write its bundle to `folder`."""
    watcher.note("fetching the trained model")
    trained = load_bundle(download_bundle(store, run_id, scratch), codebook=codebook)
    corpus, held_out = _documents(run_id, settings, codebook, store, watcher)
    sets = evaluation_sets(held_out, settings.data, settings.evaluation, codebook, watcher)
    watcher.note("exporting")
    working = scratch / "export"
    working.mkdir()
    classifier = deployable(trained.classifier, working)
    parity = measure_parity(
        trained.classifier,
        classifier,
        [labelled.sentence for labelled in sentences_of(held_out)],
        trained.rule,
        codebook,
    )
    scored: list[Scored] = []
    for data in sets:
        watcher.note(f"scoring {data.name}")
        replicates = settings.evaluation.replicates
        scored.append(
            score(classifier, trained.rule, data, replicates=replicates, seed=settings.seed)
        )
    figures = [figure for one in scored for figure in one.figures()]
    facts = _facts(trained.manifest.facts, run_id, figures, parity, settings)
    write_bundle(folder, classifier, trained.rule, facts)
    bundle = load_bundle(folder, codebook=codebook)
    return _Exported(bundle, parity, tuple(scored), held_out, corpus)


def _facts(
    trained: BundleFacts,
    run_id: str,
    figures: Sequence[Figure],
    parity: Parity,
    settings: PipelineSettings,
) -> BundleFacts:
    return trained.model_copy(
        update={
            "figures": tuple(figures),
            "parity": parity.figures(),
            "run_id": run_id,
            "licence": settings.card.licence,
            "limits": (*settings.card.limits, *ALWAYS),
        }
    )


def _gates(
    exported: _Exported,
    run_id: str,
    champion: RegisteredVersion | None,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    watcher: Watcher,
) -> tuple[Gate, ...]:
    wanted, bundle = settings.promote, exported.bundle
    (held_out,) = (one for one in exported.scored if one.data.name == HELD_OUT)
    if settings.behaviour is None:
        behaviour = Gate(BEHAVIOUR, True, "not tested: the settings have no section 'behaviour'")
    else:
        watcher.note("testing behaviour")
        results = run_suite(
            read_suite(settings.behaviour, codebook),
            bundle.classifier,
            bundle.rule,
            [labelled.sentence for labelled in sentences_of(exported.held_out)],
            [labelled.sentence.text for labelled in sentences_of(exported.corpus)],
            seed=settings.seed,
        )
        behaviour = behaviour_gate(results, wanted.gate.behaviour)
    return (
        comparison_gate(bundle, run_id, champion, settings, codebook, store, watcher),
        behaviour,
        calibration_gate(held_out.report, codebook, wanted.gate.largest_ece),
        parity_gate(exported.parity, wanted.largest_share_flipped),
        papers_gate(settings.card),
    )


def _registered(
    bundle: Bundle,
    run_id: str,
    champion: RegisteredVersion | None,
    gates: Sequence[Gate],
    settings: PipelineSettings,
    store: Store,
    folder: Path,
) -> RegisteredVersion:
    """Log the exported model with what the gate said, and register it, unless it has a version."""
    facts = bundle.manifest.facts
    said = {f"gate.{one.name}": f"{_verdict(one)}: {one.said}" for one in gates}
    about = {
        "licence": facts.licence,
        "codebook": f"{bundle.codebook.name} {bundle.codebook.version}",
        "kind": bundle.manifest.kind,
    }
    table = [f"| {one.name} | {_verdict(one)} | {one.said.replace('|', '/')} |" for one in gates]
    lines = ["| gate | result | figures |", "|---|---|---|", *table]
    description = f"{facts.description}\n\nModel `{bundle.model_id}`, trained by run `{run_id}`."
    description += "\n\n" + "\n".join(lines)
    name = settings.tracking.registered_model
    kept = version_to_reuse(store, name, bundle.model_id, champion)
    if kept is not None:
        describe_version(store, kept, tags={**about, **said}, description=description)
        return kept
    address = log_promotion(
        store,
        run_id,
        folder,
        params=settings.promote.model_dump(mode="json"),
        tags={**about, **said, MODEL_ID: bundle.model_id},
        metrics={f"{one.name}/{name}": value for one in gates for name, value in one.figures},
        description=description,
    )
    return register(
        store,
        name,
        address,
        run_id=run_id,
        model_id=bundle.model_id,
        tags={**about, **said},
        description=description,
    )


def _verdict(gate: Gate) -> str:
    return "passed" if gate.passed else "failed"


def _refusal(
    model_id: str, version: RegisteredVersion, champion: bool, gates: Sequence[Gate], to: Path
) -> str:
    failed = [gate for gate in gates if not gate.passed]
    kept = CHAMPION if champion else CHALLENGER
    return (
        f"{model_id} is not promoted: {len(failed)} of {len(gates)} gates failed.\n"
        + "".join(f"  {gate.name}: {gate.said}.\n" for gate in failed)
        + f"It is version {version.version} of '{version.name}', alias '{kept}'; {to} stays as it "
        "is."
    )


def _documents(
    run_id: str,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    watcher: Watcher,
) -> tuple[tuple[LabelledDocument, ...], tuple[LabelledDocument, ...]]:
    """Return the corpus, and of it all documents that the run did not learn from, or an error."""
    split = read_json(store, run_id, SPLIT_ARTIFACT)
    wanted = TypeAdapter(dict[str, list[str]]).validate_python(split)["test"]
    corpus = read_documents(settings.data.corpus, codebook, watcher)
    documents = {document.doc_id: document for document in corpus}
    missing = [doc_id for doc_id in wanted if doc_id not in documents]
    if missing:
        raise InputError(
            f"Run {run_id} held out {len(wanted)} documents, but {len(missing)} of them are not in "
            f"the corpus of the settings (first: {missing[0]}). Use the settings of that run."
        )
    return corpus, tuple(documents[doc_id] for doc_id in wanted)
