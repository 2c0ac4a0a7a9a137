"""A report for people: labelled statements as one self-contained HTML file."""

from pipeline.reporting.facts import ModelFacts
from pipeline.reporting.html import render_report
from pipeline.reporting.view import task_title

__all__ = ["ModelFacts", "render_report", "task_title"]
