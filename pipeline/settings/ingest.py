"""Settings of reading documents into statements."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.records import DATE_FORMS, DATE_WITHOUT_TIME
from pipeline.validated_yaml import StrictModel, written

StdinFormat = Literal["auto", "txt", "md", "html", "pdf", "docx", "csv", "tsv", "jsonl", "parquet"]


class ColumnMap(StrictModel):
    """Which column (CSV, Parquet) or key (JSONL) holds which field of a statement.

    Absent means: take the first well-known name that is there (`text`, `content`, `speaker`,
    `country`, ...; upper and lower case alike). A name given here must be there. An empty name
    means: leave the field unset, whatever the columns are called.
    """

    text: Annotated[str, Field(min_length=1)] | None = None
    speaker: str | None = None
    date: str | None = None
    genre: str | None = None
    title: str | None = None
    id: str | None = None
    context: str | None = Field(
        default=None, description="the sentence before; read where every row is a sentence"
    )


class IngestSettings(StrictModel):
    """How documents are read; what a document says of itself wins over the defaults given here."""

    max_bytes: Annotated[int, Field(ge=1)] = Field(
        default=50_000_000,
        description="largest document, in bytes; in CSV, JSONL and Parquet, the largest row",
    )
    max_characters: Annotated[int, Field(ge=1)] = Field(
        default=10_000_000,
        description="longest text of one document; cutting it into sentences takes up to 200 bytes "
        "of memory a character, where every other one ends a line",
    )
    max_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60.0,
        description="longest time for reading one PDF, Word document or web page, or one batch of "
        "rows of Parquet; other formats take time in proportion to their size",
    )
    max_memory: Annotated[int, Field(ge=500_000_000)] = Field(
        default=2_000_000_000,
        description="memory in bytes for reading these, in a process of its own (Linux only)",
    )
    columns: ColumnMap = ColumnMap()
    stdin_format: StdinFormat = Field(
        default="auto", description="format of standard input; auto looks at its content"
    )
    keep_duplicates: bool = Field(
        default=False, description="keep documents whose text, speaker and date were read before"
    )
    clean_markup: bool = Field(
        default=True, description="remove markdown marks and backslashes before quotation marks"
    )
    speaker: str | None = Field(default=None, description="speaker where the input names none")
    date: Annotated[str, written(DATE_WITHOUT_TIME, DATE_FORMS)] | None = Field(
        default=None, description=f"date ({DATE_FORMS}) where the input names none"
    )
    genre: str | None = Field(default=None, description="genre where the input names none")
