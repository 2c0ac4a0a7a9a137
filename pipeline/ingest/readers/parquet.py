"""Read Parquet: one statement a row, in batches, only the columns that are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pipeline.ingest.raw import ALL_ROWS, Group, RawDocument, Rows
from pipeline.ingest.readers.columns import (
    LEFT_OUT,
    is_output,
    resolve,
    row_document,
    unread_columns,
)
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import IngestSettings

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyarrow.parquet import ParquetFile

MAGIC = b"PAR1"
BATCH_ROWS = 256
_ROW = "row "


class ParquetReader:
    """Rows keep their order; a value that is not text rejects its row alone.

    Row groups are read one after the other, each in batches from its first row. So rows from the
    beginning of one batch to that of another give the same alone as among all others, also where a
    batch is damaged.
    """

    name: ClassVar[str] = "Parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)
    library: ClassVar[str] = "pyarrow"

    def read(
        self, stream: BinaryIO, source: str, settings: IngestSettings
    ) -> Iterator[RawDocument | Rejection]:
        """Yield one document or rejection a row; `location` counts rows from 1."""
        rows = self.read_rows(stream, source, settings, ALL_ROWS)
        return (item for item in rows if item is not None)

    def read_rows(
        self, stream: BinaryIO, source: str, settings: IngestSettings, rows: Rows
    ) -> Iterator[RawDocument | Rejection | None]:
        """Yield what `read` yields of some rows, and `None` for each batch that is passed over."""
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
                detail = f"{LEFT_OUT} {fields}"
                yield Rejection(source, "columns", RejectReason.BAD_ROW, detail)
                return
            unread = unread_columns(table.schema_arrow.names, fields)
            output = is_output(table.schema_arrow.names)
            names = list(dict.fromkeys(fields.values()))
            for batch in _batches(table, names, rows):
                if isinstance(batch, int):
                    row += batch
                    yield None
                    continue
                columns = {name: batch.column(name) for name in names}
                for index in range(batch.num_rows):
                    row += 1
                    location = f"{_ROW}{row}"
                    try:
                        values = {name: columns[name][index].as_py() for name in names}
                    # A LookupError comes from a time zone that does not exist.
                    except (ValueError, OverflowError, LookupError) as error:
                        detail = f"a value cannot be read ({error})"
                        yield Rejection(source, location, RejectReason.BAD_ROW, detail)
                        continue
                    yield row_document(
                        values,
                        fields,
                        unread=unread,
                        output=output,
                        source=source,
                        location=location,
                        settings=settings,
                    )
        except pa.ArrowMemoryError:
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            place = f"from row {row + 1} on" if row else ""
            detail = f"the file is damaged or cut short ({error})"
            yield Rejection(source, place, RejectReason.UNREADABLE, detail)

    def groups(self, stream: BinaryIO, settings: IngestSettings) -> list[Group]:
        """Return the row groups as the file's own account has them; nothing if it has none.

        The bytes are those of the needed columns, unpacked.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.ParquetFile(stream)
            fields = resolve(table.schema_arrow.names, settings.columns)
            if isinstance(fields, str):
                return []
            begun = tuple(f"{name}." for name in fields.values())
            paths = [table.schema.column(n).path for n in range(table.metadata.num_columns)]
            needed = [n for n, path in enumerate(paths) if f"{path}.".startswith(begun)]
            listed = (table.metadata.row_group(n) for n in range(table.num_row_groups))
            return [
                (group.num_rows, sum(group.column(n).total_uncompressed_size for n in needed))
                for group in listed
            ]
        except pa.ArrowMemoryError:
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError):  # reading it says why
            return []


def of_one_row(rejection: Rejection) -> bool:
    """Return whether a rejection from a Parquet file is of one row, and not of all behind it."""
    return rejection.location.startswith(_ROW)


def _batches(table: ParquetFile, names: Sequence[str], rows: Rows) -> Iterator[RecordBatch | int]:
    """Yield the batches of some rows, and how many rows are passed over before them.

    Raises:
        OSError: a row group holds more or fewer rows than it should.
    """
    start, stop = rows
    row = 0
    for group in range(table.num_row_groups):
        if stop is not None and row >= stop:
            return
        count = table.metadata.row_group(group).num_rows
        following = row + count
        if following <= start:
            yield count
            row = following
            continue
        for batch in table.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
            if row + batch.num_rows > following:
                row = -1
                break
            passed = min(max(start - row, 0), batch.num_rows)
            if passed:
                yield passed
            if batch.num_rows > passed:
                left = batch.num_rows if stop is None else stop - row
                yield batch.slice(passed, min(left, batch.num_rows) - passed)
            row += batch.num_rows
            if stop is not None and row >= stop and stop < following:
                return
        if row != following:
            raise OSError(f"row group {group + 1} does not hold the {count:,} rows it should")
