"""Labelling rules of the codebook: named patterns that speak for or against a label.

A rule that does not match abstains; a rule that cannot be run is an error and never an abstention
(labelling functions in the sense of Ratner et al., 2017, "Snorkel"). Matching takes time linear in
the length of the text, whatever the rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.codebook import Codebook, WhenNegated
from pipeline.codebook.patterns import Pattern, compile_pattern, folded
from pipeline.errors import SettingsError
from pipeline.labelling.negation import Scopes
from pipeline.labelling.typography import plain

Evidence = npt.NDArray[np.float32]
"""Shape (n texts, codebook.width): summed weights of the rules that fired, in log-odds."""

Votes = npt.NDArray[np.int8]
"""Shape (n texts, m rules): 1 where the rule speaks for its label, -1 against it, 0 abstains."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One rule that spoke on one text."""

    task: str
    label: str
    rule: str
    weight: float

    @property
    def name(self) -> str:
        """The rule's name, unique in the codebook."""
        return f"{self.task}.{self.label}.{self.rule}"

    @property
    def vote(self) -> int:
        """1 where it speaks for the label, -1 where against it."""
        return -1 if self.weight < 0 else 1


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as rules see it, and without the words that are negated; both UTF-8."""

    whole: bytes
    unnegated: bytes


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    column: int
    firing: Firing
    negated: WhenNegated
    pattern: Pattern
    unless: Pattern | None

    def on(self, text: _Text) -> Firing | None:
        """Return what the rule says of `text`; `None` where it abstains."""
        if self.pattern.search(text.whole) is None:
            return None
        if self.unless is not None and self.unless.search(text.whole) is not None:
            return None
        if self.negated is WhenNegated.IGNORE or self.pattern.search(text.unnegated) is not None:
            return self.firing
        if self.negated is WhenNegated.BLOCK:
            return None
        return replace(self.firing, weight=-self.firing.weight)


class RuleSet:
    """All labelling rules of a codebook, compiled once.

    Before matching, typographic quotation marks, dashes and spaces are folded to plain ones, and
    letters with accents to those without; case is ignored.

    Args:
        codebook: supplies the rules. One without rules gives a rule set that always abstains.
    """

    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook
        self._scopes = None if codebook.negation is None else Scopes(codebook.negation)
        self._rules = [
            _CompiledRule(
                column=column,
                firing=Firing(task, label, rule.name, rule.weight),
                negated=rule.negated,
                pattern=compile_pattern(plain(rule.looks_for)),
                unless=None if rule.unless is None else compile_pattern(plain(rule.unless)),
            )
            for column, (task, label) in enumerate(codebook.columns)
            for rule in codebook.tasks[task].labels[label].rules
        ]

    def __len__(self) -> int:
        return len(self._rules)

    @property
    def rules(self) -> tuple[Firing, ...]:
        """What each of the m rules says where it fires, in codebook order."""
        return tuple(rule.firing for rule in self._rules)

    @property
    def columns(self) -> npt.NDArray[np.intp]:
        """The column of the codebook that each rule speaks on, shape (m,)."""
        return np.array([rule.column for rule in self._rules], dtype=np.intp)

    def fire(self, text: str) -> tuple[Firing, ...]:
        """Return the rules that speak on `text`, in codebook order; empty where all abstain.

        Raises:
            SettingsError: a rule could not be run on this text; the message names it.
        """
        return tuple(firing for _, firing in self._firing(text))

    def evidence(self, texts: Sequence[str]) -> Evidence:
        """Return the summed weights a column, float32 of shape (n texts, codebook.width).

        Raises:
            SettingsError: a rule could not be run on one of the texts; the message names it.
        """
        out = np.zeros((len(texts), self.codebook.width), dtype=np.float32)
        for row, text in enumerate(texts):
            for number, firing in self._firing(text):
                out[row, self._rules[number].column] += firing.weight
        return out

    def votes(self, texts: Sequence[str]) -> Votes:
        """Return what every rule says of every text, int8 of shape (n texts, m rules).

        Raises:
            SettingsError: a rule could not be run on one of the texts; the message names it.
        """
        out = np.zeros((len(texts), len(self._rules)), dtype=np.int8)
        for row, text in enumerate(texts):
            for number, firing in self._firing(text):
                out[row, number] = firing.vote
        return out

    def _firing(self, text: str) -> Iterator[tuple[int, Firing]]:
        seen = self._seen(text)
        for number, rule in enumerate(self._rules):
            try:
                firing = rule.on(seen)
            except (ValueError, RuntimeError, MemoryError, OverflowError) as error:
                raise SettingsError(
                    [
                        f"rule '{rule.firing.name}' failed on the text {text[:80]!r}: {error!r}. "
                        "Simplify it."
                    ],
                    where=f"rules of codebook '{self.codebook.name}'",
                ) from error
            if firing is not None:
                yield number, firing

    def _seen(self, text: str) -> _Text:
        whole = folded(plain(text))
        unnegated = whole if self._scopes is None else self._scopes.hidden(whole)
        return _Text(whole.encode("utf-8", "replace"), unnegated.encode("utf-8", "replace"))
