"""Choices of annotation: the formats that people annotate in."""

from __future__ import annotations

from enum import StrEnum


class AnnotationFormat(StrEnum):
    """What sentences are written as for people, and read from when they come back."""

    LABEL_STUDIO = "label-studio"
    CSV = "csv"
    JSONL = "jsonl"

    @property
    def ending(self) -> str:
        """How names of its files end."""
        return ".json" if self is AnnotationFormat.LABEL_STUDIO else f".{self}"
