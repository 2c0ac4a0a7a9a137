"""Stage `aggregate`: attributed labels to tables, a network and changes over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.actors import Registry, load_registry
from pipeline.actors.text import name_key
from pipeline.aggregation import (
    TEXT,
    Change,
    Expressed,
    Party,
    Verdict,
    actor_shares,
    edges,
    find_changes,
    statement_stances,
    to_graphml,
)
from pipeline.errors import InputError, OutputError
from pipeline.output import whole_file, write_text
from pipeline.records import SPEAKER, Rejection, RejectReason
from pipeline.settings.aggregation import Period, TableFormat
from pipeline.workflows.aggregate_tables import (
    write_actors,
    write_changes,
    write_edges,
    write_statements,
)
from pipeline.workflows.attribution_file import AttributionRow, read_attributions, statement_of
from pipeline.workflows.record_files import Rejects

STATEMENTS, ACTORS, EDGES, CHANGES = TABLES = ("statements", "actors", "edges", "changes")
NETWORK, ABOUT, REJECTS = "network.graphml", "about.md", "rejects.jsonl"
OUTPUTS = (
    *(f"{name}.{one}" for name in TABLES for one in TableFormat),
    *(NETWORK, ABOUT, REJECTS),
)
"""What may stand in the folder; the tables stand there in one format."""
NOT_IN_FILES = "actor"
"""Kind of an actor whose id the files of actors do not hold."""


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What was read, what was set aside, and how much is in the tables.

    `read` is `used` and the rejected rows together. `unlinked` counts used rows with a holder that
    was linked to no actor, `undated` those without a month; `unknown_ids` are linked actors that
    the files of actors do not name.
    """

    read: int
    used: int
    rejects: Rejects
    rejects_file: Path | None
    statements: int
    unlinked: int
    undated: int
    unknown_ids: tuple[str, ...]
    models: tuple[str, ...]
    stances: int
    edges: int
    changes: tuple[Change, ...]


def aggregate(
    paths: Sequence[Path],
    *,
    out: Path,
    by: Period,
    actors: Sequence[Path] = (),
    tables: TableFormat = TableFormat.CSV,
) -> Aggregation:
    """Write the tables of what `stance attribute` wrote into the folder `out`.

    Args:
        by: length of the periods of the table of actors.
        actors: the user's own files of actors, for the names of their ids.
        tables: format of the tables; those of an earlier run in the other one are removed.

    Raises:
        InputError: a file cannot be read, or there are rows but none that can be used.
        SettingsError: a file of actors is wrong.
        OutputError: the folder or a file in it cannot be written.
    """
    registry = load_registry(actors)
    rejects, rows = Rejects(), list[Expressed]()
    models, unknown = dict[str, None](), dict[str, None]()
    for item in _read(paths, rejects):
        rows.append(_expressed(item, registry, unknown))
        models |= {item.model: None, item.attribution_model: None}
    rejected = sum(rejects.counts.values())
    if rejects.first is not None and not rows:
        first = rejects.first
        raise InputError(
            f"{first.source}: none of {rejected:,} rows can be used. The first, {first.location}: "
            f"{first.detail}. Give what 'stance attribute' wrote."
        )
    _make_folder(out)
    stances, network, changes = statement_stances(rows), edges(rows), find_changes(rows)
    write_statements(out / f"{STATEMENTS}.{tables}", stances)
    write_actors(out / f"{ACTORS}.{tables}", actor_shares(rows, by))
    write_edges(out / f"{EDGES}.{tables}", network)
    write_changes(out / f"{CHANGES}.{tables}", changes)
    _remove_others(out, tables)
    with whole_file(out / NETWORK) as file:
        file.write(to_graphml(network))
    rejects.write(out / REJECTS)
    done = Aggregation(
        read=len(rows) + rejected,
        used=len(rows),
        rejects=rejects,
        rejects_file=out / REJECTS if rejected else None,
        statements=len({row.doc_id for row in rows}),
        unlinked=sum(not all(holder.linked for holder in row.holders) for row in rows),
        undated=sum(row.month is None for row in rows),
        unknown_ids=tuple(unknown),
        models=tuple(models),
        stances=len(stances),
        edges=len(network),
        changes=tuple(changes),
    )
    write_text(out / ABOUT, _about(done, paths, by, tables))
    return done


