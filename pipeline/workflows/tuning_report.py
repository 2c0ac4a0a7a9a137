"""What a search for settings found, as YAML to paste, as tables, and as a run."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

from ruamel.yaml import YAML

from pipeline.evaluation.score_text import score_text
from pipeline.evaluation.selection import MEAN, Selection
from pipeline.settings.classifiers import ClassifierSettings
from pipeline.settings.tuning import Value
from pipeline.tracking.runs import RunLogger

Table = list[tuple[str, ...]]
"""A header and rows."""

METHOD = """\
inner: the chosen settings on the documents they were chosen on; outer: on documents that had no \
part in the choice; optimism: inner minus outer; present: the settings of the file, on the \
documents of outer; gain: outer minus present. 95 % intervals by bootstrap over documents, for the \
choices that were made. Outer models learn from more documents than inner ones, which by itself \
makes outer higher: the optimism is underestimated, and may be negative."""


@dataclass(frozen=True, slots=True)
class TunedFold:
    """What the search of one outer fold chose, and its scores inside and outside the search."""

    values: Mapping[str, Value]
    inner: float
    outer: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search found, and the run that holds it.

    `values` are the settings recommended, `fragment` the same as YAML, `scores` those of
    `selection_scores`, `folds` what each outer fold chose, `trials` how many were made in all.
    """

    name: str
    run_id: str
    values: Mapping[str, Value]
    fragment: str
    trials: int
    scores: Mapping[str, Selection]
    folds: tuple[TunedFold, ...]


def fragment(name: str, model: ClassifierSettings) -> str:
    """Return the settings of a model as YAML that can be pasted into a file of settings."""
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 1000
    text = io.StringIO()
    yaml.dump({"models": {name: model.model_dump(mode="json", exclude_unset=True)}}, text)
    return text.getvalue()


def said(values: Mapping[str, Value]) -> str:
    """Return settings as a line of text."""
    return ", ".join(f"{key} {_plain(value)}" for key, value in values.items())


def score_table(found: Tuned) -> Table:
    """Return what choosing did to the scores, a row a score."""
    header = ("score", "inner", "outer", "optimism", "present", "gain")
    return [
        header,
        *(
            (
                name,
                *map(score_text, (one.inner, one.outer)),
                score_text(one.optimism, sign="+"),
                score_text(one.present),
                score_text(one.gain, sign="+"),
            )
            for name, one in found.scores.items()
        ),
    ]


def fold_table(found: Tuned) -> Table:
    """Return what each outer fold chose, a row a fold."""
    return [
        ("outer fold", "inner", "outer", "chosen"),
        *(
            (str(number), f"{fold.inner:.3f}", f"{fold.outer:.3f}", said(fold.values))
            for number, fold in enumerate(found.folds, start=1)
        ),
    ]


def log_result(run: RunLogger, found: Tuned) -> None:
    """Log settings, scores and tables to the run of the search.

    Raises:
        OutputError: the store cannot be written.
    """
    run.text(found.fragment, "best.yaml")
    run.tags({f"best.{key}": _plain(value) for key, value in found.values.items()})
    run.tags({"search.trials": str(found.trials)})
    mean = found.scores[MEAN]
    figures = {
        "inner": mean.inner,
        "outer": mean.outer,
        "optimism": mean.optimism,
        "present": mean.present,
        "gain": mean.gain,
    }
    run.metrics(
        {
            f"macro_f1/{name}{end}": value
            for name, score in figures.items()
            for end, value in (("", score.value), (".low", score.low), (".high", score.high))
            if value is not None
        }
    )
    lines = ["```yaml", found.fragment.rstrip(), "```", ""]
    for header, *rows in (score_table(found), fold_table(found)):
        cells = (header, ("---",) * len(header), *rows)
        lines += [*(f"| {' | '.join(row)} |" for row in cells), ""]
    run.describe("\n".join([*lines, METHOD]))


def _plain(value: Value) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
