"""Read documents of many formats into statements; nothing that was given is lost on the way."""

from pipeline.ingest.cleaning import Cleaned, clean
from pipeline.ingest.inputs import Input, Stdin, find_inputs
from pipeline.ingest.reading import IngestCounts, Reading

__all__ = [
    "Cleaned",
    "IngestCounts",
    "Input",
    "Reading",
    "Stdin",
    "clean",
    "find_inputs",
]
