"""Which unlabelled sentences to label next, so that shares can still be estimated afterwards.

Part of the choice is made by a strategy, which takes what it wants for certain, and part is drawn
at random from the rest. Every sentence then had a known chance: one where it was taken for certain,
the sampling fraction of the rest elsewhere (a take-all and a take-some stratum; Särndal, Swensson
and Wretman, 1992, Model Assisted Survey Sampling, ch. 3). That holds because the strategy sees
predictions and texts, never labels. Near-duplicates form a group of which one sentence, drawn at
random, is labelled: its chance is that of the group divided by the size of the group (two-stage
sampling, ch. 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.features import FloatArray, fit_block
from pipeline.codebook import Codebook, TaskType
from pipeline.errors import ShapeError
from pipeline.evaluation.sampling_design import draw_sentences
from pipeline.settings.estimation import Strategy

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

DIMENSIONS = 128
"""Of vectors of words: distances are kept up to about a tenth (Achlioptas, 2003)."""


def uncertainty(probabilities: Array, codebook: Codebook) -> Array:
    """Return how unsure a model is of each of n sentences, (n,), in [0, 1].

    The mean over tasks of the normalised entropy: of a multilabel task the mean of the binary
    entropies of its labels (Esuli and Sebastiani, 2009, average labels in the same way), of a
    multiclass task that of its distribution, divided by the largest possible (Settles, 2009).
    """
    by_task = []
    for name, task in codebook.tasks.items():
        p = probabilities[:, codebook.slice_of(name)]
        if task.type is TaskType.MULTILABEL:
            entropy = (_plogp(p) + _plogp(1.0 - p)).mean(axis=1) / math.log(2)
        else:
            entropy = _plogp(p).sum(axis=1) / math.log(max(p.shape[1], 2))
        by_task.append(entropy)
    return np.asarray(np.clip(np.mean(by_task, axis=0), 0.0, 1.0))


def _plogp(p: Array) -> Array:
    return -p * np.log(np.where(p > 0.0, p, 1.0))


def word_vectors(texts: Sequence[str], *, seed: int) -> FloatArray:
    """Return TF-IDF vectors of words, projected at random, float32 (n, `DIMENSIONS`).

    Rows have unit length; that of a text without a word that another one has is zero.
    """
    block = fit_block(texts, analyzer="word", ngrams=(1, 1), min_df=2, max_features=50_000)
    draw = np.random.default_rng(seed)
    projection = draw.standard_normal((len(block.terms), DIMENSIONS), dtype=np.float32)
    points = block.dot(texts, projection)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points / np.where(lengths > 0.0, lengths, 1.0), dtype=np.float32)


def choose(
    strategy: Strategy,
    unsure: Array,
    strata: Numbers,
    points: FloatArray | None,
    number: int,
    *,
    random_share: float,
    seed: int,
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Choose `number` of m sentences.

    Args:
        unsure: see `uncertainty`, (m,).
        strata: see `strata_by_label`, (m,).
        points: vectors of unit length, (m + labelled, d), of the m sentences and after them of
            those that are labelled already; only `DIVERSITY` and `MIX` need them.
        random_share: part, in (0, 1], that the last three strategies draw at random, at least one.

    Returns:
        Inclusion probabilities (m,) of what is chosen, NaN elsewhere, and what of it was drawn at
        random, (m,).

    Raises:
        SettingsError: that many cannot be chosen.
        ShapeError: vectors are needed and not given.
    """
    if strategy in (Strategy.RANDOM, Strategy.STRATIFIED):
        one = np.zeros(len(unsure), dtype=np.intp)
        inclusion = draw_sentences(
            one if strategy is Strategy.RANDOM else strata, number, seed=seed
        )
        return inclusion, ~np.isnan(inclusion)
    size = number - max(round(random_share * number), 1)
    if strategy is Strategy.UNCERTAINTY:
        certain = np.argsort(-unsure, kind="stable")[:size]
    else:
        if points is None:
            raise ShapeError(f"the strategy '{strategy}' needs vectors, got none")
        weight = np.zeros(len(points))
        weight[: len(unsure)] = unsure if strategy is Strategy.MIX else 1.0
        covered = np.arange(len(unsure), len(points))
        spread = int(np.random.SeedSequence((seed, 1)).generate_state(1)[0])  # draws of its own
        certain = draw_spread(points, covered, weight, size, seed=spread)
    inclusion = with_random_share(len(unsure), certain, number, seed=seed)
    drawn = ~np.isnan(inclusion)
    drawn[certain] = False
    return inclusion, drawn


def draw_spread(
    vectors: npt.NDArray[np.float32], covered: Numbers, weight: Array, size: int, *, seed: int
) -> Numbers:
    """Choose `size` sentences that lie far from each other and from those already `covered`.

    k-means++ seeding (Arthur and Vassilvitskii, 2007): one after the other is drawn with a chance
    proportional to its squared distance from the nearest chosen one, times its `weight`. Taking
    the farthest instead (k-centre; Sener and Savarese, 2018) would gather outliers.

    Args:
        vectors: (n, d), of unit length or zero.
        covered: rows that are labelled already; they are not chosen.
        weight: (n,), not negative.

    Returns:
        Rows in the order of choice; as many as have weight, where these are fewer.
    """
    draw = np.random.default_rng(seed)
    distance = np.full(len(vectors), 2.0)
    open_ = np.ones(len(vectors), dtype=bool)

    def cover(row: int) -> None:
        gap = np.maximum(2.0 - 2.0 * (vectors @ vectors[row]), 0.0)
        np.minimum(distance, gap, out=distance)
        open_[row] = False

    for row in covered.tolist():
        cover(row)
    chosen: list[int] = []
    while len(chosen) < size:
        mass = np.where(open_, weight * distance, 0.0)
        if not mass.sum() > 0.0:
            # Whatever remains lies on a chosen one: weights alone decide.
            mass = np.where(open_, weight, 0.0)
        if not mass.sum() > 0.0:
            break
        row = int(draw.choice(len(mass), p=mass / mass.sum()))
        chosen.append(row)
        cover(row)
    return np.asarray(chosen, dtype=np.intp)


def with_random_share(count: int, certain: Numbers, size: int, *, seed: int) -> Array:
    """Add a random draw to what is taken for certain, to `size` of `count` in all.

    Returns:
        Inclusion probabilities (count,) of those taken or drawn, NaN elsewhere: 1 for `certain`,
        the sampling fraction of the others for the rest. The inverses add up to `count` if anything
        was drawn.

    Raises:
        SettingsError: that many cannot be drawn.
    """
    inclusion = np.full(count, np.nan)
    inclusion[certain] = 1.0
    rest = np.setdiff1d(np.arange(count), certain)
    if len(rest):
        drawn = draw_sentences(np.zeros(len(rest), dtype=np.intp), size - len(certain), seed=seed)
        inclusion[rest] = drawn
    return inclusion
