"""Who holds a label that a sentence expresses, and toward whom; holders and targets as spans."""

from pipeline.attribution.questions import (
    Answer,
    Asked,
    Attributor,
    Passage,
    Question,
    Span,
    asked_of,
)
from pipeline.attribution.rules import RuleAttributor

__all__ = [
    "Answer",
    "Asked",
    "Attributor",
    "Passage",
    "Question",
    "RuleAttributor",
    "Span",
    "asked_of",
]
