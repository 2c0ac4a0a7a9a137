"""Stage `check`: labelled data against the codebook, the texts they refer to, and each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.codebook import Codebook
from pipeline.labelling import (
    Finding,
    PartCounts,
    check_documents,
    count_parts,
    read_labelled,
    rejected_rows,
    without_holder,
)
from pipeline.records import LabelledDocument
from pipeline.settings.experiment import DataSettings


@dataclass(frozen=True, slots=True)
class DataCheck:
    """What was checked, how much of it there is, and everything that is wrong with it.

    `without_holder` counts the labels of which nobody says who holds them; see `without_holder`.
    """

    files: tuple[Path, ...]
    counts: tuple[tuple[str, tuple[PartCounts, ...]], ...]
    findings: tuple[Finding, ...]
    without_holder: int = 0


def check_data(data: DataSettings, codebook: Codebook) -> DataCheck:
    """Check corpus and gold labels; every finding is reported, nothing stops at the first.

    Raises:
        InputError: a file is missing or holds nothing usable.
    """
    corpus, findings = _read(data.corpus, codebook)
    gold, more = _read([data.gold], codebook)
    findings += more
    findings += check_documents(corpus, codebook, others=gold)
    findings += check_documents(gold, codebook, statements_folder=data.gold_statements)
    counts = (
        ("corpus", tuple(count_parts(corpus, codebook))),
        ("gold", tuple(count_parts(gold, codebook))),
    )
    silent = without_holder([*corpus, *gold], codebook)
    return DataCheck((*data.corpus, data.gold), counts, tuple(findings), silent)


def _read(
    paths: Sequence[Path], codebook: Codebook
) -> tuple[list[LabelledDocument], list[Finding]]:
    documents: list[LabelledDocument] = []
    findings: list[Finding] = []
    for path in paths:
        read, rejected = read_labelled(path, codebook)
        documents += read
        findings += rejected_rows(rejected)
    return documents, findings
