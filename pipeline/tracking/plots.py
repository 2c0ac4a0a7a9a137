"""Plots of how a model does on one data set, as PNG images; data in, bytes out.

Labels have their colours from the codebook and, since colours alone do not tell labels apart for
everybody, a line style and a name at hand as well.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.classifiers.targets import Targets
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import DecisionRule, Probabilities
from pipeline.errors import ShapeError
from pipeline.evaluation.curves import (
    Confusion,
    confusion,
    precision_recall_curve,
    reliability,
    threshold_curve,
)
from pipeline.records import EvaluationReport

_STYLES = ("-", "--", "-.", ":")
_PANELS_A_ROW = 3
_GREY = "#555555"
_F1, _PRECISION, _RECALL = "#000000", "#0072b2", "#d55e00"

Column = npt.NDArray[np.float32]
DrawPanel = Callable[[Axes, int, Column, Column], None]
"""Draws a column of the codebook: axes, column number, probabilities and known targets."""


def evaluation_plots(
    report: EvaluationReport,
    probabilities: Probabilities,
    targets: Targets,
    rule: DecisionRule,
    codebook: Codebook,
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, PNG image) of every plot of a model on one data set.

    For each task precision-recall curves and reliability diagrams; for a multilabel task F1,
    precision and recall against the threshold; for a multiclass task the confusion matrix.

    Args:
        report: names the data set and brings average precision and calibration error.
        probabilities: calibrated, float32 (n, codebook.width).
        targets: float32 (n, codebook.width), NaN where unknown.

    Raises:
        ShapeError: the arrays are not of that shape.
    """
    if probabilities.shape != targets.shape or probabilities.shape[1:] != (codebook.width,):
        raise ShapeError(
            f"got probabilities of shape {probabilities.shape} and targets of shape "
            f"{targets.shape}, expected both (n, {codebook.width})"
        )
    data = f"{report.dataset} ({report.sentences:,} sentences, {report.documents:,} documents)"
    for name, task in codebook.tasks.items():
        curves = _precision_recall(report, probabilities, targets, codebook, name)
        yield f"{name}.precision-recall", _png(curves, f"{name}: precision and recall, {data}")
        panels = _panels(
            probabilities, targets, codebook, name, _draw_reliability(report, codebook)
        )
        title = f"{name}: share of positives against probability, {data}"
        yield f"{name}.reliability", _png(panels, title)
        if task.type is TaskType.MULTILABEL:
            panels = _panels(probabilities, targets, codebook, name, _draw_thresholds(rule))
            yield f"{name}.thresholds", _png(panels, f"{name}: choice of threshold, {data}")
        else:
            decisions = rule.decide(probabilities, codebook)
            matrix = _confusion(confusion(decisions, targets, codebook, name))
            yield f"{name}.confusion", _png(matrix, f"{name}: confusion matrix, {data}")


def _precision_recall(
    report: EvaluationReport,
    probabilities: Probabilities,
    targets: Targets,
    codebook: Codebook,
    task: str,
) -> Figure:
    figure = Figure(figsize=(8.5, 5.5), layout="constrained")
    axes = figure.add_subplot()
    part = codebook.slice_of(task)
    for j, (name, label) in enumerate(codebook.tasks[task].labels.items()):
        gold = targets[:, part.start + j]
        positives = int(np.nansum(gold))
        found = report.scores.get(f"{task}.{name}.average_precision")
        shown = "" if found is None or np.isnan(found.value) else f", AP {found.value:.2f}"
        points = precision_recall_curve(probabilities[:, part.start + j], gold)
        axes.step(
            points.recall,
            points.precision,
            where="pre",
            color=label.colour,
            linestyle=_STYLES[j % len(_STYLES)],
            linewidth=2,
            label=f"{name} (n = {positives}{shown})",
        )
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False, title="label (positives)")
    return figure


