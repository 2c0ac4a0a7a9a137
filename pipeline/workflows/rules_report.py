"""`stance rules report`: the codebook's rules on labelled and unlabelled sentences."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.classifiers.targets import encode_targets
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.evaluation.rule_report import RuleReport, report_rules
from pipeline.labelling import RuleSet
from pipeline.output import write_spreadsheet, write_text
from pipeline.records import LabelledSentence, Rejection, Score, Sentence
from pipeline.reporting.rules import render_rules
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.documents import nothing_usable, read_and_segment
from pipeline.workflows.record_files import Rejects
from pipeline.workflows.scoring import read_documents, sentences_of
from pipeline.workflows.watcher import Watcher

_AS_FOUND = IngestSettings()


@dataclass(frozen=True, slots=True)
class RulesSummary:
    """The report, the sentences its positions stand for, and what could not be read."""

    report: RuleReport
    sentences: Sequence[Sentence]
    rejected: Sequence[Rejection]


def measure_rules(
    patterns: Sequence[str],
    gold: Sequence[Path],
    codebook: Codebook,
    *,
    settings: IngestSettings = _AS_FOUND,
    replicates: int,
    seed: int,
    page: Path | None,
    table: Path | None,
    watcher: Watcher,
) -> RulesSummary:
    """Run the rules on statements and labelled files, and write the report where that is asked for.

    Args:
        patterns: statements: files, folders or globs.
        settings: how the statements are read.
        gold: labelled files; rows of theirs that cannot be used are noted.

    Raises:
        InputError: nothing is given or can be read.
        SettingsError: a rule could not be run.
        OutputError: `page` or `table` cannot be written.
    """
    if not patterns and not gold:
        raise InputError(
            "Nothing to run the rules on. Give statements, or labelled files (--gold)."
        )
    labelled = sentences_of(read_documents(gold, codebook, watcher))
    rejected: list[Rejection] = []
    outputs = [path for path in (page, table) if path is not None]
    if patterns:
        statements, rejected, _ = read_and_segment(
            patterns, settings, outputs=outputs, watcher=watcher
        )
        labelled += [LabelledSentence(s, {}) for _, found in statements for s in found]
    sentences = [one.sentence for one in labelled]
    if not sentences:
        nothing = nothing_usable(Rejects(rejected), None)
        raise InputError(f"No sentence to run the rules on. {nothing}")
    rules = RuleSet(codebook)
    report = report_rules(
        rules.votes([sentence.text for sentence in sentences]),
        encode_targets(labelled, codebook),
        [sentence.doc_id for sentence in sentences],
        rules,
        replicates=replicates,
        seed=seed,
    )
    if page is not None:
        write_text(page, render_rules(report, sentences, codebook, rejected=rejected))
    if table is not None:
        write_spreadsheet(table, rules_csv(report))
    return RulesSummary(report, sentences, rejected)


def rules_csv(report: RuleReport) -> str:
    """Return the report as CSV: a row a rule; empty cells are undefined."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    scores = [f"{name}{end}" for name in ("precision", "recall") for end in ("", "_low", "_high")]
    writer.writerow(
        ["rule", "weight", "spoke", "coverage", "overlap", "conflict", *scores, "known", "to_find"]
    )
    for one in report.rules:
        numbers = [one.coverage, one.overlap, one.conflict]
        for score in (one.precision, one.recall):
            numbers += _numbers(score)
        cells = ["" if np.isnan(number) else f"{number:.4f}" for number in numbers]
        support = (one.precision.support, one.recall.support)
        writer.writerow([one.rule.name, one.rule.weight, one.spoke, *cells, *support])
    return out.getvalue()


def _numbers(score: Score) -> list[float]:
    bounds = (score.low, score.high)
    return [score.value, *(float("nan") if bound is None else bound for bound in bounds)]
