"""Read Parquet: one statement a row, in batches, only the columns that are needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import resolve, row_document
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

MAGIC = b"PAR1"
BATCH_ROWS = 256


class ParquetReader:
    """Rows keep their order; a value that is not text rejects its row alone."""

    name: ClassVar[str] = "Parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)
    library: ClassVar[str] = "pyarrow"

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document or rejection a row; `location` counts rows from 1."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if stream.read(len(MAGIC)) != MAGIC:
            detail = "is not a Parquet file: it does not begin with PAR1"
            yield Rejection(source, "", RejectReason.WRONG_TYPE, detail)
            return
        stream.seek(0)
        row = 0
        try:
            table = pq.ParquetFile(stream)
            fields = resolve(table.schema_arrow.names, settings.columns)
            if isinstance(fields, str):
                yield Rejection(source, "columns", RejectReason.BAD_ROW, fields)
                return
            names = list(dict.fromkeys(fields.values()))
            for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=names):
                columns = {name: batch.column(name) for name in names}
                for index in range(batch.num_rows):
                    row += 1
                    location = f"row {row}"
                    try:
                        values = {name: columns[name][index].as_py() for name in names}
                    # A LookupError comes from a time zone that does not exist.
                    except (ValueError, OverflowError, LookupError) as error:
                        detail = f"a value cannot be read ({error})"
                        yield Rejection(source, location, RejectReason.BAD_ROW, detail)
                        continue
                    yield row_document(
                        values, fields, source=source, location=location, settings=settings
                    )
        except pa.ArrowMemoryError:
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            place = f"from row {row + 1} on" if row else ""
            detail = f"the file is damaged or cut short ({error})"
            yield Rejection(source, place, RejectReason.UNREADABLE, detail)
