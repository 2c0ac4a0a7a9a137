"""The codebook: tasks, labels, definitions and labelling rules; the only place labels come from."""

from pipeline.codebook.constraints import Constraint
from pipeline.codebook.files import load_codebook
from pipeline.codebook.model import (
    Codebook,
    Label,
    LabellingRule,
    Negation,
    Task,
    TaskType,
    WhenNegated,
)

__all__ = [
    "Codebook",
    "Constraint",
    "Label",
    "LabellingRule",
    "Negation",
    "Task",
    "TaskType",
    "WhenNegated",
    "load_codebook",
]
