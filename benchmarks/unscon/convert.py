"""The sentences of UMUC (UNSCon) as labelled documents of configs/codebooks/unscon.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

SPEECH = "_spch"
"""Between the meeting and the number of the speech in a doc_id."""

TYPES = {
    ("neg_eval", "Direct_NegEval"): "direct_negative_evaluation",
    ("neg_eval", "Indirect_NegEval"): "indirect_negative_evaluation",
    ("challenge", "Challenge"): "challenge",
    ("challenge", "Correction"): "correction",
}
"""Label of the codebook by field and value of the data."""

Row = Mapping[str, object]


def read_rows(path: Path) -> list[Row]:
    """Return the sentences of a file with one JSON object a line."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def meeting_of(doc_id: str) -> str:
    """Return the meeting in which a speech was held."""
    meeting, found, _ = doc_id.rpartition(SPEECH)
    if not found:
        raise SystemExit(f"doc_id '{doc_id}': expected MEETING{SPEECH}NUMBER.")
    return meeting


def labels_of(row: Row) -> dict[str, object]:
    """Return the labels of a sentence under both tasks.

    Exits where a value is unknown, or where `conflict` and the types contradict each other.
    """
    types = []
    for field in ("neg_eval", "challenge"):
        value = row[field]
        if value is not None:
            if (field, str(value)) not in TYPES:
                raise SystemExit(f"{row['id']}: unknown value '{value}' of '{field}'.")
            types.append(TYPES[field, str(value)])
    if row["conflict"] is not bool(types):
        raise SystemExit(f"{row['id']}: 'conflict' is {row['conflict']}, its types are {types}.")
    return {"conflict": "conflict" if types else "none", "conflict_type": types}


def to_documents(rows: Iterable[Row]) -> list[dict[str, object]]:
    """Return one labelled document a speech, sentences in the order of the rows."""
    documents: dict[str, dict[str, object]] = {}
    sentences: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        name = str(row["doc_id"])
        if name not in documents:
            sentences[name] = []
            documents[name] = {
                "doc_id": name,
                "speaker": row["country"],
                "sentences": sentences[name],
            }
        sentences[name].append({"text": row["text"], **labels_of(row)})
    return list(documents.values())


def write_documents(rows: Iterable[Row], path: Path) -> None:
    """Write what `to_documents` returns as JSON lines."""
    lines = (json.dumps(document, ensure_ascii=False) + "\n" for document in to_documents(rows))
    path.write_text("".join(lines), encoding="utf-8")
