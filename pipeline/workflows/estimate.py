"""Stage `estimate`: shares of labels by group, from predictions and a labelled random sample."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError, near_matches
from pipeline.evaluation.estimate_table import (
    METHODS,
    EstimateRow,
    Sizes,
    estimate_rows,
    remarks,
)
from pipeline.evaluation.share_estimates import Survey, weight_gap
from pipeline.inference.sinks import csv_cell
from pipeline.output import write_spreadsheet, write_text
from pipeline.reporting.estimate_text import EstimateFacts, method_text
from pipeline.reporting.estimates import render_estimates
from pipeline.workflows.population import FEWEST_DOCUMENTS, LabelledPopulation, read_population
from pipeline.workflows.sample_file import LabelledSample, read_sample

ALWAYS = ("sample", "cc")
"""Methods that stand beside the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Estimation:
    """The estimates, plain remarks on them, and text for the methods section of a paper."""

    rows: tuple[EstimateRow, ...]
    facts: EstimateFacts
    codebook: Codebook

    @property
    def method(self) -> str:
        """The text to paste."""
        return method_text(self.rows, self.facts)


def estimate(
    labels: Path,
    sample: Path,
    codebook: Codebook,
    *,
    by: str | None,
    tasks: Sequence[str],
    methods: Sequence[str],
    contrast: tuple[str, str] | None,
    cluster: str,
) -> Estimation:
    """Estimate the share of every label of the tasks, overall and by group.

    Args:
        labels: what `stance classify` wrote.
        sample: see `sample_file`.
        by, cluster: see `read_population`.
        methods: keys of `METHODS`; `ALWAYS` are added.
        contrast: two groups whose difference is wanted.

    Raises:
        InputError: a file cannot be used, or fewer than `FEWEST_DOCUMENTS` documents were sampled.
        SettingsError: a group of the contrast does not occur.
    """
    known = read_population(labels, codebook, by=by, cluster=cluster)
    _require_groups(known, by, contrast)
    labelled = read_sample(sample, codebook, known, tasks)
    sampled = ~np.isnan(labelled.inclusion)
    documents = len(np.unique(known.population.documents[sampled]))
    if documents < FEWEST_DOCUMENTS:
        raise InputError(
            f"{sample}: its sentences are of {documents} document(s), expected "
            f"{FEWEST_DOCUMENTS} or more: sentences of one document are alike, so that no interval "
            "can be given. Draw sentences from all documents, or more documents. (If all sentences "
            "share one doc_id, name another column with --cluster.)"
        )
    asked = [method for method in METHODS if method in {*methods, *ALWAYS}]
    rows = estimate_rows(
        known.population,
        labelled.inclusion,
        labelled.truth,
        codebook,
        methods=asked,
        contrast=contrast,
    )
    known_probabilities = labelled.inclusion[sampled]
    facts = EstimateFacts(
        codebook=f"{codebook.name} {codebook.version}",
        models=known.models,
        method=next(method for method in asked if method in methods),
        methods=tuple(asked),
        by=by,
        sizes=Sizes(
            len(known.sentence_ids),
            len(np.unique(known.population.documents)),
            int(sampled.sum()),
            documents,
            0,
        ),
        inclusion=(float(known_probabilities.min()), float(known_probabilities.max())),
        remarks=(*_remarks(known, labelled), *remarks(rows)),
    )
    return Estimation(tuple(rows), facts, codebook)


def write_estimates(done: Estimation, out: Path, *, title: str) -> None:
    """Write the estimates as CSV where `out` ends in .csv, else as an HTML page.

    Raises:
        OutputError: the file cannot be written.
    """
    if out.suffix.lower() == ".csv":
        write_spreadsheet(out, to_csv(done.rows))
    else:
        made_on = datetime.now(UTC).date()
        write_text(
            out,
            render_estimates(done.rows, done.facts, done.codebook, title=title, made_on=made_on),
        )


def to_csv(rows: Sequence[EstimateRow]) -> str:
    """Return the rows as CSV: a share has 6 decimals, an empty cell is undefined."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    sizes = [field.name for field in fields(Sizes)]
    header = ("task", "label", "group", "contrast", "method", "estimate", "low", "high")
    writer.writerow([*header, *sizes, "cautions"])
    for row in rows:
        numbers = ["" if _unknown(x) else f"{x:.6f}" for x in (row.value, row.low, row.high)]
        writer.writerow(
            [
                *(row.task, row.label, csv_cell(row.group), int(row.contrast), row.method),
                *numbers,
                *astuple(row.sizes),
                "; ".join(row.cautions),
            ]
        )
    return out.getvalue()


def _unknown(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _require_groups(
    known: LabelledPopulation, by: str | None, contrast: tuple[str, str] | None
) -> None:
    if contrast is None:
        return
    groups = set(known.population.groups)
    mistakes = [
        f"--contrast: no sentence has {by} '{name}'.{near_matches(name, groups)}"
        for name in contrast
        if name not in groups
    ]
    if contrast[0] == contrast[1]:
        mistakes.append(f"--contrast: '{contrast[0]}' is compared with itself")
    if mistakes:
        raise SettingsError(mistakes, where="options")


def _remarks(known: LabelledPopulation, labelled: LabelledSample) -> list[str]:
    found = []
    if known.unread:
        found.append(f"{known.unread:,} sentences without readable text are left out.")
    for task, number in known.withheld.items():
        if number:
            found.append(
                f"In {number:,} sentences the model abstained from '{task}': classify and count "
                "and the adjusted count take them as without label."
            )
    found += [f"'{task}' is not labelled in the sample." for task in labelled.unlabelled]
    weight, error = _weight(known, labelled)
    count = len(known.sentence_ids)
    if abs(weight - count) > 3 * error + 0.02 * count:
        found.append(
            f"The weights of the sample add up to {weight:,.0f} sentences, expected {count:,}: "
            "either its inclusion probabilities are wrong, or it was drawn from something else. "
            "Do not trust DSL here, and the others only if the probabilities are right but for "
            "a factor."
        )
    return found


def _weight(known: LabelledPopulation, labelled: LabelledSample) -> tuple[float, float]:
    nothing = np.zeros(len(labelled.inclusion))
    truth = np.where(np.isnan(labelled.inclusion), np.nan, 0.0)
    population = known.population
    return weight_gap(Survey(population.documents, nothing, nothing, labelled.inclusion, truth))
