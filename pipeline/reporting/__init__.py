"""A report for people: labelled statements as one self-contained HTML file."""

from pipeline.reporting.dossier import part_mark, render_dossier
from pipeline.reporting.facts import ModelFacts
from pipeline.reporting.findings import Finding, Party
from pipeline.reporting.predictions import render_report
from pipeline.reporting.view import task_title

__all__ = [
    "Finding",
    "ModelFacts",
    "Party",
    "part_mark",
    "render_dossier",
    "render_report",
    "task_title",
]