def remarks(done: Aggregation) -> list[str]:
    """Return in plain sentences what a reader of the tables must know."""
    tested = [one for one in done.changes if one.verdict is not Verdict.TOO_LITTLE]
    changing = sum(one.verdict is Verdict.CHANGE for one in tested)
    said = [
        "All counts and shares are of predictions and carry the errors of the models: they are not "
        "the shares in the texts. docs/estimation.md shows how a labelled sample takes the errors "
        "of the labels out.",
        f"Changes over time: {len(tested):,} of {len(done.changes):,} series of an actor and a "
        f"label hold enough to be tested{f'; {changing:,} of them change' if tested else ''}.",
    ]
    if done.unlinked:
        said.append(
            f"{done.unlinked:,} of {done.used:,} rows have a holder that was linked to no actor: "
            "it stays text, and the same words may mean different holders. Your own actors go into "
            "a file for 'stance attribute --actors' (docs/actors.md)."
        )
    if done.undated:
        said.append(
            f"{done.undated:,} of {done.used:,} rows have no date with a month; they stand in no "
            "month and in no series."
        )
    if done.unknown_ids:
        said.append(
            f"The files of actors do not hold {', '.join(done.unknown_ids)}: shown by their ids. "
            "Give your file of actors with --actors."
        )
    return said


def _read(paths: Sequence[Path], rejects: Rejects) -> Iterator[AttributionRow]:
    """Yield the rows that can be used, each label of a sentence once."""
    seen: dict[tuple[str, ...], str] = {}
    for path in paths:
        for number, item in enumerate(read_attributions(path), start=1):
            if isinstance(item, Rejection):
                rejects.add(item)
                continue
            key: tuple[str, ...]
            key = (_statement(item), item.sentence_id, item.task, item.label)
            if _was_sentence(item):  # whose id may be that of its document
                key = (*key, item.text)
            if (first := seen.get(key)) is not None:
                detail = f"'{item.label}' of this sentence stands in {first} already"
                place = Rejection(
                    str(path), f"row {number}", RejectReason.DUPLICATE, detail, item.sentence_id
                )
                rejects.add(place)
                continue
            seen[key] = f"row {number} of {path}"
            yield item


def _was_sentence(row: AttributionRow) -> bool:
    """Whether the input gave sentences: then `doc_id` is the file, not a statement."""
    return row.source_start is None and "source_start" in row.model_fields_set


def _statement(row: AttributionRow) -> str:
    """Return what tells statements apart; sentences of one speaker, date and title are of one."""
    if not _was_sentence(row):
        return row.doc_id
    return statement_of(row.doc_id, row.speaker, row.date, row.title)


def _expressed(row: AttributionRow, registry: Registry, unknown: dict[str, None]) -> Expressed:
    holders = _parties(row.holder_actors, row.holder, registry, unknown)
    if row.holder == SPEAKER and not row.holder_actors:
        words = (row.speaker or "").strip()
        if words:
            holders = _parties((), words, registry, unknown)
        else:
            # A speaker without a name is somebody else in every statement: its id is kept as it is.
            words = f"unnamed speaker of {_statement(row)}"
            holders = (Party(words, TEXT, words),)
    return Expressed(
        doc_id=_statement(row),
        sentence_id=row.sentence_id,
        text=row.text,
        task=row.task,
        label=row.label,
        probability=row.probability,
        holders=holders,
        targets=_parties(row.target_actors, row.target, registry, unknown),
        speaker=row.speaker,
        date=row.date,
        title=row.title,
        source=row.source,
    )


def _parties(
    ids: Sequence[str], words: str | None, registry: Registry, unknown: dict[str, None]
) -> tuple[Party, ...]:
    if not ids:
        return () if words is None else (Party(name_key(words) or words, TEXT, words),)
    found = []
    for name in dict.fromkeys(ids):
        if name in registry.actors:
            actor = registry.actor(name)
            found.append(Party(name, actor.kind.value, actor.name))
        else:
            unknown[name] = None
            found.append(Party(name, NOT_IN_FILES, name))
    return tuple(found)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file of this name is there" if out.is_file() else error.strerror
        raise OutputError(f"{out}: no folder can be made there ({reason}).") from None


def _remove_others(out: Path, tables: TableFormat) -> None:
    for path in (out / f"{name}.{one}" for name in TABLES for one in TableFormat if one != tables):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"{path}: a table of an earlier run that cannot be removed ({error.strerror})."
            ) from None


def _about(done: Aggregation, paths: Sequence[Path], by: Period, tables: TableFormat) -> str:
    """Return what stands beside the tables, for whoever gets the folder."""
    sources = "\n".join(f"- {path.name}" for path in paths)
    said = "\n".join(f"- {remark}" for remark in remarks(done))
    return f"""# About these tables

Made by `stance aggregate` from

{sources}

{done.read:,} rows: {done.used:,} used, {done.read - done.used:,} set aside. Models: \
{", ".join(done.models) or "none"}.

{said}

| file | one row is |
|---|---|
| {STATEMENTS}.{tables} | a statement, a holder, a label and a target, with the sentences |
| {ACTORS}.{tables} | a holder, a {by.value} (or all) and a label |
| {EDGES}.{tables}, {NETWORK} | a holder's label toward a target |
| {CHANGES}.{tables} | whether a series of an actor and a label changes |

Joint holders and joint targets have a row each: do not add up numbers over holders or targets.
What the columns mean: docs/aggregation.md.
"""
