"""Check annotations that are handed in: each is kept, set aside with its mistakes, or blank."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue as Json
from pydantic import ValidationError

from pipeline.codebook import Codebook, TaskType
from pipeline.errors import near_matches
from pipeline.labelling.annotations import (
    ADAPTER,
    Annotation,
    CodebookStamp,
    SpanAttribution,
    is_blank,
    normal,
    same_document,
)
from pipeline.records import Rejection, RejectReason

FORM_KEYS = ("suggested", "said")
"""What a form tells its reader beside the annotation that is to be filled in; not read back."""


class AnnotationReader:
    """Checks drafts of annotations one by one; every draft is kept, rejected or counted as blank.

    Args:
        codebook: the codebook the annotations must have been made with.
        coder: who made the annotations that name nobody.
        names: coders to call otherwise; Label Studio exports the numbers of its users only.
    """

    def __init__(
        self,
        codebook: Codebook,
        *,
        coder: str | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.codebook = codebook
        self.annotations: list[Annotation] = []
        self.rejections: list[Rejection] = []
        self.blank = 0
        self._coder = coder
        self._names = dict(names or {})
        self._stamp = CodebookStamp.of(codebook)
        self._seen: dict[tuple[str, str, str], tuple[str, Annotation]] = {}
        self._items: dict[tuple[str, str], tuple[str, str]] = {}
        self._documents: dict[tuple[str, str], tuple[str, str]] = {}

    def read(self, draft: Mapping[str, Json], source: str, location: str) -> None:
        """Check a draft and keep it, or set it aside with all its mistakes."""
        if is_blank(draft):
            self.blank += 1
            return
        coder = draft.get("coder") or self._coder
        if isinstance(coder, str):
            coder = self._names.get(coder, coder)
        named = {**draft, "coder": coder}
        try:
            annotation = ADAPTER.validate_json(json.dumps(named))
        except ValidationError as error:
            mistakes = [_described(item["loc"], item["msg"]) for item in error.errors()]
            self._reject_all(mistakes, source, location, _id_of(draft))
            return
        except RecursionError:  # writing takes a level more than reading did
            self.reject(source, location, "not usable JSON: nested too deeply", _id_of(draft))
            return
        annotation = normal(annotation, self.codebook)
        found = list(_mistakes(annotation, self.codebook, self._stamp))
        found += self._repeated(annotation)
        if found:
            self._reject_all(found, source, location, annotation.item.sentence_id)
            return
        place = f"{source} {location}".strip()
        self._seen[(*annotation.item.key, annotation.coder)] = (place, annotation)
        item = annotation.item
        self._items.setdefault(item.key, (place, item.text))
        self._documents.setdefault((item.sentence_id, item.text), (place, item.doc_id))
        self.annotations.append(annotation)

    def read_json_line(self, line: bytes, source: str, location: str) -> None:
        """Parse and check a canonical line, or a form that was filled in; blank lines are none."""
        if not line.strip():
            return
        try:
            data = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            self.reject(source, location, f"not UTF-8 at byte {error.start} of the line")
        except json.JSONDecodeError as error:
            self.reject(source, location, f"not JSON: {error.msg} at column {error.colno}")
        except (ValueError, RecursionError) as error:  # endless digits, bottomless nesting
            self.reject(source, location, f"not usable JSON: {error}")
        else:
            if isinstance(data, dict):
                draft = {key: value for key, value in data.items() if key not in FORM_KEYS}
                self.read(draft, source, location)
            else:
                got = type(data).__name__
                self.reject(source, location, f"expected an annotation (an object), got {got}")

    def reject(self, source: str, location: str, detail: str, record_id: str | None = None) -> None:
        """Set aside what could not even be read as a draft."""
        self._reject_all([(RejectReason.BAD_ROW, detail)], source, location, record_id)

    def _repeated(self, annotation: Annotation) -> Iterator[tuple[RejectReason, str]]:
        key = annotation.item.key
        if (seen := self._seen.get((*key, annotation.coder))) is not None:
            same = "the same" if seen[1].said() == annotation.said() else "other"
            yield (
                RejectReason.DUPLICATE,
                f"coder '{annotation.coder}' annotated '{key[1]}' of '{key[0]}' already at "
                f"{seen[0]}, with {same} answers; the first one counts",
            )
        if (item := self._items.get(key)) is not None and item[1] != annotation.item.text:
            yield (
                RejectReason.BAD_ROW,
                f"the text of '{key[1]}' of '{key[0]}' is not the one at {item[0]}",
            )
        known = self._documents.get((key[1], annotation.item.text))
        if known is not None and known[1] != key[0] and same_document(known[1], *key):
            yield (
                RejectReason.BAD_ROW,
                f"'{key[1]}' is of '{key[0]}' here and of '{known[1]}' at {known[0]}; a "
                "spreadsheet may have changed one of them: give both the same 'doc_id'",
            )

    def _reject_all(
        self,
        mistakes: Sequence[tuple[RejectReason, str]],
        source: str,
        location: str,
        record_id: str | None,
    ) -> None:
        reason = min((reason for reason, _ in mistakes), key=_SEVERITY.index)
        detail = "; ".join(detail for _, detail in mistakes)
        self.rejections.append(Rejection(source, location, reason, detail, record_id))


_SEVERITY = (
    RejectReason.OTHER_CODEBOOK,
    RejectReason.NO_CODER,
    RejectReason.UNKNOWN_LABEL,
    RejectReason.WRONG_SPAN,
    RejectReason.DUPLICATE,
    RejectReason.BAD_ROW,
)
"""Of several mistakes in a draft, the first of these is the one it is counted under."""


def _mistakes(
    annotation: Annotation, codebook: Codebook, stamp: CodebookStamp
) -> Iterator[tuple[RejectReason, str]]:
    if not annotation.coder:
        yield _NO_CODER
    if not annotation.item.text.strip():
        yield RejectReason.BAD_ROW, "'item.text' is empty"
    if annotation.codebook != stamp:
        # Its labels may mean something else, so nothing more can be said of them.
        detail = f"made with codebook {annotation.codebook}, expected {stamp}"
        yield RejectReason.OTHER_CODEBOOK, detail
        return
    for name in (*annotation.labels, *annotation.abstained):
        if name not in codebook.tasks:
            near = near_matches(name, codebook.tasks)
            yield RejectReason.UNKNOWN_LABEL, f"unknown task '{name}'.{near}"
    for name, labels in annotation.labels.items():
        if name in annotation.abstained:
            yield RejectReason.BAD_ROW, f"'{name}' is both answered and abstained from"
        if (task := codebook.tasks.get(name)) is None:
            continue
        for label in labels:
            if mistake := codebook.label_mistake(name, label):
                yield RejectReason.UNKNOWN_LABEL, mistake
        if task.type is TaskType.MULTICLASS and len(labels) != 1:
            got = ", ".join(labels) or "none"
            yield RejectReason.BAD_ROW, f"'{name}' takes exactly one label, got {got}"
    for given in annotation.attributions:
        yield from _attribution_mistakes(given, annotation, codebook)


def _attribution_mistakes(
    given: SpanAttribution, annotation: Annotation, codebook: Codebook
) -> Iterator[tuple[RejectReason, str]]:
    where = f"holder or target of '{given.task}.{given.label}'"
    if given.label not in annotation.labels.get(given.task, ()):
        yield RejectReason.BAD_ROW, f"{where}, but this label is not given"
    elif given.task in codebook.tasks and not codebook.tasks[given.task].attribution:
        yield RejectReason.BAD_ROW, f"{where}, but labels of '{given.task}' have none"
    if given.holder is None and given.target is None:
        yield RejectReason.BAD_ROW, f"{where}: names neither"
    text = annotation.item.text
    for role, span in (("holder", given.holder), ("target", given.target)):
        if span is None:
            continue
        wrong = f"{role} {span.text!r} of '{given.task}.{given.label}'"
        if not span.text.strip():
            yield RejectReason.WRONG_SPAN, f"{wrong} has no words"
        elif span.start is None or span.end is None:
            if span.start is not span.end:
                yield RejectReason.WRONG_SPAN, f"{wrong}: 'start' and 'end' belong together"
            elif role == "target":
                yield RejectReason.WRONG_SPAN, f"{wrong} does not stand in the sentence"
        elif not 0 <= span.start < span.end or text[span.start : span.end] != span.text:
            found = text[span.start : span.end] if 0 <= span.start < span.end else ""
            yield (
                RejectReason.WRONG_SPAN,
                f"{wrong} does not stand at [{span.start}, {span.end}), where {found!r} stands",
            )


_NO_CODER = (
    RejectReason.NO_CODER,
    "'coder' is missing; fill in who annotated, or import the file with --coder NAME",
)


def _described(location: tuple[int | str, ...], message: str) -> tuple[RejectReason, str]:
    if location == ("coder",):
        return _NO_CODER
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return RejectReason.BAD_ROW, f"'{''.join(parts).removeprefix('.')}': {message}"


def _id_of(draft: Mapping[str, Json]) -> str | None:
    item = draft.get("item")
    found = item.get("sentence_id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else None
