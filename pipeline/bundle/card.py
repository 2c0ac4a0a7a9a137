"""The model card (Mitchell et al., 2019) of a bundle, in Markdown."""

from __future__ import annotations

from pipeline.bundle.manifest import Figure, Manifest
from pipeline.codebook import Codebook, TaskType
from pipeline.decision import DecisionRule


def render_card(manifest: Manifest, codebook: Codebook, rule: DecisionRule | None) -> str:
    """Return the card of a model: what it is, how it was measured, and its limits."""
    facts = manifest.facts
    lines = [
        f"# Model card: {manifest.model_id}",
        "",
        facts.description,
        "",
        f"- Kind: {manifest.kind}; made {manifest.created} by {manifest.made_by}",
        f"- Codebook: {codebook.name} {codebook.version}",
        f"- Licence: {facts.licence}",
        *([f"- Training run: {facts.run_id}"] if facts.run_id else []),
        "",
        "## Limits",
        "",
        *([f"- {limit}" for limit in facts.limits] or ["None stated."]),
        "",
        "## Measured figures",
        "",
        *_figures(facts.figures),
        "",
        *([] if rule is None else _decision(codebook, rule)),
        "## Training",
        "",
        *[f"- {name}: {value}" for name, value in facts.training.items()],
    ]
    if facts.parity:
        lines += ["", "## Exported against trained model", ""]
        lines += [f"- {name}: {value:.4g}" for name, value in facts.parity.items()]
    return "\n".join(lines) + "\n"


def _decision(codebook: Codebook, rule: DecisionRule) -> list[str]:
    return [
        "## Decision rule",
        "",
        "Calibrated logit = logit × scale + bias. A label of a multilabel task is given at or",
        "above its threshold; a multiclass task takes its most probable label.",
        *_withheld(codebook, rule),
        "",
        "| column | scale | bias | threshold |",
        "|---|---|---|---|",
        *_rule_rows(codebook, rule),
        "",
    ]


def _figures(figures: tuple[Figure, ...]) -> list[str]:
    if not figures:
        return ["None recorded."]
    rows = ["| data | score | value | 95 % interval (bootstrap over documents) | n |"]
    rows.append("|---|---|---|---|---|")
    for f in figures:
        known = f.low is not None and f.high is not None
        interval = f"{f.low:.3f} to {f.high:.3f}" if known else "too few documents"
        rows.append(f"| {f.dataset} | {f.name} | {f.value:.3f} | {interval} | {f.support} |")
    return rows


def _withheld(codebook: Codebook, rule: DecisionRule) -> list[str]:
    bands = {task: rule.within(task) for task in codebook.tasks}
    if not any(bands.values()):
        return []
    if len(set(bands.values())) == 1:
        shown = f"{rule.within(next(iter(bands))):.3f}"
    else:
        shown = ", ".join(f"{band:.3f} ({task})" for task, band in bands.items())
    return [
        f"A decision is withheld where the probability is less than {shown} from",
        "its threshold, or the two most probable labels of a multiclass task are so close.",
    ]


def _rule_rows(codebook: Codebook, rule: DecisionRule) -> list[str]:
    rows = []
    columns = zip(codebook.columns, rule.scale, rule.bias, rule.threshold, strict=True)
    for (task, label), scale, bias, threshold in columns:
        single = codebook.tasks[task].type is TaskType.MULTICLASS
        shown = "most probable" if single else f"{threshold:.3f}"
        rows.append(f"| {task}.{label} | {scale:.3f} | {bias:+.3f} | {shown} |")
    return rows
