"""The codebook: tasks, labels, definitions and labelling rules; the only place labels come from."""

from pipeline.codebook.constraints import Constraint
from pipeline.codebook.files import load_codebook
from pipeline.codebook.model import (
    DEFAULT_WEIGHT,
    Codebook,
    Label,
    LabellingRule,
    Negation,
    Task,
    TaskType,
    WhenNegated,
)

__all__ = [
    "DEFAULT_WEIGHT",
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
