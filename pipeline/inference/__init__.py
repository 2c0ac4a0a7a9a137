"""Label many sentences: chunks through a bundle, rows into a sink."""

from pipeline.inference.engine import label_sentences
from pipeline.inference.rows import RowFormat, StatementFacts
from pipeline.inference.sinks import open_sink

__all__ = ["RowFormat", "StatementFacts", "label_sentences", "open_sink"]
