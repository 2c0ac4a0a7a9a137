"""What its owner should hear of an input that was read: what of it is not read, or will not count.

Without a word a column that is not read, or a date of another form, shows only in tables long
after, as what is missing there.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from pipeline.ingest.raw import RawDocument
from pipeline.ingest.readers.columns import likely_column, shortened
from pipeline.records import DATE_FORMS, Rejection, RejectReason, year_and_month
from pipeline.settings.ingest import IngestSettings

_MOST = 20  # inputs that are told of; of thousands, these show what is wrong


@dataclass(slots=True)
class InputFacts:
    """What was seen of one input, or of consecutive parts of it.

    `uncounted` are dates of another form; the first stands beside it with its location. `unread`
    names the columns that nobody reads.
    """

    source: str
    used: int = 0
    rejected: int = 0
    bad_rows: int = 0
    first_rejection: Rejection | None = None
    with_speaker: int = 0
    with_date: int = 0
    unread: tuple[str, ...] = ()
    uncounted: int = 0
    first_uncounted: tuple[str, str] = ("", "")

    def see(self, item: RawDocument | Rejection) -> None:
        """Take note of a document that is used, or of a rejection."""
        if isinstance(item, Rejection):
            self.rejected += 1
            self.bad_rows += item.reason is RejectReason.BAD_ROW
            self.first_rejection = self.first_rejection or item
            return
        self.used += 1
        self.with_speaker += item.speaker is not None
        self.with_date += item.date is not None
        self.unread = self.unread or item.unread
        if item.date is not None and year_and_month(item.date) is None:
            self.uncounted += 1
            if self.uncounted == 1:
                self.first_uncounted = item.date, item.location

    def join(self, later: InputFacts) -> None:
        """Take over what was seen of a later part of the same input."""
        self.first_rejection = self.first_rejection or later.first_rejection
        self.unread = self.unread or later.unread
        self.first_uncounted = self.first_uncounted if self.uncounted else later.first_uncounted
        self.used += later.used
        self.rejected += later.rejected
        self.bad_rows += later.bad_rows
        self.with_speaker += later.with_speaker
        self.with_date += later.with_date
        self.uncounted += later.uncounted


class Seen:
    """Takes what was read of parts, and keeps the facts of every input for `Remarks.join`."""

    def __init__(self) -> None:
        self.inputs: list[InputFacts] = []

    def see(self, item: RawDocument | Rejection) -> None:
        """Take note of a document that is used, or of a rejection."""
        if not self.inputs or self.inputs[-1].source != item.source:
            self.inputs.append(InputFacts(item.source))
        self.inputs[-1].see(item)


class Remarks:
    """Takes what was read, input after input; a line is said of an input only once."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._input: InputFacts | None = None
        self._left_out, self._lines = _Lines(), _Lines()

    def see(self, item: RawDocument | Rejection) -> None:
        """Take note of a document that is used, or of a rejection."""
        self._of(item.source).see(item)

    def join(self, facts: InputFacts) -> None:
        """Take note of what was seen of an input, or of its next part."""
        self._of(facts.source).join(facts)

    def left_out(self) -> list[str]:
        """Return a line for each input of which no row can be used; they are rejections as well."""
        self._finish()
        return self._left_out.shown()

    def lines(self) -> list[str]:
        """Return a line for each input whose dates do not count or whose columns are not read."""
        self._finish()
        return self._lines.shown()

    def _of(self, source: str) -> InputFacts:
        if self._input is None or self._input.source != source:
            self._finish()
            self._input = InputFacts(source)
        return self._input

    def _finish(self) -> None:
        of, self._input = self._input, None
        if of is None:
            return
        name = "standard input" if of.source == "-" else of.source
        first = of.first_rejection
        if first is not None and not of.used and of.bad_rows == of.rejected:
            place = f" {first.location}" if first.location else ""
            if of.rejected == 1:
                self._left_out.add(f"{name}{place}: {first.detail}")
            else:
                self._left_out.add(
                    f"{name}: none of its {of.rejected:,} rows can be used; the first,{place}: "
                    f"{first.detail}"
                )
        if missing := self._missing(of):
            self._lines.add(f"{name}: {_of_columns(of.unread, missing)}")
        if of.uncounted:
            value, location = of.first_uncounted
            said = f"{shortened(value)!r}" + f" ({location})" * bool(location)
            if of.uncounted == 1:
                said = f"the date {said} is"
            else:
                said = f"{of.uncounted:,} dates of another form, the first {said}, are"
            self._lines.add(
                f"{name}: {said} kept as written but not counted over time; expected {DATE_FORMS}"
            )

    def _missing(self, of: InputFacts) -> list[str]:
        """Return which of speaker and date no row has and nobody said; none if all is read."""
        told, columns = self._settings, self._settings.columns
        # An empty name of a column says that the field is not wanted.
        speaker = of.with_speaker or told.speaker or columns.speaker == ""
        date = of.with_date or told.date or columns.date == ""
        found = {"speaker": speaker, "date": date}
        return [field for field, known in found.items() if not known] if of.unread else []


class _Lines:
    def __init__(self) -> None:
        self._kept: list[str] = []
        self._more = 0

    def add(self, line: str) -> None:
        if len(self._kept) < _MOST:
            self._kept.append(line)
        else:
            self._more += 1

    def shown(self) -> list[str]:
        return [*self._kept, *([f"and {self._more:,} more such remarks"] if self._more else [])]


def _of_columns(unread: tuple[str, ...], missing: list[str]) -> str:
    left = list(unread)
    named: dict[str, str] = {}
    for field in missing:
        if column := likely_column(field, left):
            named[field] = column
            left.remove(column)
    for field in missing:  # an example that may be wrong shows more than a placeholder
        if field not in named and field == "speaker" and left:
            named[field] = left.pop(0)
    fields = [field for field in missing if field in named] or missing[:1]
    options = " ".join(
        f"--column {shlex.quote(f'{field}={named[field]}' if named else f'{field}=NAME')}"
        for field in fields
    )
    nouns = " and no ".join(missing)
    return f"no {nouns}; columns not read: {', '.join(unread)}. Name them, as in {options}"
