"""What the dossier shows: labels given to sentences, each with who holds it and toward whom."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.records import SPEAKER
from pipeline.reporting.view import SentenceView, StatementView

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks of direction: a name that holds them would turn what stands beside it."""

Place = tuple[int, int, int]
"""A sentence by its number in the dossier, and a half-open span of UTF-16 units in its text."""


@dataclass(frozen=True, slots=True)
class Party:
    """A holder or target as it was attributed.

    `words` is SPEAKER or verbatim; `span` its half-open place in the cleaned text of the statement,
    `None` for SPEAKER. `actors` are names of the actors linked to it, empty where none was.
    `probability` is that of the choice made.
    """

    words: str
    span: tuple[int, int] | None
    actors: tuple[str, ...]
    probability: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One label given to one sentence, its holder, and its target or `None`.

    `text` is that of the sentence: given sentences may share an id.
    """

    doc_id: str
    sentence_id: str
    task: str
    label: str
    probability: float
    holder: Party
    target: Party | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class PartyView:
    """A holder or target as readers see it: the actors it is counted under, words, where marked."""

    actors: tuple[str, ...]
    words: str
    places: tuple[Place, ...]
    probability: float | None


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding by the number of its sentence and of its column in the codebook."""

    sentence: int
    column: int
    probability: float
    holder: PartyView
    target: PartyView | None


def build_findings(
    findings: Sequence[Finding], statements: Sequence[StatementView], codebook: Codebook
) -> tuple[FindingView, ...]:
    """Return the findings in reading order.

    A party without linked actors is counted under its words, SPEAKER under the speaker; words that
    differ in case only are counted together. Ambiguous names are left unlinked ("Georgia"): where
    words are also the name of an actor that others were linked to, they say so and count apart.
    Words that lie in no sentence shown are not marked. Findings of sentences that nothing tells
    apart are in the order of these.

    Raises:
        InputError: a finding is of no sentence shown, or its label is not in the codebook.
    """
    sentences: dict[tuple[str, str], list[tuple[StatementView, SentenceView]]] = {}
    for statement in statements:
        for view in statement.sentences:
            row = view.prediction.sentence
            sentences.setdefault((row.doc_id, row.sentence_id), []).append((statement, view))
    columns = {column: j for j, column in enumerate(codebook.columns)}
    _require_known(findings, sentences, columns)
    spelling: dict[str, str] = {}
    linked = {name.casefold() for one in findings for name in _linked(one)}
    whole = {s.index: s.sentences for s in statements if s.given_whole}
    starts = {n: [v.prediction.sentence.start for v in shown] for n, shown in whole.items()}

    def party(found: Party, statement: StatementView, sentence: SentenceView) -> PartyView:
        words = statement.speaker if found.words == SPEAKER else " ".join(found.words.split())
        counted = " ".join(_TURNING.sub("", words).split()) or words
        if counted.casefold() in linked:
            counted += " (not linked)"
        names = found.actors or (spelling.setdefault(counted.casefold(), counted),)
        # Sentences that were given without their statement all begin at 0.
        near = whole.get(statement.index, (sentence,))
        begins = starts.get(statement.index, [sentence.prediction.sentence.start])
        places = _places(found.span, near, begins) if found.span else ()
        return PartyView(tuple(dict.fromkeys(names)), words, places, found.probability)

    built = []
    before = Counter[tuple[int, int]]()
    for one in findings:
        own = sentences[one.doc_id, one.sentence_id]
        if len(own) > 1:
            own = _meant(own, one.text, columns[one.task, one.label])
        turn = (own[0][1].index, columns[one.task, one.label])
        statement, sentence = own[min(before[turn], len(own) - 1)]
        before[turn] += 1
        built.append(
            FindingView(
                sentence=sentence.index,
                column=columns[one.task, one.label],
                probability=one.probability,
                holder=party(one.holder, statement, sentence),
                target=party(one.target, statement, sentence) if one.target else None,
            )
        )
    return tuple(sorted(built, key=lambda f: (f.sentence, f.column)))


def _linked(finding: Finding) -> tuple[str, ...]:
    return finding.holder.actors + (finding.target.actors if finding.target else ())


def _meant(
    sentences: list[tuple[StatementView, SentenceView]], text: str | None, column: int
) -> list[tuple[StatementView, SentenceView]]:
    """Return those of the sentences of one id that have this text and label, else all."""
    same = [one for one in sentences if one[1].prediction.sentence.text == text] or sentences
    return [one for one in same if column in one[1].given] or same


def holders(findings: Iterable[FindingView]) -> set[str]:
    """Return the names that findings are counted under as holders."""
    return {name for finding in findings for name in finding.holder.actors}


def targets(findings: Iterable[FindingView]) -> set[str]:
    """Return the names that findings are counted under as targets."""
    return {name for finding in findings if finding.target for name in finding.target.actors}


def _require_known(
    findings: Sequence[Finding],
    sentences: Mapping[tuple[str, str], object],
    columns: Mapping[tuple[str, str], int],
) -> None:
    mistakes = {
        f"no prediction is of sentence '{one.sentence_id}' of document '{one.doc_id}'"
        for one in findings
        if (one.doc_id, one.sentence_id) not in sentences
    } | {
        f"unknown label '{one.label}' of task '{one.task}'"
        for one in findings
        if (one.task, one.label) not in columns
    }
    if mistakes:
        named = "; ".join(sorted(mistakes)[:5])
        more = f"; and {len(mistakes) - 5:,} more" if len(mistakes) > 5 else ""
        raise InputError(
            f"attributions against predictions: {named}{more}. Run 'stance attribute' on exactly "
            "these predictions."
        )


def _places(
    span: tuple[int, int], sentences: Sequence[SentenceView], starts: Sequence[int]
) -> tuple[Place, ...]:
    """Cut a span of the statement into spans of its sentences."""
    start, end = span
    found: list[Place] = []
    first = max(bisect_right(starts, start) - 1, 0)
    for view in sentences[first:]:
        sentence = view.prediction.sentence
        if sentence.start >= end:
            break
        low, high = max(start, sentence.start), min(end, sentence.end)
        if low < high:
            text = sentence.text
            low, high = low - sentence.start, high - sentence.start
            found.append((view.index, _units(text[:low]), _units(text[:high])))
    return tuple(found)


def _units(text: str) -> int:
    """Return the length of a text as a browser counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
