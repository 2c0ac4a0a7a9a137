"""Labels from people and rules: reading labelled documents, checking them, firing rules."""

from pipeline.labelling.check import (
    Finding,
    FindingKind,
    check_documents,
    rejected_rows,
    without_holder,
)
from pipeline.labelling.corpus import read_labelled
from pipeline.labelling.counts import PartCounts, count_parts
from pipeline.labelling.rules import Firing, RuleSet

__all__ = [
    "Finding",
    "FindingKind",
    "Firing",
    "PartCounts",
    "RuleSet",
    "check_documents",
    "count_parts",
    "read_labelled",
    "rejected_rows",
    "without_holder",
]