def _panels(
    probabilities: Probabilities,
    targets: Targets,
    codebook: Codebook,
    task: str,
    draw: DrawPanel,
) -> Figure:
    """Draw one panel a label of the task; a label of which nothing is known says so."""
    part = codebook.slice_of(task)
    names = list(codebook.tasks[task].labels)
    rows = math.ceil(len(names) / _PANELS_A_ROW)
    columns = math.ceil(len(names) / rows)
    figure = Figure(figsize=(3.6 * columns, 3.5 * rows + 0.4), layout="constrained")
    lines: dict[str, Artist] = {}
    for j, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, j + 1)
        gold = targets[:, part.start + j]
        known = ~np.isnan(gold)
        axes.set_title(f"{name} (n = {int(np.nansum(gold))})", fontsize=11)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.grid(alpha=0.3)
        if known.any():
            draw(axes, part.start + j, probabilities[known, part.start + j], gold[known])
            lines |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        else:
            axes.text(0.5, 0.5, "no known label", ha="center", va="center", color=_GREY)
    if lines:
        figure.legend(
            lines.values(), lines, loc="outside lower center", ncols=len(lines), frameon=False
        )
    return figure


def _draw_reliability(report: EvaluationReport, codebook: Codebook) -> DrawPanel:
    def draw(axes: Axes, column: int, probabilities: Column, gold: Column) -> None:
        task, name = codebook.columns[column]
        bins = reliability(probabilities, gold)
        axes.plot([0, 1], [0, 1], color=_GREY, linestyle=":", linewidth=1)
        axes.plot(
            bins.predicted,
            bins.observed,
            color=codebook.tasks[task].labels[name].colour,
            marker="o",
            markersize=5,
            linewidth=1.5,
        )
        error = report.scores.get(f"{task}.{name}.ece")
        if error is not None and not np.isnan(error.value):
            axes.text(0.03, 0.93, f"ECE {error.value:.3f}", fontsize=10)
        axes.set(xlabel="mean probability of a bin", ylabel="share of positives")

    return draw


def _draw_thresholds(rule: DecisionRule) -> DrawPanel:
    def draw(axes: Axes, column: int, probabilities: Column, gold: Column) -> None:
        points = threshold_curve(probabilities, gold)
        axes.plot(points.threshold, points.precision, color=_PRECISION, ls="--", label="precision")
        axes.plot(points.threshold, points.recall, color=_RECALL, ls="-.", label="recall")
        axes.plot(points.threshold, points.f1, color=_F1, linewidth=2, label="F1")
        chosen = rule.threshold[column]
        axes.axvline(chosen, color=_GREY, linewidth=1)
        right = chosen < 0.7
        axes.annotate(
            f"chosen {chosen:.2f}",
            (chosen, 0.02),
            xytext=(3 if right else -3, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            fontsize=9,
            color=_GREY,
        )
        axes.set(xlabel="threshold")

    return draw


def _confusion(matrix: Confusion) -> Figure:
    """Draw shares of the gold label as shades and numbers of sentences as figures."""
    columns = list(matrix.labels)
    count = matrix.count
    if matrix.withheld.any():
        columns.append("(abstained)")
        count = np.hstack([count, matrix.withheld[:, None]])
    total = count.sum(axis=1, keepdims=True)
    share = np.divide(count, total, out=np.zeros(count.shape), where=total > 0)
    figure = Figure(
        figsize=(2.6 + 1.05 * len(columns), 2.2 + 0.8 * len(matrix.labels)), layout="constrained"
    )
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), n in np.ndenumerate(count):
        shade = share[row, column]
        text = f"{n}\n{shade:.0%}" if total[row, 0] else "0"
        colour = "white" if shade > 0.66 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axes.set_yticks(range(len(matrix.labels)), matrix.labels)
    axes.set(xlabel="predicted", ylabel="gold (shares by row)")
    return figure


def _png(figure: Figure, title: str) -> bytes:
    figure.suptitle(title, fontsize=11)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()
