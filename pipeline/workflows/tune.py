"""Stage `tune`: search settings of a model, and measure what the search is worth.

Every outer fold has a search of its own on the documents outside it, whose choice is fitted on them
and scored on the fold. A last search on all documents chooses the settings that are recommended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline import __version__
from pipeline.codebook import Codebook
from pipeline.errors import OutputError, SettingsError
from pipeline.evaluation.selection import selection_scores
from pipeline.inference.job import Unfinished, inputs_identity
from pipeline.records import LabelledDocument, content_hash
from pipeline.settings.classifiers import files_read
from pipeline.settings.experiment import PipelineSettings
from pipeline.settings.tuning import Space, Value, space_of, with_values
from pipeline.tracking import Store
from pipeline.tracking.runs import RunLogger
from pipeline.tracking.searches import log_trial, open_search
from pipeline.tracking.store import hide_passwords
from pipeline.tracking.tables import digest_of
from pipeline.training.search import Finished, Search, Suggestion
from pipeline.training.splits import Fold, grouped_folds
from pipeline.workflows.scoring import read_documents
from pipeline.workflows.search_folder import Counts, SearchFolder, search_folder
from pipeline.workflows.tuning_bench import Bench
from pipeline.workflows.tuning_report import Tuned, TunedFold, fragment, log_result, said
from pipeline.workflows.watcher import Watcher

Clock = Callable[[], float]

_INNER, _OUTER = "inner", "outer"


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: seconds for all searches together, and the most trials of each of them."""

    seconds: float
    trials: int | None = None


def tune_model(
    name: str,
    settings: PipelineSettings,
    codebook: Codebook,
    store: Store,
    *,
    limits: Limits,
    unfinished: Unfinished,
    config: str,
    watcher: Watcher,
    clock: Clock = time.monotonic,
) -> Tuned:
    """Search settings of the model `name`, with nested cross-validation over whole documents.

    The same settings, data and number of trials give the same result; where the seconds end a
    search, that hangs on the machine.

    Args:
        config: the settings as they were read, kept with the run.
        clock: seconds since any moment.

    Raises:
        SettingsError: the seconds are too few for one trial of every search, there is nothing to
            search for such a model, or there are fewer independent documents than folds.
        OutputError: an earlier search is unfinished and may not or cannot be gone on with, or the
            store or the folder cannot be written.
        StanceError: whatever the classifier or the data cannot do.
    """
    space = space_of(name, settings.models[name], settings.tune)
    documents = read_documents(settings.data.corpus, codebook, watcher)
    identity = _identity(name, space, settings, codebook, documents)
    tags = {"stance.model": name, "stance.kind": settings.models[name].kind}
    experiment = settings.tracking.experiment
    with (
        search_folder(settings.work / "tuning" / name, identity, unfinished) as kept,
        open_search(store, experiment, f"tune {name}", tags=tags, run_id=kept.run_id) as run,
    ):
        kept.run_id = run.run_id
        run.text(hide_passwords(config), "config.yaml")
        run.json(identity, "search.json")
        run.environment()
        run.dataset("corpus", documents, codebook)
        bench = Bench(name, settings, codebook, documents, watcher)
        found = _Searches(bench, space, kept, run, _Watch(limits, clock)).found()
        log_result(run, found)
        kept.finish()
    return found


def _identity(
    name: str,
    space: Space,
    settings: PipelineSettings,
    codebook: Codebook,
    documents: Sequence[LabelledDocument],
) -> dict[str, str]:
    """Return all that the outcome of a trial hangs on."""
    bounds = {k: d if isinstance(d, tuple) else d.model_dump() for k, d in space.items()}
    return {
        "model": settings.models[name].model_dump_json(),
        "space": json.dumps(bounds),
        "folds": f"{settings.tune.outer_folds} outer, {settings.tune.inner_folds} inner",
        "calibration": f"{settings.split.calibration}, {settings.split.threshold_folds} folds",
        "prevalence": json.dumps(settings.prevalence, sort_keys=True),
        "seed": f"{settings.seed}",
        "data": digest_of(documents, codebook),
        "codebook": content_hash(codebook.model_dump_json()),
        "version": __version__,
        **inputs_identity(files_read(settings.models[name])),
    }


class _OutOfTime(Exception):
    """The seconds ended in the middle of a trial."""


class _Watch:
    """Deals the seconds out to the searches that are still to come, in equal shares."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.trials, self.now = limits.trials, clock
        self._end = clock() + limits.seconds

    @property
    def is_over(self) -> bool:
        return self.now() >= self._end

    def share(self, parts: int) -> float:
        """Return when the first of so many searches has to end."""
        now = self.now()
        return now + max(self._end - now, 0.0) / parts


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the searches: its number, its name, and the documents that it may look at."""

    number: int
    title: str
    documents: tuple[LabelledDocument, ...]


