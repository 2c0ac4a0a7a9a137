"""Render findings as a dossier: an HTML file that needs nothing else, or several with an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from pipeline.codebook import Codebook
from pipeline.records import Prediction, Rejection, Statement
from pipeline.reporting.dates import readable
from pipeline.reporting.dossier_data import facts_of, texts_of
from pipeline.reporting.facts import ModelFacts, score_rows
from pipeline.reporting.findings import Finding, FindingView, build_findings, holders, targets
from pipeline.reporting.page import (
    embedded,
    label_colours,
    part,
    policy,
    template,
    without_surrogates,
    written_day,
)
from pipeline.reporting.view import StatementView, build_statements, period

MOST_STATEMENTS = 5_000
"""A file with more statements than this would keep its reader waiting."""

LIBRARY = "d3.min.js"
SCRIPTS = (
    "common.js",
    "dossier_state.js",
    "dossier_charts.js",
    "dossier_flows.js",
    "dossier_text.js",
    "dossier_list.js",
    "dossier_export.js",
    "dossier.js",
)


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How many findings carry a label, in percent of all findings of its task, and its colour."""

    key: str
    css: str
    number: int
    percent: float


@dataclass(frozen=True, slots=True)
class DossierPart:
    """One file of a dossier, as the index lists it."""

    name: str
    period: tuple[str, str] | None
    statements: int
    findings: int
    labels: tuple[LabelCount, ...]
    holders: tuple[tuple[str, int], ...]


def render_dossier(
    rows: Sequence[Prediction],
    statements: Mapping[str, Statement],
    codebook: Codebook,
    findings: Sequence[Finding],
    *,
    name: str,
    title: str,
    model: ModelFacts,
    attribution_model: str,
    made_on: date,
    rejected: Sequence[Rejection] = (),
    unattributed: int = 0,
    most: int = MOST_STATEMENTS,
) -> dict[str, str]:
    """Return the text of each HTML file by its name; the first, `name`, is the one to open.

    Statements stand in the order of their dates, undated ones last. With more than `most` of them
    `name` is an index of files `name`-1, `name`-2 and so on, each a whole dossier of its span. All
    text of the input is escaped; a page may run only the script it was made with and may request
    nothing (Content Security Policy). `unattributed` is the number of labels without a finding.

    Raises:
        SettingsError: a prediction carries labels that are not in the codebook.
        InputError: a finding is of no sentence that was predicted, or of no label of the codebook.
    """
    views = build_statements(rows, _by_date(statements), codebook)
    found = build_findings(findings, views, codebook)
    chunks = [views[at : at + most] for at in range(0, len(views), most)]
    split = len(chunks) > 1
    stem, suffix = name.rsplit(".", 1)
    names = {n: f"{stem}-{n}.{suffix}" for n in range(1, len(chunks) + 1)}
    look = {
        "title": title,
        "codebook": codebook,
        "made_on": written_day(made_on),
        "style": part("report.css") + part("dossier.css") + label_colours(codebook),
    }
    shared = look | {
        "model": model,
        "attribution_model": attribution_model,
        "unattributed": unattributed,
        "scores": score_rows(model),
        "library": part(LIBRARY),
        "script": '"use strict";\n(() => {\n' + "\n".join(map(part, SCRIPTS)) + "\n})();\n",
    }
    shared["policy"] = policy(*(str(shared[key]) for key in ("style", "library", "script")))
    pages: dict[str, str] = {}
    parts: list[DossierPart] = []
    for number, chunk in enumerate(chunks, start=1):
        inside = {s.index for view in chunk for s in view.sentences}
        own = [finding for finding in found if finding.sentence in inside]
        parts.append(_part(names[number] if split else name, chunk, own, codebook))
        data = facts_of(chunk, own, codebook, statements, title, model, attribution_model)
        page = template("dossier.html.jinja").render(
            shared,
            place=f"{part_mark(name, number)}{len(chunks)}" if split else None,
            before=names.get(number - 1),
            after=names.get(number + 1),
            tasks=codebook.tasks,
            statements=chunk,
            sentences=len(inside),
            findings=own,
            holders=holders(own),
            targets=targets(own),
            period=parts[-1].period,
            labels=parts[-1].labels,
            rejected=rejected if number == 1 else (),
            data=embedded(data),
            texts=embedded(texts_of(chunk, codebook)),
        )
        pages[parts[-1].name] = without_surrogates(page)
    if not split:
        return pages
    index = template("dossier_index.html.jinja").render(
        look,
        parts=parts,
        statements=len(views),
        findings=len(found),
        period=_readable(period(views)),
        holders=_totals(parts),
        policy=policy(str(look["style"])),
    )
    return {name: without_surrogates(index), **pages}


def part_mark(name: str, number: int) -> str:
    """Return the HTML by which a file says that it is part `number` of the dossier `name`.

    No text of the input can hold it: all of it is escaped.
    """
    return f'<a href="{quote(name)}">Index</a>, part {number} of '


def _readable(dates: tuple[str, str] | None) -> tuple[str, str] | None:
    return dates and (readable(dates[0]), readable(dates[1]))


def _by_date(statements: Mapping[str, Statement]) -> dict[str, Statement]:
    dated = sorted(statements.items(), key=lambda one: (not one[1].date, one[1].date or ""))
    return dict(dated)


def _part(
    name: str, chunk: Sequence[StatementView], own: Sequence[FindingView], codebook: Codebook
) -> DossierPart:
    by_holder = Counter(actor for finding in own for actor in finding.holder.actors)
    return DossierPart(
        name=name,
        period=_readable(period(chunk)),
        statements=len(chunk),
        findings=len(own),
        labels=label_counts(own, codebook),
        holders=tuple(sorted(by_holder.items())),
    )


def _totals(parts: Sequence[DossierPart]) -> list[tuple[str, int, dict[str, int]]]:
    """Return (holder, findings, findings by part) of each holder, the most frequent first."""
    totals: dict[str, dict[str, int]] = {}
    for one in parts:
        for holder, number in one.holders:
            totals.setdefault(holder, {})[one.name] = number
    rows = [(holder, sum(by_part.values()), by_part) for holder, by_part in totals.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0].casefold()))


def label_counts(findings: Sequence[FindingView], codebook: Codebook) -> tuple[LabelCount, ...]:
    """Count the labels of tasks that are attributed, or of which there are findings."""
    numbers = Counter(finding.column for finding in findings)
    found = {codebook.columns[j][0] for j in numbers}
    shown = [name for name, task in codebook.tasks.items() if task.attribution or name in found]
    per_task = Counter[str]()
    for j, number in numbers.items():
        per_task[codebook.columns[j][0]] += number
    return tuple(
        LabelCount(
            f"{task}.{label}", f"l{j}", numbers[j], 100 * numbers[j] / max(per_task[task], 1)
        )
        for j, (task, label) in enumerate(codebook.columns)
        if task in shown
    )
