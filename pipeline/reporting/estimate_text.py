"""How shares were estimated, in words that a paper can use: numbers and references filled in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.evaluation.estimate_table import METHODS, OVERALL, EstimateRow, Sizes
from pipeline.reporting.view import task_title

REFERENCES = {
    "dsl": (
        "Egami, N., Hinck, M., Stewart, B. M., and Wei, H. (2023). Using imperfect surrogates for "
        "downstream inference: Design-based supervised learning for social science applications "
        "of large language models. Advances in Neural Information Processing Systems 36."
    ),
    "ppi": (
        "Angelopoulos, A. N., Duchi, J. C., and Zrnic, T. (2023). PPI++: Efficient "
        "prediction-powered inference. arXiv:2311.01453."
    ),
    "acc": (
        "Rogan, W. J., and Gladen, B. (1978). Estimating prevalence from the results of a "
        "screening test. American Journal of Epidemiology, 107(1), 71-76."
    ),
    "sample": (
        "Hájek, J. (1971). Comment on 'An essay on the logical foundations of survey sampling, "
        "part one' by D. Basu. In V. P. Godambe and D. A. Sprott (eds.), Foundations of "
        "Statistical Inference. Toronto: Holt, Rinehart and Winston, 236."
    ),
}
GENERAL_REFERENCES = (
    "Särndal, C.-E., Swensson, B., and Wretman, J. (1992). Model Assisted Survey Sampling. New "
    "York: Springer.",
    "Franco, C., Little, R. J. A., Louis, T. A., and Slud, E. V. (2019). Comparative study of "
    "confidence intervals for proportions in complex sample surveys. Journal of Survey Statistics "
    "and Methodology, 7(3), 334-364.",
)
_HOW = {
    "dsl": (
        "We estimated shares by design-based supervised learning (Egami et al., 2023): for every "
        "sentence the true label was predicted from the model's probability and decision by a "
        "weighted linear regression, cross-fitted in five folds of documents; in sampled sentences "
        "the error of that prediction, divided by the inclusion probability, was added; and the "
        "results were averaged over all sentences of a group."
    ),
    "ppi": (
        "We estimated shares by prediction-powered inference with power tuning (PPI++; "
        "Angelopoulos et al., 2023): the share in the sample was corrected by what the mean "
        "probability of all sentences of a group exceeds that of its sampled ones, times the "
        "factor that minimises the variance. Sampled sentences were weighted by their "
        "inverse inclusion probabilities."
    ),
    "acc": (
        "We corrected the share of sentences that the model labels by its sensitivity and "
        "specificity in the sample (Rogan and Gladen, 1978), weighted by inverse inclusion "
        "probabilities; this assumes that both are the same in all groups."
    ),
    "sample": (
        "We estimated shares from the sample alone, weighted by inverse inclusion probabilities "
        "(Hájek, 1971)."
    ),
    "cc": (
        "We counted the sentences that the model labels, without correction; errors of the model "
        "bias these shares, and the intervals do not cover that bias."
    ),
}


@dataclass(frozen=True, slots=True)
class EstimateFacts:
    """What was estimated from what.

    `method` is the main one of `methods` (keys of `METHODS`), `inclusion` the lowest and highest
    inclusion probability, `remarks` plain sentences on what limits the estimates.
    """

    codebook: str
    models: tuple[str, ...]
    method: str
    methods: tuple[str, ...]
    by: str | None
    sizes: Sizes
    inclusion: tuple[float, float]
    remarks: tuple[str, ...]


def method_text(rows: Sequence[EstimateRow], facts: EstimateFacts) -> str:
    """Return paragraphs on data, method and overall results, and the references."""
    sizes, (low, high) = facts.sizes, facts.inclusion
    tasks = list(dict.fromkeys(task_title(row.task).lower() for row in rows))
    chance = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    models = f"model {facts.models[0]}" if len(facts.models) == 1 else f"{len(facts.models)} models"
    by = f", by {facts.by}" if facts.by else ""
    data = (
        f"We estimate the share of sentences that carry each label of {' and '.join(tasks)} "
        f"(codebook {facts.codebook}){by}, among {sizes.sentences:,} sentences of "
        f"{sizes.documents:,} documents. All of them were labelled by {models}. A random sample of "
        f"{sizes.sampled_sentences:,} sentences of {sizes.sampled_documents:,} documents was "
        f"labelled by hand; its inclusion probabilities are known by design ({chance})."
    )
    intervals = (
        "Intervals are 95 % intervals with variances clustered by document (linearisation; Särndal "
        "et al., 1992), Student's t, and for shares Wilson's form with the variance of the design "
        "(Franco et al., 2019). They treat the documents as a draw from texts of their kind."
    )
    beside = [m for m in facts.methods if m in REFERENCES and m != facts.method]
    others = f"For comparison: {', '.join(METHODS[m] for m in beside)}." if beside else ""
    cited = [m for m in REFERENCES if m in facts.methods]
    references = sorted([*(REFERENCES[m] for m in cited), *GENERAL_REFERENCES])
    paragraph = " ".join([data, _HOW[facts.method], intervals])
    return "\n\n".join(
        [paragraph, _results(rows, facts), *([others] if others else []), *references]
    )


def _results(rows: Sequence[EstimateRow], facts: EstimateFacts) -> str:
    counted = {(r.task, r.label): r for r in rows if r.method == "cc" and r.group == OVERALL}
    found = []
    for row in rows:
        if row.method == facts.method and row.group == OVERALL:
            count = counted[row.task, row.label].value
            beside = "" if facts.method == "cc" else f" (counted: {100 * count:.1f} %)"
            found.append(f"{row.label} {percent(row)}{beside}")
    differences = [
        f"{row.label} {percent(row)}" for row in rows if row.method == facts.method and row.contrast
    ]
    text = f"Estimated shares of all sentences: {'; '.join(found)}."
    if differences:
        pair = next(row.group for row in rows if row.contrast)
        text += f" Difference in percentage points, {pair}: {'; '.join(differences)}."
    return text


def percent(row: EstimateRow) -> str:
    """Return an estimate and its interval in per cent, for people."""
    if math.isnan(row.value):
        return "not defined"
    sign = "+" if row.contrast else ""
    value = f"{100 * row.value:{sign}.1f}" if row.contrast else f"{100 * row.value:.1f} %"
    if row.low is None or row.high is None:
        return f"{value} (no interval)"
    return f"{value} [{100 * row.low:{sign}.1f}, {100 * row.high:{sign}.1f}]"
