"""Rows of `stance classify` as a report needs them: predictions, and the statements they are of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.inference import RowFormat, StatementFacts
from pipeline.inference.rows import Origin
from pipeline.records import Prediction, Sentence, Statement
from pipeline.workflows.attribution_file import statement_of


@dataclass(frozen=True, slots=True)
class ReportedRows:
    """Predictions, and the statements they are of by the `doc_id` of their sentences.

    Sentences that were given without their statement have one made of what the input says of them:
    those of a file with one speaker, date and title are of one, which has no text. `tables` are
    the files that hold such sentences.
    """

    rows: tuple[Prediction, ...]
    statements: Mapping[str, Statement]
    tables: frozenset[str]


def read_predictions(path: Path, codebook: Codebook, model_id: str, model: Path) -> ReportedRows:
    """Read a JSON lines file of predictions by the model `model_id`, which lies at `model`.

    Raises:
        InputError: the file cannot be read, holds no predictions, or some of another model.
    """
    read: list[tuple[Prediction, StatementFacts, str | None]] = []
    for number, prediction, facts, origin in _read(path, codebook):
        if prediction.model_id != model_id:
            raise InputError(
                f"{path}:{number}: made by model {prediction.model_id}, but {model} is "
                f"{model_id}. Classify again, or name the model with --model."
            )
        read.append((prediction, facts, origin.gap))
    if not read:
        raise InputError(f"{path}: holds no predictions; classify something first.")
    whole = {one.sentence.doc_id for one, _, gap in read if gap is not None}
    rows: list[Prediction] = []
    documents: dict[str, _Document] = {}
    tables: set[str] = set()
    for prediction, facts, gap in read:
        sentence = prediction.sentence
        if sentence.doc_id not in whole:
            tables.add(sentence.doc_id)
            name = statement_of(sentence.doc_id, facts.speaker, facts.date, facts.title)
            sentence = replace(sentence, doc_id=name)
            prediction = replace(prediction, sentence=sentence)
        rows.append(prediction)
        document = documents.setdefault(sentence.doc_id, _Document(facts))
        document.genres.add(facts.genre)
        document.parts.append((sentence, gap))
    statements = {name: _statement(name, document) for name, document in documents.items()}
    return ReportedRows(tuple(rows), statements, frozenset(tables))


def _read(
    path: Path, codebook: Codebook
) -> Iterator[tuple[int, Prediction, StatementFacts, Origin]]:
    rows = RowFormat(codebook)
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                row: object = None
                try:
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise TypeError(f"expected an object, got {type(row).__name__}")
                    yield number, *rows.read(row)
                except (KeyError, ValueError, TypeError, RecursionError) as error:
                    if isinstance(row, dict) and {"holder", "attribution_model"} <= row.keys():
                        raise InputError(
                            f"{path}: what 'stance attribute' wrote, one row a label; the report "
                            "begins with what 'stance classify' wrote. Call 'stance report "
                            f"LABELS.jsonl --attributions {path} -o FILE.html', where LABELS.jsonl "
                            "is the file that was attributed."
                        ) from None
                    raise InputError(
                        f"{path}:{number}: not a row of 'stance classify' in JSON lines "
                        f"({type(error).__name__}: {error})."
                    ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from None


@dataclass(frozen=True, slots=True)
class _Document:
    """What the rows of one statement say: facts, and its sentences with the gap before each."""

    facts: StatementFacts
    genres: set[str | None] = field(default_factory=set)
    parts: list[tuple[Sentence, str | None]] = field(default_factory=list)


def _statement(doc_id: str, document: _Document) -> Statement:
    facts = document.facts
    return Statement(
        doc_id=doc_id,
        text=_text(document.parts),
        source=facts.source or "",
        speaker=facts.speaker,
        date=facts.date,
        genre=facts.genre if len(document.genres) == 1 else None,
        title=facts.title,
    )


def _text(parts: Sequence[tuple[Sentence, str | None]]) -> str:
    """Return cleaned text up to the last sentence, every sentence at its offsets.

    Line breaks fill the place of sentences that are not among the rows, so that what stood apart
    stays apart. Sentences without any gap were given one by one: there is no text.
    """
    if all(gap is None for _, gap in parts):
        return ""
    texts: list[str] = []
    length = 0
    for sentence, gap in sorted(parts, key=lambda part: part[0].start):
        added = (gap or "") + sentence.text
        missing = sentence.start - len(gap or "") - length
        added = "\n" * missing + added if missing > 0 else added[-missing:]
        texts.append(added)
        length += len(added)
    return "".join(texts)
