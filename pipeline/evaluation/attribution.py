"""How well holders and targets are found, with intervals by resampling documents.

Words are compared as the reading-comprehension task SQuAD does (Rajpurkar et al., 2016): lower
case, without punctuation and articles. Exact match of the holder, token-F1 of the target; two
answers "none" agree wholly, one of them not at all (Rajpurkar et al., 2018).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.metrics import ratio
from pipeline.records import SPEAKER, Score

_NOT_WORDS = re.compile(r"[^\w\s]+|_")
_ARTICLES = frozenset({"a", "an", "the"})
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """One label that a sentence truly expresses: who was found and who is right.

    Holders are SPEAKER or words, targets words or `None`.
    """

    doc_id: str
    holder: str
    right_holder: str
    target: str | None
    right_target: str | None


@dataclass(frozen=True, slots=True)
class Expressed:
    """A label given to a sentence, with its holder; `sentence` tells sentences apart."""

    doc_id: str
    sentence: str
    label: str
    holder: str


def normal_words(text: str) -> list[str]:
    """Return the words that are compared."""
    words = _NOT_WORDS.sub(" ", text.replace("'s", " 's").casefold()).split()
    return [word for word in words if word not in _ARTICLES]


def same_holder(first: str, second: str) -> bool:
    """Return whether two holders agree; SPEAKER agrees with itself only."""
    if SPEAKER in (first, second):
        return first == second
    return normal_words(first) == normal_words(second)


def token_f1(found: str | None, right: str | None) -> float:
    """Return the harmonic mean of precision and recall of the words, 0 to 1."""
    if found is None or right is None:
        return float(found is right)
    a, b = Counter(normal_words(found)), Counter(normal_words(right))
    if not a or not b:
        return float(a == b)
    return 2 * (a & b).total() / (a.total() + b.total())


def attribution_scores(found: Sequence[Found], *, replicates: int, seed: int) -> dict[str, Score]:
    """Return the scores of holders and targets of labels that are truly expressed.

    `holder_exact` over all and `reported_holder_exact` where the right one is not the speaker;
    `target_f1` over all and `named_target_f1` where there is one; `target_named` the share for
    which it is rightly said whether there is one.
    """
    reported = np.array([one.right_holder != SPEAKER for one in found], dtype=bool)
    named = np.array([one.right_target is not None for one in found], dtype=bool)
    holder = np.array([same_holder(one.holder, one.right_holder) for one in found], dtype=float)
    target = np.array([token_f1(one.target, one.right_target) for one in found], dtype=float)
    said = np.array([(one.target is None) == (one.right_target is None) for one in found], float)
    everywhere = np.ones(len(found), dtype=bool)
    wanted = {
        "holder_exact": (holder, everywhere),
        "reported_holder_exact": (holder, reported),
        "target_f1": (target, everywhere),
        "named_target_f1": (target, named),
        "target_named": (said, everywhere),
    }
    documents = [one.doc_id for one in found]
    return {
        name: _mean(name, values, rows, documents, replicates=replicates, seed=seed)
        for name, (values, rows) in wanted.items()
    }


def expressed_f1(
    given: Sequence[Expressed],
    right: Sequence[Expressed],
    documents: Sequence[str],
    labels: Sequence[str],
    *,
    replicates: int,
    seed: int,
) -> dict[str, Score]:
    """Return F1 of labels whose holder is right as well, by label and as `macro_f1`.

    A given label is right where the sentence truly expresses it and the holders agree.

    Args:
        documents: all documents that were looked at, also those that express nothing.
    """
    names = {doc_id: i for i, doc_id in enumerate(dict.fromkeys(documents))}
    truth: Mapping[tuple[str, str, str], str] = {
        (one.doc_id, one.sentence, one.label): one.holder for one in right
    }
    counts = np.zeros((len(names), len(labels), 3))
    column = {label: j for j, label in enumerate(labels)}
    for one in right:
        counts[names[one.doc_id], column[one.label], 2] += 1
    for one in given:
        holder = truth.get((one.doc_id, one.sentence, one.label))
        cell = counts[names[one.doc_id], column[one.label]]
        cell[1] += 1
        cell[0] += holder is not None and same_holder(one.holder, holder)
    weights = _weights(len(names), replicates=replicates, seed=seed)
    hits, said, true = np.einsum("rd,dlk->krl", weights, counts)
    f1 = ratio(2 * hits, said + true)
    defined = ~np.isnan(f1)
    macro = ratio(np.where(defined, f1, 0.0).sum(axis=1), defined.sum(axis=1).astype(float))
    support = counts[:, :, 2].sum(axis=0)
    scores = {
        label: _score(label, f1[:, j], int(support[j]), len(names))
        for j, label in enumerate(labels)
    }
    scores["macro_f1"] = _score("macro_f1", macro, int(support.sum()), len(names))
    return scores


def _mean(
    name: str,
    values: Array,
    rows: npt.NDArray[np.bool_],
    documents: Sequence[str],
    *,
    replicates: int,
    seed: int,
) -> Score:
    _, of = np.unique(np.asarray(documents, dtype=np.str_), return_inverse=True)
    count = int(of.max(initial=-1)) + 1
    sums = np.zeros((count, 2))
    np.add.at(sums, of[rows], np.stack([values[rows], np.ones(int(rows.sum()))], axis=1))
    top, bottom = (_weights(count, replicates=replicates, seed=seed) @ sums).T
    return _score(name, ratio(top, bottom), int(rows.sum()), count)


def _weights(documents: int, *, replicates: int, seed: int) -> Array:
    """Return a row of ones, then the bootstrap's."""
    plain = np.ones((1, documents))
    if documents < 2:
        return plain
    return np.vstack([plain, document_weights(documents, replicates=replicates, seed=seed)])


def _score(name: str, values: Array, support: int, documents: int) -> Score:
    interval = percentile_interval(values[1:]) if documents > 1 else None
    low, high = interval or (None, None)
    return Score(name, float(values[0]), low, high, support)
