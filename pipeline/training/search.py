"""Which settings to try next: tree-structured Parzen estimator and median pruning, with Optuna.

Bergstra et al. (2011) for the estimator, Golovin et al. (2017) for stopping what lies below the
median of earlier trials at the same step; Akiba et al. (2019), "Optuna".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import MissingExtra
from pipeline.settings.classifiers import ClassifierSettings
from pipeline.settings.tuning import Range, Space, Value, takes_whole_numbers, value_of

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import TrialState

RANDOM_TRIALS = 8
"""Trials drawn at random before the estimator has something to go by."""

UNPRUNED_TRIALS = 5
"""Trials that come to their end before a median is something to go by."""

MOST_REPEATS = 50
"""Suggestions in a row that were tried before; then the space is taken for searched through."""

DIGITS = 3
"""Significant digits of a value that is tried, so that what is printed is what was measured."""

Raw = dict[str, int | float | str]
"""Values as Optuna knows them: numbers as they were drawn, choices as JSON."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Settings to try: `values` by key, `raw` as Optuna knows them."""

    values: dict[str, Value]
    raw: Raw


@dataclass(frozen=True, slots=True)
class Finished:
    """A trial and its score after each step, the last over all steps; fewer where it was pruned."""

    suggestion: Suggestion
    scores: tuple[float, ...]
    pruned: bool


class Search:
    """Suggests settings, given how earlier ones did; higher scores are better.

    What comes next depends on the seed and the trials that are finished, not on how often the
    search was broken off. The first suggestion is the settings as they are, if the space has them.
    """

    def __init__(
        self,
        space: Space,
        model: ClassifierSettings,
        *,
        seed: Sequence[int],
        finished: Sequence[Finished] = (),
    ) -> None:
        """Begin a search, or go on behind `finished` trials.

        Raises:
            MissingExtra: Optuna is not installed.
        """
        try:
            import optuna
        except ImportError:
            raise MissingExtra("optuna", "train", "stance tune") from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._model, self._seed = space, model, seed
        self._distributions = {
            key: _distribution(model, key, domain) for key, domain in space.items()
        }
        pruner = optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS)
        self._study: Study = optuna.create_study(direction="maximize", pruner=pruner)
        self._asked: Trial | None = None
        self.finished: list[Finished] = []
        for one in finished:
            self._study.add_trial(
                optuna.trial.create_trial(
                    state=_state(one),
                    value=one.scores[-1],
                    params=one.suggestion.raw,
                    distributions=self._distributions,
                    intermediate_values=dict(enumerate(one.scores)),
                )
            )
            self.finished.append(one)

    @property
    def best(self) -> Finished | None:
        """The first of the best trials that came to their end."""
        whole = [one for one in self.finished if not one.pruned]
        return max(whole, key=lambda one: one.scores[-1], default=None)

    def suggest(self) -> Suggestion | None:
        """Return settings that were not tried yet, `None` where there seem to be none left."""
        from optuna.trial import TrialState

        tried = [one.suggestion.values for one in self.finished]
        if not tried and (present := self._present()) is not None:
            self._study.enqueue_trial(present)
        for repeat in range(MOST_REPEATS):
            self._study.sampler = self._sampler(len(tried), repeat)
            trial = self._study.ask(self._distributions)
            raw: Raw = dict(trial.params)
            values = {key: self._value(key, raw[key]) for key in self._space}
            if values not in tried:
                self._asked = trial
                return Suggestion(values, raw)
            self._study.tell(trial, state=TrialState.FAIL)
        return None

    def hopeless(self, scores: Sequence[float]) -> bool:
        """Whether the scores of the latest suggestion so far are not worth another step."""
        trial = self._latest()
        trial.report(scores[-1], len(scores) - 1)
        return trial.should_prune()

    def add(self, trial: Finished) -> None:
        """Take in the outcome of the latest suggestion."""
        value = None if trial.pruned else trial.scores[-1]
        self._study.tell(self._latest(), value, state=_state(trial))
        self._asked = None
        self.finished.append(trial)

    def _latest(self) -> Trial:
        if self._asked is None:
            raise RuntimeError("suggest() comes before the scores of a suggestion")
        return self._asked

    def _sampler(self, *place: int) -> BaseSampler:
        """Return a sampler of its own for each suggestion, so that a search can be broken off."""
        import numpy as np
        from optuna.samplers import TPESampler

        seed = int(np.random.SeedSequence([*self._seed, *place]).generate_state(1)[0])
        return TPESampler(n_startup_trials=RANDOM_TRIALS, seed=seed)

    def _present(self) -> Raw | None:
        """Return the settings as they are, `None` where the space does not have them."""
        raw: Raw = {}
        for key, domain in self._space.items():
            value = value_of(self._model, key)
            if isinstance(domain, Range):
                if not isinstance(value, int | float) or not domain.low <= value <= domain.high:
                    return None
                raw[key] = value
            elif value in domain:
                raw[key] = _as_choice(value)
            else:
                return None
        return raw

    def _value(self, key: str, raw: int | float | str) -> Value:
        domain = self._space[key]
        if not isinstance(domain, Range):
            value = json.loads(str(raw))
            return tuple(value) if isinstance(value, list) else value
        if isinstance(raw, int):
            return raw
        rounded = float(f"{raw:.{DIGITS}g}")
        return min(max(rounded, float(domain.low)), float(domain.high))


def _distribution(
    model: ClassifierSettings, key: str, domain: Range | tuple[Value, ...]
) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if not isinstance(domain, Range):
        return CategoricalDistribution([_as_choice(value) for value in domain])
    if takes_whole_numbers(model, key, domain):
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log)
    return FloatDistribution(float(domain.low), float(domain.high), log=domain.log)


def _as_choice(value: Value) -> str:
    return json.dumps(value)


def _state(trial: Finished) -> TrialState:
    from optuna.trial import TrialState

    return TrialState.PRUNED if trial.pruned else TrialState.COMPLETE