class _Searches:
    """The searches of all outer folds, then that on all documents."""

    def __init__(
        self, bench: Bench, space: Space, kept: SearchFolder, run: RunLogger, watch: _Watch
    ) -> None:
        self._bench, self._space = bench, space
        self._kept, self._run, self._watch = kept, run, watch
        self._settings = bench.settings
        self._trials = 0

    def found(self) -> Tuned:
        """Search until the seconds end, and return what came of it.

        Raises:
            SettingsError: they ended before every search had a trial.
        """
        bench, settings = self._bench, self._settings
        outer = self._folds(bench.documents, settings.tune.outer_folds)
        inner, chosen, present = bench.empty(), bench.empty(), bench.empty()
        folds = []
        for number, fold in enumerate(outer):
            part = _Part(number, f"outer fold {number + 1} of {len(outer)}", fold.train)
            best = self._search(part, then=len(outer) - number)
            values = best.suggestion.values
            after = self._outer(part, fold, {} if bench.is_present(values) else values)
            inner += self._inner_counts(part, values)
            chosen += after
            present += self._outer(part, fold, {})
            folds.append(TunedFold(values, best.scores[-1], bench.score(after)))
            bench.watcher.note(
                f"{part.title}: {folds[-1].inner:.3f} on the documents it searched, "
                f"{folds[-1].outer:.3f} on the others, with {said(values)}"
            )
        last = _Part(len(outer), "all documents", tuple(bench.documents))
        values = self._search(last, then=0).suggestion.values
        scores = selection_scores(
            inner,
            chosen,
            present,
            bench.codebook,
            replicates=settings.evaluation.replicates,
            seed=settings.seed,
        )
        return Tuned(
            name=bench.name,
            run_id=self._run.run_id,
            values=values,
            fragment=fragment(bench.name, with_values(bench.model, values)),
            trials=self._trials,
            scores=scores,
            folds=tuple(folds),
        )

    def _search(self, part: _Part, *, then: int) -> Finished:
        """Search within a part, before `then` others; return the best trial."""
        kept = self._kept.trials(part.number)
        seconds = [took for _, took in kept]
        search = Search(
            self._space,
            self._bench.model,
            seed=(self._settings.seed, part.number),
            finished=[trial for trial, _ in kept],
        )
        folds = self._folds(part.documents, self._settings.tune.inner_folds)
        until = self._watch.share(then + 1)
        while self._has_time(seconds, until, fits_after=2 if then else 0):
            if (suggestion := search.suggest()) is None:
                break
            begun = self._watch.now()
            try:
                trial = self._try(part, search, suggestion, folds)
            except _OutOfTime:
                break
            seconds.append(self._watch.now() - begun)
            self._keep(part, len(search.finished), trial, seconds[-1])
            search.add(trial)
        self._trials += len(search.finished)
        if (best := search.best) is None:
            raise SettingsError(
                [
                    f"--budget: the time ended in the search on {part.title}, before its first "
                    f"trial had all its scores; {then} more searches need at least one each. What "
                    f"is finished is kept in {self._kept.folder}: go on with --resume"
                ],
                where="options",
            )
        return best

    def _has_time(self, seconds: Sequence[float], until: float, *, fits_after: int) -> bool:
        """Whether another trial may begin: one always may, others if they are likely to end."""
        if not seconds:
            return True
        if self._watch.trials is not None and len(seconds) >= self._watch.trials:
            return False
        trial = sum(seconds) / len(seconds)
        after = fits_after * trial / self._settings.tune.inner_folds
        return self._watch.now() + trial + after <= until

    def _try(
        self, part: _Part, search: Search, suggestion: Suggestion, folds: Sequence[Fold]
    ) -> Finished:
        """Fit and count on one inner fold after the other, as long as it looks worth it.

        Raises:
            _OutOfTime: the seconds ended.
        """
        counts, scores = self._bench.empty(), list[float]()
        for fold in folds:
            if self._watch.is_over:
                raise _OutOfTime
            counts += self._bench.counts(suggestion.values, fold)
            scores.append(self._bench.score(counts))
            if search.hopeless(scores) and len(scores) < len(folds):
                return Finished(suggestion, tuple(scores), pruned=True)
        if search.best is None or scores[-1] > search.best.scores[-1]:
            self._kept.keep_counts(_INNER, part.number, suggestion.values, counts)
        return Finished(suggestion, tuple(scores), pruned=False)

    def _keep(self, part: _Part, number: int, trial: Finished, seconds: float) -> None:
        state = "pruned" if trial.pruned else "complete"
        title = f"{part.title}, trial {number + 1}"
        values = trial.suggestion.values
        self._bench.watcher.note(f"{title}: {trial.scores[-1]:.3f} ({state}) with {said(values)}")
        log_trial(
            self._run,
            title,
            params=values,
            scores=trial.scores,
            tags={"search.on": part.title, "search.state": state, "seconds": f"{seconds:.1f}"},
        )
        self._kept.add_trial(part.number, number, trial, seconds)

    def _outer(self, part: _Part, fold: Fold, values: Mapping[str, Value]) -> Counts:
        """Return the counts on an outer fold of a fit on all documents outside it."""
        counts = self._kept.counts(_OUTER, part.number, values)
        if counts is None:
            counts = self._bench.counts(values, fold)
            self._kept.keep_counts(_OUTER, part.number, values, counts)
        return counts

    def _inner_counts(self, part: _Part, values: Mapping[str, Value]) -> Counts:
        counts = self._kept.counts(_INNER, part.number, values)
        if counts is None:
            raise OutputError(
                f"{self._kept.folder}: the counts of the best trial on {part.title} are gone. Add "
                "--restart to begin anew."
            )
        return counts

    def _folds(self, documents: Sequence[LabelledDocument], folds: int) -> list[Fold]:
        seed = self._settings.seed
        return grouped_folds(documents, self._bench.codebook, folds=folds, seed=seed)
