"""Splits by document: no document, and no reprint of one, stands on both sides of a split.

The aim is that of multi-label stratification (Sechidis, Tsoumakas & Vlahavas, 2011): each part
holds the same share of every label as of the sentences. Their iterative dealing is made for single
examples with binary labels; with documents as units it overshoots (largest relative deviation of a
label in five folds of the project's corpus: 11 %). So groups are dealt largest first, each to the
part where the sum of squared relative deviations grows least, and are then exchanged between parts
while that sum falls (0.6 %).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.targets import Targets, encode_targets
from pipeline.codebook import Codebook
from pipeline.errors import InputError, SettingsError
from pipeline.labelling.typography import letters_and_digits
from pipeline.records import LabelledDocument

REPRINT_WORDS = 8
"""Shorter sentences are formulas ("I thank the President."), which do not make a reprint."""

REPRINT_SHARE = 0.25
"""Documents that share this part of the shorter one's longer sentences are kept together."""

SWEEPS = 5
"""At most this many passes of exchanging groups between parts."""

PARTNERS = 1000
"""Partners tried for each group in a pass, drawn at random; bounds the time on large corpora."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold of a cross-validation; documents in the order they were given."""

    train: tuple[LabelledDocument, ...]
    test: tuple[LabelledDocument, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Three disjoint parts of a corpus; documents in the order they were given."""

    train: tuple[LabelledDocument, ...]
    calibration: tuple[LabelledDocument, ...]
    test: tuple[LabelledDocument, ...]


def grouped_folds(
    documents: Sequence[LabelledDocument], codebook: Codebook, *, folds: int, seed: int
) -> list[Fold]:
    """Return `folds` folds whose test parts hold every document exactly once.

    The folds depend on the documents, not on their order. Labels of all tasks and the number of
    sentences are balanced.

    Raises:
        SettingsError: fewer than two folds, or fewer groups of documents than folds.
        InputError: a document has no sentences.
    """
    if folds < 2:
        raise SettingsError([f"{folds} fold(s) asked for, at least 2 needed"], where="splits")
    parts = _deal(documents, codebook, shares=(1.0 / folds,) * folds, seed=seed)
    return [
        Fold(
            train=tuple(d for d, p in zip(documents, parts, strict=True) if p != fold),
            test=tuple(d for d, p in zip(documents, parts, strict=True) if p == fold),
        )
        for fold in range(folds)
    ]


def split_three(
    documents: Sequence[LabelledDocument],
    codebook: Codebook,
    *,
    test: float,
    calibration: float,
    seed: int,
) -> Split:
    """Return disjoint train, calibration and test documents.

    `test` and `calibration` are shares of the sentences in [0, 1); zero leaves that part empty, as
    when calibration documents are set aside within the training part of a fold.

    Raises:
        SettingsError: the shares leave nothing to train on, or there are fewer groups of documents
            than parts.
        InputError: a document has no sentences.
    """
    if not (0.0 <= test < 1.0 and 0.0 <= calibration < 1.0 and test + calibration < 1.0):
        raise SettingsError(
            [
                f"test {test} and calibration {calibration}: each must lie in [0, 1), and their "
                "sum below 1 so that training documents remain"
            ],
            where="splits",
        )
    shares = {"train": 1.0 - test - calibration, "calibration": calibration, "test": test}
    names = [name for name, share in shares.items() if share > 0.0]
    parts = _deal(documents, codebook, shares=tuple(shares[n] for n in names), seed=seed)
    chosen: dict[str, list[LabelledDocument]] = {name: [] for name in shares}
    for document, part in zip(documents, parts, strict=True):
        chosen[names[part]].append(document)
    return Split(
        train=tuple(chosen["train"]),
        calibration=tuple(chosen["calibration"]),
        test=tuple(chosen["test"]),
    )


def assign_parts(
    groups: Sequence[str], targets: Targets, *, shares: Sequence[float], seed: int
) -> npt.NDArray[np.intp]:
    """Return the part, 0 to len(shares) - 1, of each of n rows; rows of one group stay together.

    `targets` is (n, k) with NaN where unknown; `shares` sum to one. No part is empty. The result
    depends on the set of groups, not on the order of the rows.

    Raises:
        SettingsError: there are fewer groups than parts.
    """
    names, row_group = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    if len(names) < len(shares):
        raise SettingsError(
            [
                f"{len(names)} independent group(s) of documents cannot fill {len(shares)} parts. "
                "Add documents or ask for fewer parts (reprints of one text count as one group)"
            ],
            where="splits",
        )
    known = ~np.isnan(targets)
    facts = np.hstack([np.nan_to_num(targets), known, np.ones((len(targets), 1))])
    # Where all labels of a task are known together, their masks are one thing to balance, not many.
    facts = np.unique(facts, axis=1)
    counts = np.zeros((len(names), facts.shape[1]))
    np.add.at(counts, row_group, facts)
    return _stratify(counts, np.asarray(shares, dtype=np.float64), seed)[row_group]


def document_groups(documents: Sequence[LabelledDocument]) -> list[str]:
    """Return one group name a document; copies and reprints of one text share it.

    Two documents belong together when they bear one doc_id, or when at least `REPRINT_SHARE` of the
    distinct sentences of `REPRINT_WORDS` words or more of the shorter one stand in the other (case,
    punctuation and spacing apart). A formula repeated in many documents joins none of them: in the
    project's corpus (parts w1-w18) 45 sentences stand in several documents, none with a stance;
    joining on any of them would chain 82 documents into one group, while no two documents are
    reprints of each other.
    """
    sentences: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        texts = (letters_and_digits(item.sentence.text) for item in document.sentences)
        sentences[document.doc_id].update(t for t in texts if t.count(" ") + 1 >= REPRINT_WORDS)
    places: dict[str, list[str]] = defaultdict(list)
    for doc_id in sorted(sentences):
        for text in sentences[doc_id]:
            places[text].append(doc_id)
    shared: Counter[tuple[str, str]] = Counter()
    for doc_ids in places.values():
        shared.update(combinations(doc_ids, 2))
    reprints = (
        pair
        for pair, count in shared.items()
        if count >= REPRINT_SHARE * min(len(sentences[doc_id]) for doc_id in pair)
    )
    root = _joined(sorted(sentences), reprints)
    return [root[document.doc_id] for document in documents]


def _deal(
    documents: Sequence[LabelledDocument],
    codebook: Codebook,
    *,
    shares: Sequence[float],
    seed: int,
) -> list[int]:
    groups = document_groups(documents)
    rows = [item for document in documents for item in document.sentences]
    row_groups = [g for g, d in zip(groups, documents, strict=True) for _ in d.sentences]
    empty = sorted({document.doc_id for document in documents if not document.sentences})
    if empty:
        raise InputError(
            f"splits: {len(empty)} document(s) have no sentences: {', '.join(empty[:5])}. Leave "
            "them out before splitting."
        )
    parts = assign_parts(row_groups, encode_targets(rows, codebook), shares=shares, seed=seed)
    part_of = dict(zip(row_groups, parts.tolist(), strict=True))
    return [part_of[group] for group in groups]


def _stratify(
    counts: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], seed: int
) -> npt.NDArray[np.intp]:
    """Return the part of each group, given its counts (groups, columns) of things to balance."""
    draw = np.random.default_rng(seed)
    totals = counts.sum(axis=0)
    relative = counts[:, totals > 0] / totals[totals > 0]
    part = np.full(len(counts), -1, dtype=np.intp)
    # excess[p, j]: share of column j that part p holds, less the share it ought to hold.
    excess = np.repeat(-shares[:, None], relative.shape[1], axis=1)
    largest_first = np.lexsort((draw.random(len(counts)), -np.square(relative).sum(axis=1)))
    for done, group in enumerate(largest_first):
        cost = excess @ relative[group]
        empty = np.setdiff1d(np.arange(len(shares)), part)
        if len(empty) >= len(counts) - done:
            cost[np.setdiff1d(np.arange(len(shares)), empty)] = np.inf
        part[group] = np.lexsort((draw.random(len(shares)), cost))[0]
        excess[part[group]] += relative[group]
    for _ in range(SWEEPS):
        if not _exchange(part, excess, relative, largest_first[::-1], draw):
            break
    return part


def _exchange(
    part: npt.NDArray[np.intp],
    excess: npt.NDArray[np.float64],
    relative: npt.NDArray[np.float64],
    order: npt.NDArray[np.intp],
    draw: np.random.Generator,
) -> bool:
    """Move or swap groups, in place, where that lowers the sum of squared excesses."""
    improved = False
    for group in order:
        here, own = part[group], relative[group]
        partners = draw.permutation(len(part))[:PARTNERS]
        moving = 2 * (excess @ own - excess[here] @ own + own @ own)
        moving[here] = 0.0
        if np.count_nonzero(part == here) == 1:
            moving[:] = 0.0
        gain = relative[partners] - own
        swapping = 2 * ((excess[here] - excess[part[partners]] + gain) * gain).sum(axis=1)
        swapping[part[partners] == here] = 0.0
        there, partner = int(moving.argmin()), int(partners[swapping.argmin()])
        if min(moving.min(), swapping.min()) > -1e-12:
            continue
        improved = True
        if moving.min() <= swapping.min():
            excess[here] -= own
            excess[there] += own
            part[group] = there
        else:
            there = int(part[partner])
            excess[here] += relative[partner] - own
            excess[there] -= relative[partner] - own
            part[group], part[partner] = there, here
    return improved


def _joined(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the representative of each name: the same for all that pairs connect."""
    parent = {name: name for name in names}

    def find(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for first, second in pairs:
        a, b = sorted((find(first), find(second)))
        parent[b] = a
    return {name: find(name) for name in parent}
