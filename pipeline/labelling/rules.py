"""Labelling rules of the codebook: named patterns that speak for or against a label.

A rule that does not match abstains; a rule that cannot be run is an error and never an abstention
(labelling functions in the sense of Ratner et al., 2017, "Snorkel").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, LabellingRule
from pipeline.errors import SettingsError
from pipeline.labelling.typography import plain

Evidence = npt.NDArray[np.float32]
"""Shape (n texts, codebook.width): summed weights of the rules that fired, in log-odds."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One rule that spoke on one text."""

    task: str
    label: str
    rule: str
    weight: float


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    column: int
    firing: Firing
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None

    def fires(self, text: str) -> bool:
        if self.pattern.search(text) is None:
            return False
        return self.unless is None or self.unless.search(text) is None


class RuleSet:
    """All labelling rules of a codebook, compiled once.

    Before matching, typographic quotation marks, dashes and spaces are folded to plain ones; case
    is ignored.

    Args:
        codebook: supplies the rules. One without rules gives a rule set that always abstains.

    Raises:
        SettingsError: a pattern is not a regular expression; all such patterns at once.
    """

    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook
        self._rules: list[_CompiledRule] = []
        mistakes: list[str] = []
        for column, (task, label) in enumerate(codebook.columns):
            for rule in codebook.tasks[task].labels[label].rules:
                firing = Firing(task, label, rule.name, rule.weight)
                try:
                    pattern, unless = _compile(rule)
                except re.error as error:
                    mistakes.append(f"rule '{task}.{label}.{rule.name}': {error}")
                else:
                    self._rules.append(_CompiledRule(column, firing, pattern, unless))
        if mistakes:
            raise SettingsError(mistakes, where=f"rules of codebook '{codebook.name}'")

    def __len__(self) -> int:
        return len(self._rules)

    def fire(self, text: str) -> tuple[Firing, ...]:
        """Return the rules that speak on `text`, in codebook order; empty where all abstain.

        Raises:
            SettingsError: a rule could not be run on this text; the message names it.
        """
        return tuple(rule.firing for rule in self._firing(text))

    def evidence(self, texts: Sequence[str]) -> Evidence:
        """Return the summed weights a column, float32 of shape (n texts, codebook.width).

        Raises:
            SettingsError: a rule could not be run on one of the texts; the message names it.
        """
        out = np.zeros((len(texts), self.codebook.width), dtype=np.float32)
        for row, text in enumerate(texts):
            for rule in self._firing(text):
                out[row, rule.column] += rule.firing.weight
        return out

    def _firing(self, text: str) -> Iterator[_CompiledRule]:
        folded = plain(text)
        for rule in self._rules:
            try:
                fires = rule.fires(folded)
            except (re.error, RecursionError, MemoryError, OverflowError) as error:
                name = f"{rule.firing.task}.{rule.firing.label}.{rule.firing.rule}"
                raise SettingsError(
                    [f"rule '{name}' failed on the text {text[:80]!r}: {error!r}. Simplify it."],
                    where=f"rules of codebook '{self.codebook.name}'",
                ) from error
            if fires:
                yield rule


def _compile(rule: LabellingRule) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    unless = None if rule.unless is None else re.compile(rule.unless, re.IGNORECASE)
    return re.compile(rule.pattern, re.IGNORECASE), unless
