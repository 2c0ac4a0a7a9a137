"""The limit of size, and what is said when it is passed."""

from __future__ import annotations

from typing import BinaryIO

from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings


def too_large(size: int, source: str, location: str, settings: IngestSettings) -> Rejection | None:
    """Reject what has more bytes than the settings allow; `None` when it may be read."""
    if size <= settings.max_bytes:
        return None
    detail = f"{size:,} bytes, the limit is {settings.max_bytes:,}; raise max_bytes or split it"
    return Rejection(source, location, RejectReason.TOO_LARGE, detail)


def document_too_large(stream: BinaryIO, source: str, settings: IngestSettings) -> Rejection | None:
    """Reject a seekable stream that is too large to be one document; leave it at its beginning."""
    size = stream.seek(0, 2)
    stream.seek(0)
    return too_large(size, source, "", settings)
