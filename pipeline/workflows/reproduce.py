"""Train a logged run once more from what it recorded, and say how near the result is."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipeline.bundle.folder import read_facts
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import InputError
from pipeline.settings.classifiers import ClassifierSettings, EnsembleSettings, TransformerSettings
from pipeline.settings.experiment import PipelineSettings
from pipeline.tracking import RunFacts, Store, data_digests, download_bundle, read_json
from pipeline.tracking.environment import environment_facts
from pipeline.tracking.reproductions import (
    measured,
    note_reproduction,
    probability_differences,
)
from pipeline.validated_yaml import validate_model
from pipeline.workflows.contenders import find_contender, learned_by
from pipeline.workflows.files_read import FILES_ARTIFACT, files_changed
from pipeline.workflows.scoring import HELD_OUT
from pipeline.workflows.train import CONFIG_ARTIFACT, TrainedModel, train_model
from pipeline.workflows.watcher import Watcher

FINE_TUNED_WITHIN = 0.02
"""Difference in macro-F1 on the held-out documents that another machine may bring about in a
fine-tuned network; on one machine with the same packages and processors there is none."""

_ENVIRONMENT = "environment.json"
_MACHINE = ("stance-pipeline", "python", "platform", "processors", "git.commit")
_PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "torch", "transformers", "tokenizers", "safetensors"),
    "onnxruntime",
)
"""Packages whose version can change what is learned."""


@dataclass(frozen=True, slots=True)
class FigureDifference:
    """A figure in both runs; `None` where a run has none of this name."""

    name: str
    recorded: float | None
    again: float | None

    @property
    def difference(self) -> float:
        """Second minus first; NaN where one is missing."""
        if self.recorded is None or self.again is None:
            return math.nan
        return self.again - self.recorded

    @property
    def differs(self) -> bool:
        """Whether the two are not the same number."""
        return self.recorded != self.again


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A run that repeats another, and how near it came.

    `bit_equal`: the same weights and decision rule, the same figures, the same probabilities.
    `largest` is the largest difference of a macro-F1 on the held-out documents, `within` what is
    allowed of it. `warnings` say what is not as it was when the run was recorded.
    """

    run_id: str
    figures: tuple[FigureDifference, ...]
    probabilities: Mapping[str, float]
    bit_equal: bool
    largest: float
    within: float
    warnings: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it is bit-equal or near enough."""
        return self.bit_equal or self.largest <= self.within

    @property
    def verdict(self) -> str:
        """The result in a line."""
        if self.bit_equal:
            return f"bit-equal: the same model, probabilities and {len(self.figures):,} figures"
        changed = sum(one.differs for one in self.figures)
        furthest = max(self.probabilities.values(), default=math.nan)
        return (
            f"{'within' if self.passed else 'NOT within'} the bound: held-out macro-F1 differs by "
            f"at most {self.largest:.4f} (allowed {self.within:g}); {changed:,} of "
            f"{len(self.figures):,} figures differ, probabilities by at most {furthest:.2g}"
        )


def reproduce(
    run: RunFacts, store: Store, *, within: float | None, watcher: Watcher
) -> Reproduction:
    """Train a run once more: same settings, data and seed, in a work folder of its own.

    Nothing of the first training is used, checkpoints neither. The new run is called
    "<name> reproduced" and stands in the same experiment.

    Args:
        within: difference in macro-F1 on held-out documents that is allowed; default: none, and
            `FINE_TUNED_WITHIN` for fine-tuned networks.

    Raises:
        InputError: the run recorded too little, or its data or files are not as it read them.
        StanceError: whatever the classifier, the data or the store cannot do.
    """
    name = run.tags.get("stance.model", run.name)
    settings = _settings(run, store, name)
    codebook = load_codebook(settings.codebook)
    warnings = [
        *_require_same_data(run, settings, codebook, name, store, watcher),
        *_other_environment(read_json(store, run.run_id, _ENVIRONMENT), environment_facts()),
    ]
    for warning in warnings:
        watcher.note(f"warning: {warning}")
    with tempfile.TemporaryDirectory(prefix="stance-reproduce-") as scratch:
        again = train_model(
            name,
            settings.model_copy(update={"work": Path(scratch)}),
            codebook,
            store,
            config=json.dumps(settings.recorded(), indent=1) + "\n",
            watcher=watcher,
            reproduces=run.run_id,
        )
        same_model = _same_model(run, again, store)
    if data_digests(store, again.run_id) != data_digests(store, run.run_id):
        warnings.append("the corpus is split differently now, since the code was changed")
    figures = tuple(_differences(measured(store, run.run_id), measured(store, again.run_id)))
    probabilities = probability_differences(store, run.run_id, again.run_id)
    same = not any(probabilities.values()) and not any(one.differs for one in figures)
    bound = FINE_TUNED_WITHIN if _fine_tuned(settings.models[name]) else 0.0
    done = Reproduction(
        again.run_id,
        figures,
        probabilities,
        bit_equal=same_model and same,
        largest=_largest(figures, codebook),
        within=bound if within is None else within,
        warnings=tuple(warnings),
    )
    note_reproduction(store, again.run_id, done.verdict, _as_json(done, run.run_id))
    return done


def _settings(run: RunFacts, store: Store, name: str) -> PipelineSettings:
    """Return the settings that a run recorded; its figures go to this store."""
    recorded = read_json(store, run.run_id, CONFIG_ARTIFACT)
    where = f"settings of run {run.run_id}"
    settings = validate_model(PipelineSettings, recorded, where=where)
    if name not in settings.models:
        raise InputError(f"{where}: they have no model '{name}'; it cannot be trained again.")
    tracking = settings.tracking.model_copy(update={"uri": store.uri})
    return settings.model_copy(update={"tracking": tracking})


def _require_same_data(
    run: RunFacts,
    settings: PipelineSettings,
    codebook: Codebook,
    name: str,
    store: Store,
    watcher: Watcher,
) -> Iterator[str]:
    """Refuse what would compare two trainings on different data; yield what cannot be known.

    Raises:
        InputError: data or files are not as the run read them, or it did not record them.
    """
    contender = find_contender(store, run.run_id, settings.tracking)
    learned = learned_by(contender, codebook, store, watcher)
    if isinstance(learned, str):
        raise InputError(f"Run {run.run_id} cannot be reproduced: {learned}")
    changed = [learned.changed] if learned.changed else []
    try:
        recorded = TypeAdapter(dict[str, str]).validate_python(
            read_json(store, run.run_id, FILES_ARTIFACT)
        )
    except (InputError, ValidationError):
        recorded = {}
        yield (
            "the run did not record its codebook, gold labels, lists and cases by their contents; "
            "whether they are as they were is not known"
        )
    files = [f"{path} was changed" for path in files_changed(recorded, settings, name)]
    changed += [file for file in files if file not in learned.changed]
    if changed:
        raise InputError(
            f"Run {run.run_id} cannot be reproduced, since its data are not as it read them: "
            f"{'; '.join(changed)}. Restore them as they were on {run.started:%Y-%m-%d %H:%M} UTC"
            f"{_commit(run)}."
        )


def _commit(run: RunFacts) -> str:
    commit = run.tags.get("git.commit", "unknown")
    return "" if commit == "unknown" else f", for example from commit {commit[:12]}"


def _other_environment(recorded: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    """Yield what of machine, packages and code is not as it was recorded."""
    for key in _MACHINE:
        if recorded.get(key) != now.get(key):
            yield f"{key} was {recorded.get(key)}, is {now.get(key)}"
    if recorded.get("git.changed") is not False or now.get("git.changed") is not False:
        yield "the code differs from its commit, then or now; it cannot be told whether it is equal"
    versions = TypeAdapter(dict[str, str])
    before, after = (versions.validate_python(facts["packages"]) for facts in (recorded, now))
    for package in _PACKAGES:
        if before.get(package) != after.get(package):
            yield f"{package} was {before.get(package)}, is {after.get(package)}"


def _same_model(run: RunFacts, again: TrainedModel, store: Store) -> bool:
    """Whether weights and decision rule are the same to the last bit; names of models say so."""
    with tempfile.TemporaryDirectory(prefix="stance-recorded-") as scratch:
        before, _ = read_facts(download_bundle(store, run.run_id, Path(scratch)))
    after, _ = read_facts(again.folder)
    return before.model_id == after.model_id


def _differences(
    recorded: Mapping[str, float], again: Mapping[str, float]
) -> Iterator[FigureDifference]:
    for name in sorted({*recorded, *again}):
        yield FigureDifference(name, recorded.get(name), again.get(name))


def _largest(figures: tuple[FigureDifference, ...], codebook: Codebook) -> float:
    """Return the largest difference of a macro-F1 on held-out documents; infinite where missing."""
    wanted = {f"{HELD_OUT}/{task}.macro_f1" for task in codebook.tasks}
    found = [abs(one.difference) for one in figures if one.name in wanted]
    return max((math.inf if math.isnan(one) else one for one in found), default=math.inf)


def _fine_tuned(model: ClassifierSettings) -> bool:
    members = model.members if isinstance(model, EnsembleSettings) else (model,)
    return any(isinstance(member, TransformerSettings) for member in members)


def _as_json(done: Reproduction, run_id: str) -> dict[str, object]:
    return {
        "reproduces": run_id,
        "verdict": done.verdict,
        "warnings": list(done.warnings),
        "largest difference of a probability": done.probabilities,
        "figures": {
            one.name: {"recorded": one.recorded, "again": one.again} for one in done.figures
        },
    }
