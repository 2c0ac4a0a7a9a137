"""Stage `estimate --draw`: a random sample of labelled sentences, to be labelled by hand."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.codebook import Codebook
from pipeline.evaluation.sampling_design import draw_documents, draw_sentences, strata_by_label
from pipeline.inference.row_files import read_rows
from pipeline.inference.rows import Row, RowFormat
from pipeline.inference.sinks import csv_cell
from pipeline.output import write_spreadsheet, write_text
from pipeline.settings.estimation import Design
from pipeline.workflows.population import is_unread, read_population
from pipeline.workflows.sample_file import DESIGN, NONE, PROBABILITY


@dataclass(frozen=True, slots=True)
class DrawSummary:
    """What was drawn."""

    sentences: int
    documents: int
    lowest: float
    highest: float


def draw_sample(
    labels: Path,
    codebook: Codebook,
    *,
    size: int,
    design: Design,
    task: str,
    cluster: str,
    seed: int,
    out: Path,
) -> DrawSummary:
    """Draw sentences from the output of `stance classify` and write a form to label them in.

    The rows stand in the order of the labels, with the sentence before for context, and do not
    show what the model said, which would draw annotators to it.

    Args:
        size: how many sentences (or documents) to draw.
        task: stratified: strata are by the rarest label that the model gives in this task.

    Raises:
        InputError: the labels cannot be read.
        SettingsError: that many cannot be drawn.
        OutputError: `out` cannot be written.
    """
    known = read_population(labels, codebook, cluster=cluster)
    population = known.population
    if design is Design.DOCUMENTS:
        inclusion = draw_documents(population.documents, size, seed=seed)
    elif design is Design.STRATIFIED:
        given = population.given[:, codebook.slice_of(task)] == 1.0
        inclusion = draw_sentences(strata_by_label(given), size, seed=seed)
    else:
        whole = np.zeros(len(population.documents), dtype=np.intp)
        inclusion = draw_sentences(whole, size, seed=seed)
    drawn = np.flatnonzero(~np.isnan(inclusion))
    chances = {known.sentence_ids[i]: float(inclusion[i]) for i in drawn}
    said = f"{design.value}{f' by {task}' if design is Design.STRATIFIED else ''}, seed {seed}"
    rows = _form(labels, codebook, chances, said)
    if out.suffix.lower() == ".csv":
        write_spreadsheet(out, _as_csv(rows))
    else:
        write_text(out, _as_json_lines(rows))
    return DrawSummary(
        len(drawn),
        len(np.unique(population.documents[drawn])),
        min(chances.values()),
        max(chances.values()),
    )


def _form(labels: Path, codebook: Codebook, chances: dict[str, float], design: str) -> list[Row]:
    format_ = RowFormat(codebook)
    facts = ("speaker", "date", "genre", "heading", "lead_in")
    wanted = ("sentence_id", "doc_id", "start", "text", *facts, *format_.probability_columns)
    rows: list[Row] = []
    document, before = None, None
    for _, row in read_rows(labels, format_, wanted):
        if row["doc_id"] != document:
            document, before = row["doc_id"], None
        chance = chances.get(str(row["sentence_id"]))
        if chance is not None and not is_unread(row, format_):
            form: Row = {name: row[name] for name in ("sentence_id", "doc_id")}
            form["start"] = None if row["start"] is None else int(float(str(row["start"])))
            form |= {name: row[name] for name in facts}
            form |= {"context": before, "text": row["text"]}
            form |= dict.fromkeys(codebook.tasks)
            rows.append({**form, PROBABILITY: chance, DESIGN: design})
        before = row["text"]
    return rows


def _as_csv(rows: list[Row]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    for row in rows:
        writer.writerow({name: csv_cell(value) for name, value in row.items()})
    return out.getvalue()


def _as_json_lines(rows: list[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def how_to_fill_in(out: Path, codebook: Codebook) -> str:
    """Return how to write labels of every task into the file that was drawn."""
    several = f"labels joined by semicolons, '{NONE}' where none applies"
    if out.suffix.lower() != ".csv":
        several = "a list of labels, [] where none applies"
    kinds = ((codebook.multilabel_tasks(), several), (codebook.multiclass_tasks(), "one label"))
    how = "; ".join(f"{', '.join(tasks)}: {answer}" for tasks, answer in kinds if tasks)
    return f"Label every row ({how}), then: stance estimate LABELS --sample {out}"
