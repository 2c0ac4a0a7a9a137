"""Draw sentences to be labelled by hand, each with a known probability of being drawn.

Simple random sampling without replacement of sentences, within strata, or of whole documents
(Cochran, 1977, Sampling Techniques, ch. 2, 5 and 9). Every sentence has a chance, so that
`share_estimates` holds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.errors import SettingsError

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]


def draw_sentences(strata: Numbers, size: int, *, seed: int) -> Array:
    """Draw `size` of n sentences; with one stratum all have the same chance.

    Half of the draw is spread over the strata in proportion to their sizes and half in equal parts,
    which brings in rare labels without leaving the large strata to a few heavy sentences. Every
    stratum has at least one sentence drawn.

    Args:
        strata: number of each sentence's stratum, (n,), from 0.

    Returns:
        Inclusion probabilities of the drawn sentences, (n,), NaN where a sentence was not drawn.

    Raises:
        SettingsError: `size` is larger than n, or smaller than the number of strata.
    """
    _, stratum, counts = np.unique(strata, return_inverse=True, return_counts=True)
    if not len(counts) <= size <= len(strata):
        raise SettingsError(
            [
                f"cannot draw {size} of {len(strata)} sentences in {len(counts)} strata; give a "
                f"number from {len(counts)} to {len(strata)}"
            ],
            where="--draw",
        )
    sizes = allocate(counts, size)
    draw = np.random.default_rng(seed)
    inclusion = np.full(len(strata), np.nan)
    for h, number in enumerate(sizes):
        chosen = draw.choice(np.flatnonzero(stratum == h), size=number, replace=False)
        inclusion[chosen] = number / counts[h]
    return inclusion


def draw_documents(documents: Numbers, size: int, *, seed: int) -> Array:
    """Draw `size` whole documents with equal chances; returns and raises as `draw_sentences`.

    Args:
        documents: number of each sentence's document, (n,), from 0 without gaps.
    """
    count = int(documents.max(initial=-1)) + 1
    if not 1 <= size <= count:
        raise SettingsError(
            [f"cannot draw {size} of {count} documents; give a number from 1 to {count}"],
            where="--draw",
        )
    chosen = np.random.default_rng(seed).choice(count, size=size, replace=False)
    return np.where(np.isin(documents, chosen), size / count, np.nan)


def strata_by_label(given: npt.NDArray[np.bool_]) -> Numbers:
    """Return a stratum for each of n sentences by its rarest predicted label, 0 where it has none.

    Args:
        given: (n, labels), true where the model gives the label.
    """
    frequency = given.sum(axis=0)
    rarest_first = np.argsort(frequency, kind="stable")
    ordered = given[:, rarest_first]
    return np.where(given.any(axis=1), 1 + rarest_first[ordered.argmax(axis=1)], 0).astype(np.intp)


def allocate(counts: Numbers, size: int) -> Numbers:
    """Return how many to draw of each stratum: half in proportion, half equal, at least one.

    Where a stratum has too few, the others take its part; the numbers add up to `size`.
    """
    wanted = size * (0.5 * counts / counts.sum() + 0.5 / len(counts))
    sizes: Numbers = np.clip(np.floor(wanted), 1, counts).astype(np.intp)
    while (left := size - int(sizes.sum())) != 0:
        open_ = sizes < counts if left > 0 else sizes > 1
        gaps = np.where(open_, (wanted - sizes) * np.sign(left), -np.inf)
        sizes[int(gaps.argmax())] += int(np.sign(left))
    return sizes
