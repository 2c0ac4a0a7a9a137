"""The codebook as plain text, for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from pipeline.codebook.model import Codebook, Label

WIDTH = 96


def as_text(codebook: Codebook) -> str:
    """Return tasks, labels, definitions, what counts and what does not, and conventions."""
    return "\n".join(_lines(codebook))


def _lines(codebook: Codebook) -> Iterator[str]:
    yield f"{codebook.name} {codebook.version}"
    yield from _wrapped(codebook.about, "")
    yield from _wrapped(f"Unit: {codebook.unit}", "")
    for name, task in codebook.tasks.items():
        yield ""
        yield f"TASK {name} ({task.type.value})"
        yield from _wrapped(task.question, "  ")
        for label_name, label in task.labels.items():
            yield ""
            yield f"  {label_name} — {label.title}"
            yield from _wrapped(label.definition, "    ")
            yield from _label_lists(label)
        yield from _items("conventions", task.conventions, "  ")
    if codebook.constraints:
        yield ""
        yield from _items("CONSTRAINTS", map(str, codebook.constraints), "")


def _label_lists(label: Label) -> Iterator[str]:
    yield from _items("counts", label.count, "    ")
    yield from _items("does not count", label.do_not_count, "    ")
    yield from _items("examples", label.examples, "    ")
    yield from _items("near misses", label.counterexamples, "    ")


def _items(title: str, items: Iterable[str], indent: str) -> Iterator[str]:
    for number, item in enumerate(items):
        if number == 0:
            yield f"{indent}{title}:"
        yield from textwrap.wrap(
            item, WIDTH, initial_indent=f"{indent}- ", subsequent_indent=f"{indent}  "
        )


def _wrapped(text: str, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
