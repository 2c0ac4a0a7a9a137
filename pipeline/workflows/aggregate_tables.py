"""The tables of stage `aggregate`: which columns, in which order, of which type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.aggregation import ActorShare, Change, Edge, Party, StatementStance
from pipeline.inference.rows import Value
from pipeline.inference.sinks import LIST_SEPARATOR, SINKS, sink_on
from pipeline.output import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

_PARTY = ("", "_name", "_kind")
_STATEMENT_COLUMNS = (
    *("doc_id", "date", "speaker", "title", "source", "task", "label"),
    *(f"holder{part}" for part in _PARTY),
    *(f"target{part}" for part in _PARTY),
    *("sentences", "highest_probability", "mean_probability", "sentence_ids", "texts"),
)
_ACTOR_COLUMNS = (
    *(f"holder{part}" for part in _PARTY),
    *("period", "task", "label", "sentences", "statements"),
    *("attributed_sentences", "attributed_statements"),
    *("uncorrected_share", "low", "high", "cautions"),
)
_EDGE_COLUMNS = (
    *(f"holder{part}" for part in _PARTY),
    *(f"target{part}" for part in _PARTY),
    *("task", "label", "sentences", "statements", "first_date", "last_date", "sentence_ids"),
)
_CHANGE_COLUMNS = (
    *(f"holder{part}" for part in _PARTY),
    *("task", "label", "months", "statements", "with_label", "verdict"),
    *("change_month", "earliest", "latest"),
    *("before_with_label", "before_statements", "after_with_label", "after_statements"),
    *("p", "p_holm", "words"),
)


_INTEGERS = frozenset(
    {"sentences", "statements", "attributed_sentences", "attributed_statements", "months"}
    | {"with_label", "before_with_label", "before_statements"}
    | {"after_with_label", "after_statements"}
)
_NUMBERS = frozenset(
    {"highest_probability", "mean_probability", "uncorrected_share", "low", "high", "p", "p_holm"}
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Columns of a table and, for Parquet, their types."""

    columns: Sequence[str]

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        types = dict.fromkeys(self.columns, pa.string())
        types |= {name: pa.int64() for name in self.columns if name in _INTEGERS}
        types |= {name: pa.float64() for name in self.columns if name in _NUMBERS}
        return pa.schema([(name, types[name]) for name in self.columns])


def write_statements(path: Path, rows: Iterable[StatementStance]) -> None:
    """Write statement x holder x label x target; texts of several sentences are lines of a cell."""
    _write(path, _STATEMENT_COLUMNS, map(_statement_cells, rows))


def write_actors(path: Path, rows: Iterable[ActorShare]) -> None:
    """Write holder x period x label."""
    _write(path, _ACTOR_COLUMNS, map(_actor_cells, rows))


def write_edges(path: Path, rows: Iterable[Edge]) -> None:
    """Write holder x target x label."""
    _write(path, _EDGE_COLUMNS, map(_edge_cells, rows))


def write_changes(path: Path, rows: Iterable[Change]) -> None:
    """Write a row a series; p-values and shares are empty where it was not tested."""
    _write(path, _CHANGE_COLUMNS, map(_change_cells, rows))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    with whole_file(path) as file, sink_on(file, SINKS[path.suffix], _Shape(columns)) as sink:
        sink.write([dict(zip(columns, map(_decimals, row), strict=True)) for row in rows])


def _party(one: Party | None) -> tuple[Value, Value, Value]:
    return (one.key, one.name, one.kind) if one else (None, None, None)


def _statement_cells(row: StatementStance) -> Sequence[Value]:
    first = row.first
    return (
        *(first.doc_id, first.date, first.speaker, first.title, first.source),
        *(first.task, first.label, *_party(row.holder), *_party(row.target)),
        len(row.evidence),
        *(row.highest_probability, row.mean_probability),
        LIST_SEPARATOR.join(one.sentence_id for one in row.evidence),
        "\n".join(" ".join(one.text.split()) for one in row.evidence),
    )


def _actor_cells(row: ActorShare) -> Sequence[Value]:
    return (
        *(*_party(row.holder), row.period, row.task, row.label),
        *(row.sentences, row.statements, row.attributed_sentences, row.attributed_statements),
        *(row.share, row.low, row.high),
        "; ".join(row.cautions),
    )


def _edge_cells(edge: Edge) -> Sequence[Value]:
    return (
        *(*_party(edge.holder), *_party(edge.target), edge.task, edge.label),
        *(len(edge.evidence), edge.statements, *(edge.dates or (None, None))),
        LIST_SEPARATOR.join(edge.sentence_ids),
    )


def _change_cells(row: Change) -> Sequence[Value]:
    tested = row.month is not None
    return (
        *(*_party(row.holder), row.task, row.label),
        *(row.months, row.statements, row.with_label, row.verdict.value),
        *(row.month, row.earliest, row.latest),
        *(row.before or (None, None)),
        *(row.after or (None, None)),
        *((row.p, row.p_holm) if tested else (None, None)),
        row.words,
    )


def _decimals(value: Value) -> Value:
    return round(value, 6) if isinstance(value, float) else value
