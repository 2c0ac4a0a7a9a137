"""Comparisons of models as rows of a table and as sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.evaluation.comparison import SHUFFLES, ScoreComparison, smallest_p
from pipeline.evaluation.score_text import UNDEFINED, interval_text, value_text

SIGNIFICANCE = 0.05
"""A difference is called one where its corrected p-value is not above this."""

FEW_DOCUMENTS = 20
"""With fewer documents bootstrap intervals are too narrow."""


def comparison_table(
    scores: Sequence[ScoreComparison], first: str, second: str
) -> list[tuple[str, ...]]:
    """Return a header and one row a score; `first` and `second` name the models."""
    header = (
        *("score", first, second, "difference", "95 % interval", "p", "p (Holm)"),
        *("design effect", "detectable", "support"),
    )
    return [header, *(_row(score) for score in scores)]


def family_size(pairs: Sequence[Sequence[ScoreComparison]]) -> int:
    """Return how many tests were corrected for: every defined difference of every pair."""
    return sum(not math.isnan(score.p) for scores in pairs for score in scores)


def verdict(scores: Sequence[ScoreComparison], first: str, second: str) -> str:
    """Say in one sentence where the models differ after correction."""
    found = [score for score in scores if score.p_holm <= SIGNIFICANCE]
    better = [score.name for score in found if score.difference > 0]
    worse = [score.name for score in found if score.difference < 0]
    parts = [f"better in {', '.join(better)}"] if better else []
    parts += [f"worse in {', '.join(worse)}"] if worse else []
    if not parts:
        return f"{first} against {second}: no score can be told apart on these documents."
    rest = "" if len(found) == len(scores) else "; no other score can be told apart"
    return f"{first} against {second}: {' and '.join(parts)}{rest}."


def cautions(documents: int, family: int) -> list[str]:
    """Return what a reader must know where documents are few."""
    said = []
    if documents < FEW_DOCUMENTS:
        said.append(
            f"{documents} documents are few: intervals from a bootstrap of fewer than "
            f"{FEW_DOCUMENTS} are too narrow. Trust the p-values rather."
        )
    if (least := smallest_p(documents)) * family > SIGNIFICANCE:
        said.append(
            f"With {documents} documents no p-value can be below {shown_p(least)}, so nothing can "
            f"pass the correction for {family} comparisons."
        )
    return said


def method(
    documents: int, family: int, *, models: int, replicates: int, shuffles: int = SHUFFLES
) -> list[tuple[str, str]]:
    """Return what every column means, as (heading, text)."""
    exact = smallest_p(documents, shuffles) > 1.0 / (shuffles + 1)
    swapped = (
        f"All {2**documents:,} ways to swap the outputs of whole documents between the models were "
        "counted, so p is exact."
        if exact
        else f"The outputs of whole documents were swapped between the models {shuffles:,} times "
        "at random; p = (swaps that differ as much + 1) / (swaps + 1), two-sided."
    )
    return [
        ("difference", "F1 of the first model less that of the second, on the same sentences."),
        (
            "95 % interval",
            f"Percentiles of a paired bootstrap over documents, {replicates:,} replicates. "
            "Slightly narrow (91 to 95 % in simulations), most where positives are few; where it "
            "and p disagree, trust p.",
        ),
        ("p", f"Approximate randomisation (Noreen, 1989). {swapped}"),
        (
            "p (Holm)",
            f"Corrected by Holm (1979) for the family of all {family} differences shown here: "
            f"macro-F1 and F1 of every label, times {models} "
            f"{'pair' if models == 1 else 'pairs'} of models. The chance of even one false "
            "finding among them is at most 5 %.",
        ),
        (
            "design effect",
            "Variance of the difference with documents as the units over that with sentences as "
            "the units (Kish, 1965): 2 means that these sentences tell as much as half as many "
            "from documents of one sentence each.",
        ),
        (
            "detectable",
            "The true difference that a single two-sided test at 5 % finds in 80 % of test sets "
            "like this: 2.80 standard errors over documents (normal approximation, linearised "
            "variance; Bloom, 1995). It holds for these two models; models that disagree in "
            "fewer sentences are told apart by less.",
        ),
        ("support", "Positives of a label; for a macro-F1 the sentences with known labels."),
    ]


def shown_p(p: float) -> str:
    """Return a p-value with the digits that 10,000 shuffles support."""
    return UNDEFINED if math.isnan(p) else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"


def _row(score: ScoreComparison) -> tuple[str, ...]:
    effect = UNDEFINED if math.isnan(score.design_effect) else f"{score.design_effect:.2f}"
    return (
        score.name,
        value_text(score.first),
        value_text(score.second),
        value_text(score.difference, sign="+"),
        interval_text(score.low, score.high, sign="+"),
        shown_p(score.p),
        shown_p(score.p_holm),
        effect,
        value_text(score.detectable),
        str(score.support),
    )
