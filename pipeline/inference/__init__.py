"""Label many sentences: chunks through a bundle, rows into an output that survives a crash."""

from pipeline.inference.engine import label_sentences
from pipeline.inference.job import Unfinished, open_output
from pipeline.inference.rows import RowFormat, StatementFacts

__all__ = ["RowFormat", "StatementFacts", "Unfinished", "label_sentences", "open_output"]
