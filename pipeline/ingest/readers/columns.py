"""Which column holds which field, and how a row becomes a document; shared by all tables."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import islice

from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.limits import too_large
from pipeline.records import Rejection, RejectReason
from pipeline.settings.ingest import ColumnMap, IngestSettings

# First match wins, so the plain name of a field stands first. An author is no speaker: he may have
# written of what others say.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "content", "body", "speech", "statement", "sentence"),
    "speaker": ("speaker", "country"),
    "date": ("date",),
    "genre": ("genre", "type"),
    "title": ("title", "headline", "subject"),
    "id": ("id", "sentence_id", "doc_id"),
    "context": ("context",),
}
_OUTPUT = frozenset({"doc_id", "sentence_id", "start", "end", "model"})
_MARKED_DATE = re.compile(r"'\d")
_LISTED, _COMPARED, _LONGEST_SHOWN = 20, 200, 60
LONGEST_VALUE = 1000
"""Characters of a speaker, title and the like that are kept; of a file they are not the content."""


LEFT_OUT = "the whole file is left out: it"
"""How a rejection begins that stands for all rows of a table."""


def resolve(columns: Sequence[str], wanted: ColumnMap) -> dict[str, str] | str:
    """Map each field that is present to its column, or say what is missing.

    A column named in the settings must be there. Otherwise the first well-known name counts, upper
    and lower case alike.
    """
    by_lower = {name.strip().casefold(): name for name in reversed(columns)}
    found: dict[str, str] = {}
    for field, synonyms in SYNONYMS.items():
        explicit: str | None = getattr(wanted, field)
        if explicit is None:
            name = next((by_lower[s] for s in synonyms if s in by_lower), None)
            if name is not None and name not in found.values():
                found[field] = name
        elif explicit in columns:
            found[field] = explicit
        elif explicit:
            return f"has no column '{explicit}' for the {field}.{_near(explicit, columns)}"
    if "text" not in found:
        others = [name for name in columns if name not in found.values()]
        option = shlex.quote(f"text={likely_column('text', others) or 'NAME'}")
        return (
            f"has no column for the text (tried {', '.join(SYNONYMS['text'])}). "
            f"{_listing(columns)} Name the right one (--column {option}, or the setting "
            "columns.text)"
        )
    twice = sorted({name for name in found.values() if columns.count(name) > 1})
    if twice:
        return f"names the column '{shortened(twice[0])}' more than once. {_listing(columns)}"
    return found


def is_output(columns: Iterable[str]) -> bool:
    """Tell whether columns are those of what `stance classify` or `attribute` writes."""
    return _OUTPUT.issubset(columns)


def unread_columns(columns: Iterable[str], fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns that hold no field, if that of speaker or date is not among those found.

    Of many or long ones a part, as messages show them.
    """
    if "speaker" in fields and "date" in fields:
        return ()
    read = set(fields.values())
    others = (name for name in columns if name.strip() and name not in read)
    return tuple(map(shortened, islice(others, _LISTED)))


def likely_column(field: str, columns: Sequence[str]) -> str | None:
    """Return the column whose name looks like one for the field: "Redetext" for the text."""
    names = {
        column.casefold(): column for column in columns[:_COMPARED] if len(column) <= _LONGEST_SHOWN
    }
    for known in SYNONYMS[field]:
        found = next((name for name in names if known in name), None)
        if found or (close := difflib.get_close_matches(known, names, n=1)):
            return names[found or close[0]]
    return None


def row_document(
    row: Mapping[str, object],
    fields: Mapping[str, str],
    *,
    unread: tuple[str, ...] = (),
    output: bool = False,
    source: str,
    location: str,
    settings: IngestSettings,
    encoding: str = "",
) -> RawDocument | Rejection:
    """Turn one row into a document, or a rejection that names what is wrong with it."""

    def bad(detail: str) -> Rejection:
        try:
            given = field_text("id", row.get(fields["id"])) if "id" in fields else None
        except (TypeError, RecursionError):
            given = None
        return Rejection(source, location, RejectReason.BAD_ROW, detail, given)

    text = row.get(fields["text"])
    if not isinstance(text, str):
        got = "nothing" if text is None else f"a value of type {type(text).__name__}"
        return bad(f"column '{fields['text']}' holds {got}; expected text")
    if not text.strip():
        return bad(f"column '{fields['text']}' is empty; expected text")
    # UTF-8 has at most four bytes a character, so most texts need not be encoded to be measured.
    if len(text) * 4 > settings.max_bytes:
        size = len(text.encode("utf-8", "surrogatepass"))
        if refused := too_large(size, source, location, settings):
            return refused
    values: dict[str, str | None] = {}
    for field, column in fields.items():
        if field == "text":
            continue
        try:
            values[field] = field_text(field, row.get(column))
        except (TypeError, RecursionError) as error:
            return bad(f"column '{column}' holds {error}; expected text for the {field}")
    return RawDocument(
        text=text,
        source=source,
        location=location,
        speaker=values.get("speaker"),
        date=_unmarked(values.get("date")),
        genre=values.get("genre"),
        title=values.get("title"),
        given_id=values.get("id"),
        context=values.get("context"),
        encoding=encoding,
        unread=unread,
        output=output,
    )


def _unmarked(given: str | None) -> str | None:
    """Return a date without the apostrophe that keeps spreadsheets from rewriting it."""
    return given[1:] if given and _MARKED_DATE.match(given) else given


def field_text(field: str, value: object) -> str | None:
    """Return the text of a field, cut to `LONGEST_VALUE` characters, the last then being "…".

    The context is text to read and kept whole. An id is not cut, since two could become one.

    Raises:
        TypeError: the value has no plain text (see `as_text`), or is an id that is too long.
    """
    text = as_text(value)
    if text is None or field == "context" or len(text) <= LONGEST_VALUE:
        return text
    if field == "id":
        raise TypeError(f"{len(text):,} characters, more than the {LONGEST_VALUE:,} allowed")
    return text[: LONGEST_VALUE - 1] + "…"


def as_text(value: object) -> str | None:
    """Return a cell or YAML value as text, `None` when it is absent or blank.

    Lists of plain values are joined by "; ", dates written as ISO 8601.

    Raises:
        TypeError: the value is a mapping or otherwise has no plain text, and says of what type it
            is; or it is a number of hundreds of digits.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return " ".join(value.split()) or None
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and value.bit_length() > LONGEST_VALUE:
        raise TypeError("a number of hundreds of digits")
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, list | tuple):
        parts = [part for part in map(as_text, value) if part is not None]
        return "; ".join(parts) or None
    raise TypeError(f"a value of type {type(value).__name__}")


def shortened(name: str) -> str:
    """Return a name as messages show it: not longer than names are."""
    return name if len(name) <= _LONGEST_SHOWN else name[: _LONGEST_SHOWN - 1] + "…"


def _near(name: str, columns: Sequence[str]) -> str:
    # Comparing is slow, and every row of a JSONL file may have other keys.
    likely = [column for column in columns[:_COMPARED] if len(column) <= _LONGEST_SHOWN]
    close = difflib.get_close_matches(name, likely, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"{hint} {_listing(columns)}"


def _listing(columns: Iterable[str]) -> str:
    listed = list(islice(columns, _LISTED + 1))
    names = ", ".join(f"'{shortened(name)}'" for name in listed[:_LISTED])
    more = ", and more" if len(listed) > _LISTED else ""
    return f"Columns found: {names or 'none'}{more}."
